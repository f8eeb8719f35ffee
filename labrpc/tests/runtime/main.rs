//! What the simulator promises, one claim per test.

mod chaos;
mod child;
mod crash;
mod deadlocks;
mod destructors;
mod divergence;
mod escape;
mod input;
#[path = "../program/itself.rs"]
mod itself;
mod keyed;
mod limits;
mod logging;
mod memory;
mod panics;
mod policies;
mod polling;
mod real;
mod replay;
mod sync;
mod watchdog;

use labrpc::{Failure, Simulation};

/// Runs `body` under a fixed seed and returns how it fails.
fn failure_of(body: impl Fn() + Send + Sync + 'static) -> Failure {
    let outcome = Simulation::new(6824).run(body);
    outcome.result.expect_err("this program must fail")
}

/// Runs `body` under a fixed seed, where it must not fail; returns what it returns.
fn value_of<T: Send + 'static>(body: impl Fn() -> T + Send + Sync + 'static) -> T {
    Simulation::new(6824).run(body).result.unwrap_or_else(|failure| panic!("{failure}"))
}
