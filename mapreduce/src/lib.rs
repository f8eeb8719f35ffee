//! MapReduce on real processes (Dean and Ghemawat, "MapReduce: Simplified Data Processing on Large
//! Clusters"; `§` always means a section of it).
//!
//! A user writes two functions, map and reduce. The coordinator cuts the input into splits, and
//! hands out a map task for each of them and then the reduce tasks. Workers are processes of their
//! own; any of them may crash or stall at any moment, and its task is given to another one.
//!
//! ```
//! use std::time::Duration;
//! use labrpc::socket::{self, Address, Options};
//! use labrpc::{Server, spawn};
//! use mapreduce::{Coordinator, TASK_TIMEOUT, Worker, apps, cut};
//!
//! let directory = tempfile::tempdir_in("/tmp")?; // The path of a socket is short.
//! let input = directory.path().join("input.txt");
//! std::fs::write(&input, "to be or not to be\n")?;
//!
//! // The process mrcoordinator.
//! let splits = cut(&[input.display().to_string()], 16 << 20)?;
//! let coordinator = Coordinator::new(splits, 2, TASK_TIMEOUT, directory.path());
//! let address = Address::Unix(directory.path().join("mr.sock"));
//! let listener = socket::listen(&address, Server::new().with(coordinator.service()))?;
//! coordinator.open()?;
//!
//! // The process mrworker, of which there may be any number.
//! let worker = Worker {
//!     app: apps::find("wc", &mut Vec::new())?,
//!     coordinator: socket::connect(&address, Options::default()),
//!     slots: 1,
//!     combine: true,
//!     directory: directory.path().into(),
//! };
//! let worker = spawn(move || worker.run());
//!
//! // The coordinator again.
//! let result = coordinator.wait(Duration::from_secs(60));
//! assert_eq!(result, Some(Ok(())));
//! coordinator.say_farewell()?;
//! assert_eq!(worker.join(), Ok(Ok(())));
//! listener.shutdown();
//! let outputs = (0..2).map(|y| std::fs::read_to_string(directory.path().join(format!("mr-out-{y}"))));
//! let outputs = outputs.collect::<Result<String, _>>()?;
//! assert_eq!(outputs.lines().filter(|line| *line == "to 2" || *line == "not 1").count(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Figure 1
//!
//! ```text
//!                          mrcoordinator
//!                       (2) |  assign  | (2)
//!                    +------+          +-------+
//!                    v                         v
//!  input files    mrworker                  mrworker     outputs
//!                  map X                    reduce Y
//!  split 0  --+                              +------->  mr-out-0
//!  split 1  --+--> (3) read                  |
//!  split 2  --+        App::map              |
//!   ...                (4) write   mr-X-Y    |
//!                          sorted ---------> (5) merge
//!                          runs              App::reduce
//!                                            (6) write ->  mr-out-1
//! ```
//!
//! | Figure 1 and §3.1 | the code is |
//! |---|---|
//! | (1) the input is cut into splits of 16 to 64 MB | [`cut`] |
//! | (2) the master assigns tasks to idle workers | [`coordinator::Coordinator::handle_ask`], [`coordinator::table::TaskTable::ask`] |
//! | (3) a worker parses its split and calls Map | [`worker::Worker::map`], [`App::map`] |
//! | (4) pairs are buffered, partitioned and written to local disk | [`Emitter`], [`groups::Groups`], [`partition::partition`], [`run_file`] |
//! | (5) a reduce worker reads and sorts, here by merging sorted runs | [`merge::Merge`] |
//! | (6) Reduce is called for each key, its output appended to a file | [`worker::Worker::reduce`], [`App::reduce`] |
//! | (7) when all is done, the master wakes up the user | [`Coordinator::wait`] |
//! | §3.3 workers that fail; atomic commits of outputs | [`coordinator::table::TaskTable::expire`], [`coordinator::Coordinator::commit`] |
//! | §4.3 combiner | [`App::combiner`] |
//!
//! # What differs from the paper, and what is left out
//!
//! * All processes share one directory, as in the course. There is no locality to schedule for
//!   (§3.4).
//! * Workers never rename results: the coordinator does, for the first attempt of a task that
//!   reports, map or reduce. A slow duplicate, or a worker of an earlier job, can damage nothing.
//! * A task that fails the same way on several workers ends the job with its cause; the paper would
//!   skip the record (§4.6). One that kills its worker outright is tried for ever.
//! * No backup tasks before the timeout (§3.6), no counters (§4.9). The coordinator keeps no
//!   checkpoint: a new job in a directory removes the files of the last one and starts afresh; an
//!   interrupted one removes its own.
//! * Files are renamed without being synced: they survive the death of any process, though not that
//!   of the machine.

#![allow(rustdoc::private_intra_doc_links, reason = "the documentation shows private parts too")]

pub mod apps;
pub mod command;
pub mod sequential;

mod app;
mod coordinator;
mod emitter;
mod files;
mod groups;
mod merge;
mod partition;
mod rpc;
mod run_file;
mod split;
mod values;
mod worker;

pub use crate::app::{App, Combiner};
pub use crate::coordinator::{Coordinator, GivenUp, Progress, TASK_TIMEOUT};
pub use crate::emitter::Emitter;
pub use crate::split::{DEFAULT_SPLIT_SIZE, Split, cut};
pub use crate::values::Values;
pub use crate::worker::{Left, Worker};
