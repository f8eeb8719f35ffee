//! The grading tests of lab 3: those of the course under their names, and ours.
//!
//! Each part has a module; [`rsm`] has the tests of the layer between Raft and the service. Most
//! tests are a [`workload`] with some kind of faults. In all of them, every call of every client is
//! recorded, and the whole history must be linearizable.

mod cluster;
mod leaders_3a;
mod rsm;
mod service_3a;
mod snapshot_3b;
mod workload;
