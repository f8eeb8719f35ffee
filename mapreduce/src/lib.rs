//! MapReduce on real processes (Dean and Ghemawat, "MapReduce: Simplified Data Processing on Large
//! Clusters"; `§` always means a section of it).
//!
//! A user writes two functions, map and reduce. The coordinator cuts the input into splits, hands
//! out a map task for each split, and then hands out the reduce tasks. Each worker is a process of
//! its own. Any worker may crash or stall at any moment; its task is then given to another one.
//!
//! ```
//! use std::time::Duration;
//! use labrpc::socket::{self, Address, Options};
//! use labrpc::{Server, spawn};
//! use mapreduce::{Claim, Coordinator, JobDirectory, TASK_TIMEOUT, Worker, apps, cut};
//!
//! let directory = tempfile::tempdir_in("/tmp")?; // The path of a socket is short.
//! let input = directory.path().join("input.txt");
//! std::fs::write(&input, "to be or not to be\n")?;
//!
//! // The process mrcoordinator.
//! let splits = cut(&[input.display().to_string()], 16 << 20)?;
//! let claim = Claim { inputs: &splits, maps: 1, reduces: 2, socket: None, replace: false };
//! let claimed = JobDirectory::claim(directory.path(), &claim)?;
//! let coordinator = Coordinator::new(splits, 2, TASK_TIMEOUT, claimed);
//! let address = Address::Unix(directory.path().join("mr.sock"));
//! let listener = socket::listen(&address, Server::new().with(coordinator.service()))?;
//! coordinator.open()?;
//!
//! // The process mrworker. There may be any number of them.
//! let worker = Worker {
//!     app: apps::find("wc", &mut Vec::new())?,
//!     app_name: vec!["wc".to_string()],
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
//! coordinator.finish()?;
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
//! | (4) pairs are buffered, partitioned and written to local disk | [`Emitter`], [`given::groups::Groups`], [`given::partition::partition`], [`given::run_file`] |
//! | (5) a reduce worker reads and sorts, here by merging sorted runs | [`given::merge::Merge`] |
//! | (6) Reduce is called for each key, its output appended to a file | [`worker::Worker::reduce`], [`App::reduce`] |
//! | (7) when all is done, the master wakes up the user | [`Coordinator::wait`] |
//! | §3.3 workers that fail; atomic commits of outputs | [`coordinator::table::TaskTable::expire`], [`coordinator::Coordinator::commit`], [`JobDirectory`] |
//! | §4.3 combiner | [`App::combiner`] |
//!
//! # Files
//!
//! A job runs in a directory, and all its files are there:
//!
//! | name | what it is |
//! |---|---|
//! | `mr-out-Y` | the output of reduce task Y |
//! | `mr-X-Y` | what map task X has made for reduce task Y |
//! | `mr-tmp-JOB-*` | a file that a worker is writing |
//! | `mr.lock` | the lock of the directory, with the number of the job |
//! | `mr.sock` | the coordinator's socket, unless it listens elsewhere |
//!
//! * One job at a time runs in a directory: [`JobDirectory::claim`] locks it. The lock ends with its
//!   process. A lock file or socket that a killed process has left is replaced.
//! * A job does not begin if an input, or a file that it has not made, has the name of one of its
//!   files. With `--replace` it first removes such files, but never an input.
//! * A file that appears under such a name while the job runs is not overwritten: the job fails.
//! * A job that fails or is interrupted removes the files that it has made. One that was killed
//!   leaves them.
//! * Workers of one job run the same app with the same arguments, in the same version and directory.
//!   Other workers are told why they cannot join, and leave.
//!
//! # What differs from the paper, and what is left out
//!
//! * All processes share one directory, as in the course. There is no locality to schedule for
//!   (§3.4).
//! * Workers never rename results. The coordinator renames those of the first attempt of a task that
//!   reports, map or reduce. A slow duplicate or a worker of an earlier job cannot damage a file.
//! * A task that fails in the same way on several workers ends the job with its cause. The paper
//!   would skip the record (§4.6). A task that kills its worker is tried again forever.
//! * There are no backup tasks before the timeout (§3.6), and no counters (§4.9). The coordinator
//!   writes no checkpoints: if it fails, the job is run again (§3.3).
//! * Files are renamed without being synced: they survive a crash of any process, but not of the
//!   machine.

#![allow(rustdoc::private_intra_doc_links, reason = "the documentation shows private parts too")]

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
