//! The same facade on real threads and real time.

mod pool;
pub(crate) mod spin;
mod timer;

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use rand_pcg::Pcg64;

use super::context::{self, RealThread};
use super::failure::{FailureKind, panic_message};
use super::random::{Stream, stream};
use super::task::NodeId;
use super::wall;

/// Unwinds the threads of a run that is over. Not a panic: the hook is not called.
struct Over;

/// Why a run has failed.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// What kind of failure it is.
    pub(crate) kind: FailureKind,
    /// What is wrong.
    pub(crate) message: String,
    /// Where the code panicked, if it did.
    pub(crate) location: Option<String>,
}

/// Longest that a thread waits before it looks whether its run is over.
pub(crate) const SLICE: Duration = Duration::from_millis(100);

/// One run on real threads: what its threads share.
pub(crate) struct World {
    /// Tells it from the other runs of the process; they count from 1.
    number: u64,
    /// Real time at which it began.
    pub(crate) started: u64,
    /// Decides delays, losses and workloads, though not the schedule.
    pub(crate) seed: u64,
    over: AtomicBool,
    failure: Mutex<Option<Fault>>,
    nodes: Mutex<Vec<Arc<str>>>,
    generators: AtomicU64,
    /// What is left to be done at the end.
    at_end: Mutex<Vec<pool::Job>>,
}

impl World {
    /// A run that begins now.
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        static RUNS: AtomicU64 = AtomicU64::new(1);
        Arc::new(Self {
            number: RUNS.fetch_add(1, Relaxed),
            started: wall::now(),
            seed,
            over: AtomicBool::new(false),
            failure: Mutex::new(None),
            nodes: Mutex::new(vec!["test".into()]),
            generators: AtomicU64::new(0),
            at_end: Mutex::default(),
        })
    }

    /// Does something at the end of the run.
    pub(crate) fn at_end(&self, action: impl FnOnce() + Send + 'static) {
        self.at_end.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(action));
    }

    /// Ends the run: its threads unwind at their next operation.
    pub(crate) fn finish(&self) {
        self.over.store(true, Relaxed);
    }

    /// Remembers the first failure and ends the run.
    pub(crate) fn fail(&self, fault: Fault) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
        self.finish();
    }

    /// The first failure.
    pub(crate) fn failure(&self) -> Option<Fault> {
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
    let is_over =
        context::with_real(|thread| thread.is_some_and(|thread| thread.world.over.load(Relaxed)));
    if is_over && !std::thread::panicking() {
        panic::resume_unwind(Box::new(Over));
    }
}

/// Real nanoseconds since the run began, or since the process first asked.
pub(crate) fn now() -> u64 {
    let started = context::with_real(|thread| thread.map_or(0, |thread| thread.world.started));
    wall::now() - started
}

/// Sleeps, but no longer than the run lasts.
pub(crate) fn sleep(duration: Duration) {
    let until = later(duration);
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
    context::with_real(|thread| thread.map_or(NodeId::TEST, |thread| thread.node))
}

/// Calls `f` with the calling thread's generator.
pub(crate) fn with_rng<R>(f: impl FnOnce(&mut Pcg64) -> R) -> R {
    thread_local! {
        /// The generator, and the number of the run that it was made for.
        static RNG: RefCell<Option<(u64, Pcg64)>> = const { RefCell::new(None) };
    }
    let run = context::with_real(|thread| thread.map_or(0, |thread| thread.world.number));
    RNG.with_borrow_mut(|known| {
        if known.as_ref().is_none_or(|(made_for, _)| *made_for != run) {
            *known = Some((run, context::with_real(fresh_rng)));
        }
        let (_, rng) = known.as_mut().expect("made above if it was not there");
        f(rng)
    })
}

/// A generator for a thread: seeded from its run and the order in which the run's threads first
/// drew a number.
fn fresh_rng(thread: Option<&RealThread>) -> Pcg64 {
    let Some(RealThread { world, .. }) = thread else {
        return stream(wall::entropy(), Stream::User);
    };
    let mut base = stream(world.seed, Stream::User);
    base.advance(u128::from(world.generators.fetch_add(1, Relaxed)) << 64);
    base
}

/// Runs `body` and waits for its end, for a failure, or for the time limit.
pub(crate) fn run<T: Send + 'static>(
    seed: u64,
    time_limit: Duration,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let world = World::new(seed);
    let (sender, receiver) = mpsc::sync_channel(1);
    let outer =
        context::enter_real(Some(RealThread { world: Arc::clone(&world), node: NodeId::TEST }));
    spawn(NodeId::TEST, move || {
        sender.send(body()).ok(); // Nobody waits any more if the run has failed.
    });
    context::enter_real(outer);
    let deadline = later(time_limit);
    let result = loop {
        let received = receiver.recv_timeout(SLICE / 10);
        if let Some(fault) = world.failure() {
            break Err(fault);
        }
        if let Ok(value) = received {
            break Ok(value);
        }
        if wall::now() > deadline {
            let message = format!("took longer than the limit of {} s", time_limit.as_secs_f64());
            break Err(Fault { kind: FailureKind::TimeLimit, message, location: None });
        }
    };
    world.finish();
    let at_end = std::mem::take(&mut *world.at_end.lock().unwrap_or_else(PoisonError::into_inner));
    at_end.into_iter().for_each(|action| action());
    result
}

/// Runs `action` after a delay as part of the caller's run. It must not wait.
pub(crate) fn after(delay: Duration, action: impl FnOnce() + Send + 'static) {
    let thread = context::real();
    timer::run_at(later(delay), Box::new(move || run_job(thread, action)));
}

/// Runs `job` on a thread of its own as part of the caller's run, on `node`. A panic in it fails
/// the run.
pub(crate) fn spawn(node: NodeId, job: impl FnOnce() + Send + 'static) {
    let thread = context::real().map(|thread| RealThread { node, ..thread });
    pool::run(Box::new(move || run_job(thread, job)));
}

/// The real time at which a delay that begins now ends.
fn later(delay: Duration) -> u64 {
    wall::now().saturating_add(u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX))
}

/// Runs a job as part of the run that started it.
fn run_job(thread: Option<RealThread>, job: impl FnOnce()) {
    let world = thread.as_ref().map(|thread| Arc::clone(&thread.world));
    context::enter_real(thread);
    if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(job))
        && !payload.is::<Over>()
        && let Some(world) = world
    {
        let (message, location) = (panic_message(&*payload), PANICKED_AT.take());
        world.fail(Fault { kind: FailureKind::Panic, message, location });
    }
    context::enter_real(None);
}

thread_local! {
    /// Where the calling thread has panicked, until its run is told.
    static PANICKED_AT: Cell<Option<String>> = const { Cell::new(None) };
}

/// The calling thread panics: remembers where, for the report.
pub(crate) fn note_panic(info: &PanicHookInfo<'_>) {
    PANICKED_AT.set(info.location().map(ToString::to_string));
}
