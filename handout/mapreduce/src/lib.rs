//! Lab 1: MapReduce.
//!
//! Build the coordinator and the workers of a MapReduce job after Dean and Ghemawat, "MapReduce:
//! Simplified Data Processing on Large Clusters" (`§` refers to it; read §3 first). Each of them is
//! a process, and all run in one directory. The guide is `mapreduce/README.md`.
//!
//! Begin with `cargo lab test wc_1`. The report names the function to write next. All of them end in
//! `your_code_here`. A good order, which the guide explains:
//!
//! 1. The table of tasks, in a file of its own and with unit tests.
//! 2. One worker without failures: `rpc.rs`, then all functions of `coordinator.rs` and `worker.rs`.
//! 3. Several workers: when does one wait, and when does it leave?
//! 4. Failures: workers that die or are slow (§3.3).
//! 5. Two jobs in one directory, with a worker of the first one.
//!
//! | file | given | to be written |
//! |---|---|---|
//! | `coordinator.rs` | the lock, the service | which task goes to which worker, and when the job is over |
//! | `worker.rs` | the fields | the loop, the two kinds of tasks |
//! | `rpc.rs` | the names of the messages | their fields |
//! | `given/` | the programs and apps, splitting, sorting, merging, the names of files | nothing |
//!
//! Worth reading in `given/`: `directory.rs`, which renames files for the coordinator;
//! `emitter.rs` and `merge.rs`, which sort; `files.rs` for `Scratch` and the names of files; and
//! `bin/mrcoordinator.rs`, which shows in which order your functions are called.
//!
//! The public items are the interface that the programs use: do not change them. Everything else is
//! a proposal.

mod coordinator;
mod given;
mod rpc;
mod worker;

pub use crate::coordinator::{Coordinator, GivenUp, JobStatus, TASK_TIMEOUT};
pub use crate::given::app::{App, Combiner};
pub use crate::given::directory::{Claim, JobDirectory};
pub use crate::given::emitter::Emitter;
pub use crate::given::split::{DEFAULT_SPLIT_SIZE, Split, cut};
pub use crate::given::values::Values;
pub use crate::given::worker_error::WorkerError;
pub use crate::given::{apps, command, sequential};
pub use crate::worker::Worker;
