//! The simulation of this thread, which has it for its whole life. Every other thread is of the
//! real world.
//!
//! Each operation looks it up several times. A thread-local value with a destructor would be asked
//! each time whether it is still there, so what is looked up is a pointer to it.

#![allow(unsafe_code, reason = "the simulation is reached through a pointer, see `dispatch`")]

use std::cell::{Cell, OnceCell};
use std::ptr;

use crate::runtime::core::Core;

thread_local! {
    /// The value of `OWNER`, null before it is set and once it is dropped.
    static SIMULATION: Cell<*const Core> = const { Cell::new(ptr::null()) };
    /// Owns the simulation that runs on this thread.
    static OWNER: OnceCell<Owner> = const { OnceCell::new() };
}

/// The simulation of a thread. While the thread ends, destructors may still call the facade; its
/// simulation is over then.
struct Owner(Core);

impl Drop for Owner {
    fn drop(&mut self) {
        SIMULATION.set(ptr::null());
    }
}

/// Makes this thread a simulation's, for the rest of its life.
pub(crate) fn enter_simulation(core: Core) {
    OWNER.with(|owner| {
        assert!(owner.get().is_none(), "each simulation has a thread of its own");
        SIMULATION.set(&raw const owner.get_or_init(|| Owner(core)).0);
    });
}

/// Calls `f` with the simulation of this thread, or with `None` in the real world.
pub(crate) fn dispatch<R>(f: impl FnOnce(Option<&Core>) -> R) -> R {
    let simulation = SIMULATION.get();
    // SAFETY: a non-null SIMULATION points into OWNER of the same thread, which stays where it is and
    // is never changed until the thread ends. Only its destructor takes the simulation away, after
    // every call of `f` has returned, and sets SIMULATION to null before.
    f(unsafe { simulation.as_ref() })
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
