//! The grading tests of the primary/backup service: the lecture's three cases under their names,
//! and ours.

mod catch_up;
mod cluster;
mod election;
mod group_commit;
mod late;
mod majority;
mod office;
mod old_epochs;
mod repair;
mod restart;
mod service;
mod stop;
mod workload;
