//! How a call of the facade finds the world that it belongs to: a thread-local.
//!
//! A simulation's thread has a [`Core`] for its whole life. Every other thread is of the real world
//! and, if a run started it, knows that run.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use super::core::Core;
use super::real::World;
use super::task::NodeId;

thread_local! {
    /// The simulation that runs on this thread.
    static SIMULATION: OnceCell<Core> = const { OnceCell::new() };
    /// The run on real threads that this thread belongs to.
    static REAL: RefCell<Option<RealThread>> = const { RefCell::new(None) };
}

/// A thread of a run on real threads.
#[derive(Clone)]
pub(crate) struct RealThread {
    /// The run.
    pub(crate) world: Arc<World>,
    /// The node that the thread works for.
    pub(crate) node: NodeId,
}

/// Makes this thread a simulation's, for the rest of its life.
pub(crate) fn enter_simulation(core: Core) {
    let fresh = SIMULATION.with(|cell| cell.set(core).is_ok());
    assert!(fresh, "each simulation has a thread of its own");
}

/// Calls `f` with the simulation of this thread, or with `None` in the real world.
pub(crate) fn dispatch<R>(f: impl FnOnce(Option<&Core>) -> R) -> R {
    let mut f = Some(f);
    let mut call = |core: Option<&Core>| f.take().map(|f| f(core));
    // While a thread ends, destructors may still call the facade; its simulation is over then.
    let result = SIMULATION.try_with(|cell| call(cell.get())).ok().flatten();
    result.or_else(|| call(None)).expect("one of the two has called it")
}

/// Calls `f` with the simulation of this thread.
///
/// # Panics
/// Outside a simulation.
pub(crate) fn with_core<R>(f: impl FnOnce(&Core) -> R) -> R {
    dispatch(|core| f(core.expect("called on a simulation's thread")))
}

/// Whether a simulation runs on this thread.
pub(crate) fn in_simulation() -> bool {
    dispatch(|core| core.is_some())
}

/// Makes this thread part of a run on real threads, or of none; returns what it was part of.
pub(crate) fn enter_real(thread: Option<RealThread>) -> Option<RealThread> {
    REAL.replace(thread)
}

/// Calls `f` with what this thread knows of the run on real threads that it belongs to.
pub(crate) fn with_real<R>(f: impl FnOnce(Option<&RealThread>) -> R) -> R {
    REAL.with_borrow(|thread| f(thread.as_ref()))
}

/// The run on real threads that this thread belongs to.
pub(crate) fn real() -> Option<RealThread> {
    REAL.with_borrow(Clone::clone)
}
