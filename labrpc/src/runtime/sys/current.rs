//! The simulation of this thread, which has it for its whole life. Every other thread is of the
//! real world.

use std::cell::OnceCell;

use super::Core;

thread_local! {
    /// The simulation that runs on this thread.
    static SIMULATION: OnceCell<Core> = const { OnceCell::new() };
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
