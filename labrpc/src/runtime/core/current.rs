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
    // While a thread ends, destructors may still call the facade; its simulation is over then.
    let is_here = SIMULATION.try_with(|cell| cell.get().is_some()).unwrap_or(false);
    if is_here { SIMULATION.with(|cell| f(cell.get())) } else { f(None) }
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
