//! The simulation of this thread, which has it for its whole life. Every other thread is of the
//! real world.
//!
//! Each operation looks the simulation up several times. A look at a thread-local value with a
//! destructor checks whether the value still exists; a look at a pointer needs no check.

#![allow(unsafe_code, reason = "the simulation is reached through a pointer, see `dispatch`")]

use std::cell::{Cell, OnceCell};
use std::ptr;

use crate::runtime::core::Core;
use crate::runtime::escape::RunNumber;

thread_local! {
    /// Points to the simulation in `OWNER`; null before there is one, and from the moment at which
    /// it begins to be dropped. Constant-initialised and without a destructor, so that destructors
    /// of other values may read it.
    static SIMULATION: Cell<*const Core> = const { Cell::new(ptr::null()) };
    /// Owns the simulation that runs on this thread.
    static OWNER: OnceCell<Owner> = const { OnceCell::new() };
}

/// The simulation of a thread.
struct Owner(Core);

impl Drop for Owner {
    /// First of all: what the simulation owns, and destructors that run later, may still call the
    /// facade, and must find no simulation.
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
    // SAFETY: a non-null SIMULATION points into OWNER of the same thread, which is set once and then
    // neither moved nor changed. `f` cannot keep the reference, since it must take one of any
    // lifetime. Only OWNER's destructor takes the simulation away, and it sets SIMULATION to null
    // first. It runs when the thread ends or ends the process. A call of `f` that has not returned by
    // then never goes on: it is in a fiber that nothing resumes any more, or below the call that ends
    // the process.
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

/// The number of the simulation that runs on this thread, if there is one.
pub(crate) fn this_run() -> RunNumber {
    dispatch(|core| core.map_or(0, |core| core.locks.run()))
}
