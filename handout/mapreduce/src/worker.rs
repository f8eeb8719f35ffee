//! A worker: asks the coordinator for tasks and runs them (§3.1).

use std::{fmt, io, path::PathBuf};

use labrpc::{ClientEnd, your_code_here};
// In place of the threads and clocks of `std`.
#[allow(unused_imports, reason = "you will need them all, but not on the first day")]
use labrpc::{Instant, RpcError, sleep, spawn};
use tempfile::TempPath;

use crate::given::files::Scratch;
use crate::{App, Split, WorkerError};

/// What a worker process is started with.
pub struct Worker {
    /// The map and reduce functions.
    pub app: Box<dyn App>,
    /// The app's name, and its arguments.
    pub app_name: Vec<String>,
    /// Reaches the coordinator: `call("Coordinator.Ask", ...)`.
    pub coordinator: ClientEnd,
    /// The number of tasks to run at the same time.
    pub slots: u32,
    /// Whether combiners may be used (§4.3).
    pub combine: bool,
    /// Where the job runs.
    pub directory: PathBuf,
}

impl Worker {
    /// Asks for tasks and runs them until the job is over, in as many tasks of `labrpc::spawn` as
    /// there are slots.
    ///
    /// A worker that cannot reach the coordinator tries again for about two seconds: it may not
    /// have started yet. After that the job may be over, or the coordinator may be dead.
    ///
    /// A panic of the app must not end the worker: see `std::panic::catch_unwind`.
    ///
    /// # Errors
    /// If the worker leaves and does not know that the job is done.
    pub fn run(self) -> Result<(), WorkerError> {
        your_code_here("Worker::run", self)
    }

    /// Runs a map task, and returns one file for each reduce task. `Emitter` does the partitioning
    /// and sorting (§3.1, steps 3 and 4). The files have temporary names, and a `TempPath` that is
    /// dropped removes its file.
    #[allow(dead_code, reason = "Worker::run will call it")]
    fn map(&self, files: &Scratch, input: &Split, reduces: u32) -> io::Result<Vec<TempPath>> {
        your_code_here("Worker::map", (self, files, input, reduces))
    }

    /// Runs a reduce task, and returns its output (§3.1, steps 5 and 6). `Merge` reads the files of
    /// all map tasks in the order of the keys. The output has one line for each key: the key, a
    /// space, the result.
    #[allow(dead_code, reason = "Worker::run will call it")]
    fn reduce(&self, files: &Scratch, number: u32, maps: u32) -> io::Result<TempPath> {
        your_code_here("Worker::reduce", (self, files, number, maps))
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "worker of {}", self.app_name.join(" "))
    }
}
