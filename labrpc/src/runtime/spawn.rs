//! How tasks are started and joined.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::core::Core;
use super::oneshot::OneShot;
use super::real;
use super::real::run::check_over;
use super::sys::current::dispatch;
use super::task::{NodeId, Wait};

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

/// Tells the joining task how a task has ended, also if it was killed.
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
        self.0.wait(Wait::Join, site, None).unwrap_or(Err(TaskDied))
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        dispatch(|core| core.map(Core::charge));
        self.0.is_there()
    }
}
