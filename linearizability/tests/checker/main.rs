//! Tests of the checker through its public interface.

mod command;
mod lies;
mod limits;
mod property;
mod recorded;
mod window;
mod workload;
