//! Lab 1: MapReduce.
//!
//! Build the coordinator and the workers of a MapReduce job after Dean and Ghemawat, "MapReduce:
//! Simplified Data Processing on Large Clusters" (`§` refers to it; read §3 first). Each of them is
//! a process, and all run in one directory. The guide is `mapreduce/README.md`.
//!
//! Begin with `cargo lab test wc_1`. The report names the function to write next. All of them end in
//! `your_code_here`. A good order:
//!
//! 1. `rpc.rs`: what does a worker say, and what does it need to know for a task?
//! 2. `Coordinator::handle_ask` and `Worker::run` for map tasks only, then `Worker::map`.
//! 3. Reduce tasks, `Worker::reduce`, and the end of the job: `Coordinator::wait` and `finish`.
//! 4. Workers that die, are slow, or come back from an earlier job (§3.3).
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
