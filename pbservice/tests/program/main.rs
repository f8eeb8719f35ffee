//! The program as its users know it: the lecture's cases with five processes, sockets, files and
//! `kill -9`, and what happens when it is used wrongly or its world does not play along.
//!
//! Each test has its own directories and ports, so they run in parallel.

mod clients;
mod processes;
mod real;
mod usage;
