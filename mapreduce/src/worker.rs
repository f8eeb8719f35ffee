//! The worker: asks for a task, runs it, reports.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use labrpc::{ClientEnd, Instant, RpcError, sleep, spawn};
use log::info;
use tempfile::TempPath;

use crate::given::app::App;
use crate::given::descriptors;
use crate::given::emitter::{Emitter, MEMORY, Settings};
use crate::given::files::{self, Scratch};
use crate::given::lock_file::LockFile;
use crate::given::merge::Merge;
use crate::given::message::foreign;
use crate::given::split::Split;
use crate::given::worker_error::{VERSION, WorkerError};
use crate::rpc::{
    ASK, Ask, Assignment, Input, JobInfo, Outcome, REPORT, Report, ReportReply, Task, TaskId,
    WorkerId,
};

/// How long the coordinator may be unreachable before a worker leaves. At the start this is the
/// time that it has to come up.
const PATIENCE: Duration = Duration::from_secs(2);

/// Pause between two attempts to reach it.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// A worker process.
pub struct Worker {
    /// What it runs.
    pub app: Box<dyn App>,
    /// The name of the app and its arguments. All workers of a job have the same.
    pub app_name: Vec<String>,
    /// The way to the coordinator.
    pub coordinator: ClientEnd,
    /// Tasks to run at once.
    pub slots: u32,
    /// Whether to use the app's combiner, if it has one.
    pub combine: bool,
    /// The coordinator's directory.
    pub directory: PathBuf,
}

impl Worker {
    /// Runs tasks until the job is done.
    ///
    /// # Errors
    /// If the worker leaves for another reason.
    pub fn run(self) -> Result<(), WorkerError> {
        let worker = Arc::new(self);
        let slots: Vec<_> = (0..worker.slots)
            .map(|slot| {
                let worker = Arc::clone(&worker);
                spawn(move || worker.run_slot(WorkerId { process: std::process::id(), slot }))
            })
            .collect();
        let join = |slot: labrpc::JoinHandle<_>| slot.join().expect("a slot survives its tasks");
        slots.into_iter().map(join).fold(Ok(()), Result::and)
    }

    /// Runs one task after the other.
    fn run_slot(&self, id: WorkerId) -> Result<(), WorkerError> {
        let mut last_contact = Instant::now();
        let mut joined: Option<JobInfo> = None;
        loop {
            match self.ask(id, joined) {
                Ok(Assignment::Join(info)) if LockFile::is_for(&self.directory, info.job) => {
                    joined = Some(info);
                }
                Ok(Assignment::Join(_)) => return Err(WorkerError::OtherDirectory),
                Ok(Assignment::Run(task)) => self.run_task(id, joined, &task),
                Ok(Assignment::Wait) => {}
                Ok(Assignment::Done) => return Ok(()),
                Ok(Assignment::GivenUp) => return Err(WorkerError::GivenUp),
                Ok(Assignment::Cancelled) => return Err(WorkerError::Cancelled),
                Ok(Assignment::OtherJob) => return Err(WorkerError::OtherJob),
                Ok(Assignment::OtherVersion(version)) => {
                    return Err(WorkerError::OtherVersion(foreign(&version)));
                }
                Ok(Assignment::OtherApp(app)) => {
                    return Err(WorkerError::OtherApp(foreign(&app.join(" "))));
                }
                Err(RpcError::NoSuchMethod | RpcError::Unreadable) => {
                    return Err(WorkerError::NotUnderstood);
                }
                Err(_) if last_contact.elapsed() < PATIENCE => {
                    sleep(RETRY_INTERVAL);
                    continue;
                }
                Err(error) => return self.leave(joined, error),
            }
            last_contact = Instant::now();
        }
    }

    /// Asks for a task.
    fn ask(&self, worker: WorkerId, joined: Option<JobInfo>) -> Result<Assignment, RpcError> {
        let (version, app) = (VERSION.to_string(), self.app_name.clone());
        let job = joined.map(|info| info.job);
        self.coordinator.call(ASK, &Ask { version, worker, app, job })
    }

    /// The coordinator cannot be reached any more. If all outputs are there, the job was done while
    /// this worker was busy, or its process was stopped.
    fn leave(&self, joined: Option<JobInfo>, error: RpcError) -> Result<(), WorkerError> {
        let is_missing = |name: &String| !self.directory.join(name).exists();
        let missing = joined.map(|info| (0..info.reduces).map(files::output).find(is_missing));
        match (missing, error) {
            (Some(None), _) => Ok(()),
            (_, RpcError::TimedOut) => Err(WorkerError::CoordinatorSilent),
            (_, RpcError::Lost) => Err(WorkerError::NotServed),
            (Some(Some(missing)), _) => Err(WorkerError::CoordinatorGone(missing)),
            (None, _) => Err(WorkerError::NoCoordinator),
        }
    }

    /// Runs a task and reports.
    fn run_task(&self, worker: WorkerId, joined: Option<JobInfo>, task: &Task) {
        let info = joined.expect("a coordinator gives tasks to workers that have joined its job");
        let results = self.attempt(info, task);
        let outcome = match &results {
            Ok(results) => Outcome::Finished(results.iter().map(|path| name(path)).collect()),
            Err(cause) => Outcome::Failed(foreign(cause)),
        };
        let report = Report { job: info.job, worker, attempt: task.attempt, outcome };
        match self.report(&report) {
            Ok(reply) => info!("{worker} has run {}: {reply:?}", task.attempt.task),
            Err(error) => info!("{worker} cannot report {}: {error}", task.attempt.task),
        }
        // What the coordinator has not renamed is removed here.
        drop(results);
    }

    /// Reports, also when the connection is lost just then: the coordinator ignores what it has
    /// heard before.
    fn report(&self, report: &Report) -> Result<ReportReply, RpcError> {
        let began = Instant::now();
        loop {
            match self.coordinator.call(REPORT, report) {
                Err(RpcError::Lost | RpcError::Unreachable | RpcError::TimedOut)
                    if began.elapsed() < PATIENCE =>
                {
                    sleep(RETRY_INTERVAL);
                }
                result => return result,
            }
        }
    }

    /// Runs a task; a panic of the app is a failure like any other.
    fn attempt(&self, info: JobInfo, task: &Task) -> Result<Vec<TempPath>, String> {
        let open_files = descriptors::per_task(self.slots);
        let scratch = Scratch::new(&self.directory, info.job, open_files);
        let run = || match (&task.input, task.attempt.task) {
            (Input::Split(split), _) => self.map(split, info.reduces, &scratch),
            (Input::Intermediate { maps }, TaskId::Reduce(reduce)) => {
                self.reduce(reduce, *maps, &scratch)
            }
            (input, task) => panic!("{task} got {input:?}"),
        };
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(payload) => {
                let text = payload.downcast_ref::<&str>().map(ToString::to_string);
                let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
                Err(format!("panic: {}", text.unwrap_or_default()))
            }
        }
    }

    /// A map task: one sorted run for each reduce task.
    fn map(&self, split: &Split, reduces: u32, scratch: &Scratch) -> io::Result<Vec<TempPath>> {
        let mut out = Emitter::new(Settings {
            partitions: reduces,
            combiner: self.app.combiner().filter(|_| self.combine),
            memory: MEMORY / self.slots as usize,
            scratch,
        });
        let contents = split.read()?;
        self.app.map(&split.file, &contents, &mut out);
        drop(contents);
        out.into_files()
    }

    /// A reduce task: merges a run of each map task and reduces key after key.
    fn reduce(&self, reduce: u32, maps: u32, scratch: &Scratch) -> io::Result<Vec<TempPath>> {
        let runs = (0..maps).map(|map| self.directory.join(files::intermediate(map, reduce)));
        let (file, path) = scratch.create()?.into_parts();
        let mut output = BufWriter::new(file);
        Merge::open(runs.collect(), scratch)?
            .for_each(|key, values| writeln!(output, "{key} {}", self.app.reduce(key, values)))?;
        output.flush()?;
        Ok(vec![path])
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("coordinator", &self.coordinator).finish_non_exhaustive()
    }
}

/// The name of an unfinished file, without its directory.
fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
