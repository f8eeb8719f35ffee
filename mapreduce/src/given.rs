//! What is not the subject of the lab: the programs and their command lines, the apps, splitting,
//! grouping and merging, and the files of a job. The coordinator, the worker, and what they say to
//! each other are in the files beside this one.
//!
//! These files depend on the others only through public items of the crate, so a later release can
//! replace them: the programs use [`Coordinator`](crate::Coordinator) with the methods `new`, `open`,
//! `service`, `status`, `missing_workers`, `wait`, `finish`, `cancel` and `release`, the fields of
//! [`JobStatus`](crate::JobStatus), [`GivenUp`](crate::GivenUp) as text,
//! [`TASK_TIMEOUT`](crate::TASK_TIMEOUT), and [`Worker`](crate::Worker) with its fields and `run`.

#![allow(dead_code, reason = "a solution need not use all that is given")]

pub mod apps;
pub mod command;
pub mod sequential;

pub(crate) mod app;
pub(crate) mod descriptors;
pub(crate) mod directory;
pub(crate) mod emitter;
pub(crate) mod files;
pub(crate) mod groups;
pub(crate) mod lock_file;
pub(crate) mod log_lines;
pub(crate) mod merge;
pub(crate) mod message;
pub(crate) mod partition;
pub(crate) mod run_file;
pub(crate) mod split;
pub(crate) mod values;
pub(crate) mod worker_error;
