//! The only code of the project that is `unsafe`: switching stacks, finding the simulation of a
//! thread, reading another thread's CPU clock, telling whose stack overflowed, and ending the
//! process at once.
//!
//! Each file is small, offers a safe interface, and says at every block why it is sound.

pub(crate) mod cpu_clock;
pub(crate) mod current;
pub(crate) mod exit;
pub(crate) mod fiber;
pub(crate) mod overflow;
