//! The same facade on real threads and real time.

use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError, mpsc};
use std::time::Duration;

use rand_pcg::Pcg64;

use super::context::{self, RealThread};
use super::core::{Stream, stream};
use super::failure::FailureKind;
use super::task::NodeId;
use super::wall;

/// Unwinds the threads of a run that is over. Not a panic: the hook is not called.
struct Over;

/// Longest that a thread waits before it looks whether its run is over.
pub(crate) const SLICE: Duration = Duration::from_millis(100);

/// One run on real threads: what its threads share.
pub(crate) struct World {
    /// Real time at which it began.
    pub(crate) started: u64,
    /// Decides delays, losses and workloads, though not the schedule.
    pub(crate) seed: u64,
    over: AtomicBool,
    failure: Mutex<Option<String>>,
    nodes: Mutex<Vec<Arc<str>>>,
    generators: AtomicU64,
}

impl World {
    /// A run that begins now.
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            started: wall::now(),
            seed,
            over: AtomicBool::new(false),
            failure: Mutex::new(None),
            nodes: Mutex::new(vec!["test".into()]),
            generators: AtomicU64::new(0),
        })
    }

    /// Ends the run: its threads unwind at their next operation.
    pub(crate) fn finish(&self) {
        self.over.store(true, Relaxed);
    }

    /// Remembers the first failure and ends the run.
    pub(crate) fn fail(&self, message: String) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(message);
        self.finish();
    }

    /// The first failure.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds a node with this name.
    pub(crate) fn add_node(&self, name: &str) -> NodeId {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.push(name.into());
        NodeId(nodes.len() as u32 - 1)
    }

    /// The name of a node.
    pub(crate) fn node_name(&self, node: NodeId) -> Arc<str> {
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.get(node.0 as usize).map_or_else(|| "test".into(), Arc::clone)
    }
}

/// Unwinds the calling thread if its run is over.
pub(crate) fn check_over() {
    let is_over = context::real().is_some_and(|thread| thread.world.over.load(Relaxed));
    if is_over && !std::thread::panicking() {
        panic::resume_unwind(Box::new(Over));
    }
}

/// Real nanoseconds since the run began, or since the process first asked.
pub(crate) fn now() -> u64 {
    wall::now() - context::real().map_or(0, |thread| thread.world.started)
}

/// Sleeps, but no longer than the run lasts.
pub(crate) fn sleep(duration: Duration) {
    let until = wall::now() + duration.as_nanos() as u64;
    loop {
        check_over();
        let left = Duration::from_nanos(until.saturating_sub(wall::now()));
        if left.is_zero() {
            return;
        }
        wall::sleep(left.min(SLICE));
    }
}

/// The node of the calling thread.
pub(crate) fn current_node() -> NodeId {
    context::real().map_or(NodeId::TEST, |thread| thread.node)
}

/// Calls `f` with the calling thread's generator.
pub(crate) fn with_rng<R>(f: impl FnOnce(&mut Pcg64) -> R) -> R {
    thread_local! {
        /// Seeded from the run and the order in which threads first drew a number.
        static RNG: RefCell<Option<Pcg64>> = const { RefCell::new(None) };
    }
    RNG.with_borrow_mut(|rng| {
        f(rng.get_or_insert_with(|| match context::real() {
            Some(thread) => {
                let number = thread.world.generators.fetch_add(1, Relaxed);
                let mut base = stream(thread.world.seed, Stream::User);
                base.advance(u128::from(number) << 64);
                base
            }
            None => stream(wall::now() ^ u64::from(std::process::id()), Stream::User),
        }))
    })
}

/// Runs `body` and waits for its end, for a failure, or for the time limit.
pub(crate) fn run<T: Send + 'static>(
    seed: u64,
    time_limit: Duration,
    body: impl FnOnce() -> T + Send + 'static,
) -> (Result<T, String>, FailureKind) {
    let world = World::new(seed);
    let (sender, receiver) = mpsc::sync_channel(1);
    let outer =
        context::enter_real(Some(RealThread { world: Arc::clone(&world), node: NodeId::TEST }));
    spawn(NodeId::TEST, move || sender.send(body()).expect("the run waits for its result"));
    context::enter_real(outer);
    let deadline = wall::now() + time_limit.as_nanos() as u64;
    let (result, kind) = loop {
        let received = receiver.recv_timeout(SLICE / 10);
        if let Some(message) = world.failure() {
            break (Err(message), FailureKind::Panic);
        }
        if let Ok(value) = received {
            break (Ok(value), FailureKind::Panic);
        }
        if wall::now() > deadline {
            let limit = time_limit.as_secs_f64();
            break (
                Err(format!("took longer than the limit of {limit} s")),
                FailureKind::TimeLimit,
            );
        }
    };
    world.finish();
    (result, kind)
}

/// Work for a thread of the pool.
type Job = Box<dyn FnOnce() + Send>;

/// What the timer's thread has to do, earliest first.
#[derive(Default)]
struct Timer {
    /// By real time in nanoseconds, then by order of registration.
    jobs: Mutex<BTreeMap<(u64, u64), Job>>,
    changed: Condvar,
    registered: AtomicU64,
}

/// Runs `action` after a delay as part of the caller's run. It must not wait.
pub(crate) fn after(delay: Duration, action: impl FnOnce() + Send + 'static) {
    static TIMER: LazyLock<Timer> = LazyLock::new(|| {
        wall::spawn("labrpc timer", || keep_time(&TIMER));
        Timer::default()
    });
    let timer = &*TIMER;
    let thread = context::real();
    let at = wall::now() + delay.as_nanos() as u64;
    let key = (at, timer.registered.fetch_add(1, Relaxed));
    let job: Job = Box::new(move || run_job(thread, action));
    timer.jobs.lock().unwrap_or_else(PoisonError::into_inner).insert(key, job);
    timer.changed.notify_one();
}

/// The life of the timer's thread.
fn keep_time(timer: &Timer) {
    let mut jobs = timer.jobs.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let now = wall::now();
        match jobs.first_key_value().map(|((at, _), _)| *at) {
            Some(at) if at <= now => {
                let job = jobs.pop_first();
                drop(jobs);
                job.into_iter().for_each(|(_, job)| job());
                jobs = timer.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            }
            Some(at) => {
                let left = Duration::from_nanos(at - now);
                let waited = timer.changed.wait_timeout(jobs, left);
                jobs = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            None => jobs = timer.changed.wait(jobs).unwrap_or_else(PoisonError::into_inner),
        }
    }
}

/// Threads that have finished a job and wait for the next one. Handlers may block for as long as
/// they like, so the pool grows whenever nobody is idle.
#[derive(Default)]
struct Pool {
    state: Mutex<PoolState>,
    arrived: Condvar,
}

/// What the pool's lock guards.
#[derive(Default)]
struct PoolState {
    jobs: VecDeque<Job>,
    idle: usize,
}

/// Runs `job` on a thread of its own as part of the caller's run, on `node`. A panic in it fails the
/// run.
pub(crate) fn spawn(node: NodeId, job: impl FnOnce() + Send + 'static) {
    static POOL: LazyLock<Pool> = LazyLock::new(Pool::default);
    let pool = &*POOL;
    let thread = context::real().map(|thread| RealThread { node, ..thread });
    let job: Job = Box::new(move || run_job(thread, job));
    let mut state = pool.state.lock().unwrap_or_else(PoisonError::into_inner);
    state.jobs.push_back(job);
    if state.idle >= state.jobs.len() {
        drop(state);
        pool.arrived.notify_one();
    } else {
        drop(state);
        wall::spawn("labrpc", move || work(pool));
    }
}

/// The life of a thread of the pool.
fn work(pool: &Pool) {
    let mut state = pool.state.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(job) = state.jobs.pop_front() {
            drop(state);
            job();
            state = pool.state.lock().unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        state.idle += 1;
        state = pool.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.idle -= 1;
    }
}

/// Runs a job as part of the run that started it.
fn run_job(thread: Option<RealThread>, job: impl FnOnce()) {
    let world = thread.as_ref().map(|thread| Arc::clone(&thread.world));
    context::enter_real(thread);
    if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(job))
        && !payload.is::<Over>()
        && let Some(world) = world
    {
        world.fail(panic_message(&*payload));
    }
    context::enter_real(None);
}

/// The text of a panic.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a task panicked".to_string())
}
