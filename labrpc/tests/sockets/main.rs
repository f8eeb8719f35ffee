//! labrpc over sockets, between threads of one process and between processes.

mod calls;
mod fixture;
mod greedy;
mod hostile;
#[path = "../program/itself.rs"]
mod itself;
mod limits;
mod processes;
mod shutdown;
