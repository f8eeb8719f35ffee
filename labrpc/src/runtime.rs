//! The runtime: tasks, time and randomness, in a simulation or on real threads.
//!
//! The facade is this file; the same calls work in both worlds.

mod activity;
mod core;
mod divergence;
mod failure;
mod logger;
mod node;
mod oneshot;
mod policy;
mod random;
mod real;
mod seconds;
mod settings;
mod simulation;
mod sys;
mod task;
mod time;
mod timers;
mod trace;
mod wall;
mod watchdog;

use std::convert::Infallible;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use rand::TryRng;

pub use self::failure::{Failure, FailureKind};
pub use self::node::Node;
pub use self::policy::Policy;
pub use self::settings::{Backend, Settings, SettingsError, run};
pub use self::simulation::{DEFAULT_TIME_LIMIT, Outcome, Simulation, run_real};
pub use self::sys::exit::end_process;
pub use self::time::Instant;

pub(crate) use self::core::Core;
pub(crate) use self::core::current::{dispatch, in_simulation};
pub(crate) use self::oneshot::OneShot;
pub(crate) use self::real::run::{SLICE, check_over};
pub(crate) use self::real::spin;
pub(crate) use self::task::{NodeId, Wait, Waiter};
pub(crate) use self::timers::Action;
pub(crate) use self::trace::{Kind, digest};

/// A handle to a task, with which its result can be awaited. Dropping it lets the task run on.
#[derive(Debug)]
pub struct JoinHandle<T>(Arc<OneShot<Result<T, TaskDied>>>);

/// The task was killed, or panicked, before it could return a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskDied;

impl fmt::Display for TaskDied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task died before it could return a result")
    }
}

impl std::error::Error for TaskDied {}

/// Starts a task that runs `body`, on the node of the caller. The counterpart of
/// [`std::thread::spawn`].
///
/// A panic in the task fails the whole run.
#[track_caller]
pub fn spawn<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let site = Location::caller();
    dispatch(|core| match core {
        Some(core) => {
            core.enter();
            spawn_on(Some(core), core.current_node(), site, body)
        }
        None => {
            check_over();
            spawn_on(None, real::current_node(), site, body)
        }
    })
}

/// Starts a task on `node`. In dead mode the task never runs.
pub(crate) fn spawn_on<T: Send + 'static>(
    core: Option<&Core>,
    node: NodeId,
    site: &'static Location<'static>,
    body: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let end = Arc::new(OneShot::new());
    let handle = JoinHandle(Arc::clone(&end));
    let end = EndGuard { end, result: None };
    let body = move || {
        let mut end = end;
        end.result = Some(body());
    };
    match core {
        Some(core) if core.in_task() && core.is_dead() => drop(body),
        Some(core) => drop(core.spawn(node, site, Box::new(body))),
        None => real::spawn(node, body),
    }
    handle
}

/// Starts a task on `node` whose end nobody awaits.
pub(crate) fn spawn_detached(
    core: Option<&Core>,
    node: NodeId,
    site: &'static Location<'static>,
    body: impl FnOnce() + Send + 'static,
) {
    match core {
        Some(core) => drop(core.spawn(node, site, Box::new(body))),
        None => real::spawn(node, body),
    }
}

/// Tells whoever joins a task that it has ended, however it did.
struct EndGuard<T> {
    end: Arc<OneShot<Result<T, TaskDied>>>,
    result: Option<T>,
}

impl<T> Drop for EndGuard<T> {
    fn drop(&mut self) {
        self.end.put(self.result.take().ok_or(TaskDied));
    }
}

impl<T> JoinHandle<T> {
    /// Waits for the task's result.
    ///
    /// # Errors
    /// If the task was killed by a crash of its node, or panicked.
    #[track_caller]
    pub fn join(self) -> Result<T, TaskDied> {
        let site = Location::caller();
        dispatch(|core| core.map(Core::enter));
        self.0.wait(Wait::Join, site).unwrap_or(Err(TaskDied))
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        dispatch(|core| core.map(Core::charge));
        self.0.is_there()
    }
}

/// Waits for `duration`. The counterpart of [`std::thread::sleep`].
#[track_caller]
pub fn sleep(duration: Duration) {
    let site = Location::caller();
    dispatch(|core| match core {
        Some(core) => {
            if core.enter() {
                let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
                let until = core.now().saturating_add(nanos);
                core.wait(core.waiter(), Wait::Sleep, site, Some(until));
            }
        }
        None => real::sleep(duration),
    });
}

/// Lets other tasks run. The counterpart of [`std::thread::yield_now`].
pub fn yield_now() {
    dispatch(|core| match core {
        Some(core) => {
            if core.enter() {
                core.yield_now();
            }
        }
        None => {
            check_over();
            std::thread::yield_now();
        }
    });
}

/// A source of random numbers that the run's seed decides. Use it through [`rand::RngExt`]:
/// `rng().random_range(150..300)`.
///
/// Draw `u32` or `u64`, not `usize`, whose draws differ between platforms.
pub fn rng() -> Rng {
    Rng(())
}

/// What [`rng`] returns: a handle to the run's generator.
#[derive(Clone, Copy, Debug)]
pub struct Rng(());

impl TryRng for Rng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        with_user_rng(TryRng::try_next_u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        with_user_rng(TryRng::try_next_u64)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        with_user_rng(|rng| rng.try_fill_bytes(bytes))
    }
}

/// Calls `f` with the generator of the user's stream.
fn with_user_rng<R>(f: impl FnOnce(&mut rand_pcg::Pcg64) -> R) -> R {
    dispatch(|core| match core {
        Some(core) => f(&mut core.user_rng.borrow_mut()),
        None => real::with_rng(f),
    })
}

/// Calls `f` with the generator of the network's stream.
pub(crate) fn with_network_rng<R>(f: impl FnOnce(&mut rand_pcg::Pcg64) -> R) -> R {
    dispatch(|core| match core {
        Some(core) => f(&mut core.network_rng.borrow_mut()),
        None => real::with_rng(f),
    })
}

/// Runs `action` after a delay: at a later virtual time on the scheduler's stack, or on real
/// threads on the timer's thread, at once if there is no delay. It must not wait.
pub(crate) fn after(core: Option<&Core>, nanos: u64, action: impl FnOnce() + Send + 'static) {
    match core {
        Some(core) => core.add_timer(core.now() + nanos, Action::Call(Box::new(action))),
        None if nanos == 0 => action(),
        None => real::after(Duration::from_nanos(nanos), action),
    }
}

/// Does something at the end of the run, once no task of a simulation is left; never outside runs.
pub(crate) fn at_end_of_run(action: impl FnOnce() + Send + 'static) {
    dispatch(|core| match core {
        Some(core) => core.at_end(action),
        None => drop(real::run::current().map(|member| member.run.at_end(action))),
    });
}

/// Nanoseconds since the start of the run; costs no virtual time.
pub(crate) fn now_nanos(core: Option<&Core>) -> u64 {
    core.map_or_else(real::now, Core::now)
}

/// Records a remark in the trace, where it takes part in the hash: two runs in which different
/// things are noted are different runs. A test notes what it observed.
pub fn note(text: fmt::Arguments<'_>) {
    dispatch(|core| {
        if let Some(core) = core
            && !core.is_dead()
        {
            core.record(Kind::Note, digest(text.to_string().as_bytes()), 0);
        }
    });
}

/// Runs `f`, such as a check of a long history, without the watchdog's limits on processor time.
pub fn without_watchdog<R>(f: impl FnOnce() -> R) -> R {
    dispatch(|core| match core {
        Some(core) => core.activity.excused(f),
        None => f(),
    })
}
