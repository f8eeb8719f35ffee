//! The grading tests of lab 2: those of the course, and ours.
//!
//! Each part has a module. All of them tell their stories with a [`cluster::RaftCluster`], and in
//! all of them [`ledger`] watches every leader and every command that is applied.

mod acknowledged_2c;
mod cluster;
mod command;
mod election_2a;
mod ledger;
mod load_2b;
mod log_2b;
mod overdue_2c;
mod overtaken_2d;
mod persist_2c;
mod safety_2b;
mod server;
mod snapshot_2d;
mod succession_2a;
mod succession_2b;
