//! The grading tests of lab 4B: those of the course under their names, and ours.
//!
//! In all of them, every call of every client is recorded, and the whole history must be
//! linearizable.

mod challenge_4b;
mod cluster;
mod concurrent_4b;
mod corners_4b;
mod data;
mod late_4b;
mod many_groups_4b;
mod migration_4b;
mod ownership_4b;
mod ownership_monitor;
mod progress_4b;
mod unreliable_4b;
