//! Tests of the checker through its public interface.

#[path = "../support/brute_force.rs"]
mod brute_force;
mod command;
mod lies;
mod limits;
mod property;
mod recorded;
#[path = "../support/synthetic.rs"]
mod synthetic;
mod window;
mod workload;
