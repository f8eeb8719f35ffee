//! The grading tests of the primary/backup service: the lecture's three cases under their names,
//! and ours.

mod catch_up;
mod cluster;
mod election;
mod group_commit;
mod majority;
mod restart;
mod service;
mod workload;
