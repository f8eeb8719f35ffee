//! labrpc over sockets, between threads of one process and between processes.

mod calls;
mod fixture;
mod hostile;
mod limits;
mod processes;
mod shutdown;
