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

use crate::app::App;
use crate::emitter::{Emitter, MEMORY, Settings};
use crate::files::{self, Scratch};
use crate::merge::Merge;
use crate::rpc::{
    ASK, Ask, Assignment, Input, Job, Outcome, REPORT, Report, TaskId, Verdict, WorkerId,
};
use crate::split::Split;

/// How long the coordinator may be silent before a worker leaves. At the start this is the time
/// that it has to come up.
const PATIENCE: Duration = Duration::from_secs(2);

/// Pause between two attempts to reach it.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// A worker process.
pub struct Worker {
    /// What it runs.
    pub app: Box<dyn App>,
    /// The way to the coordinator.
    pub coordinator: ClientEnd,
    /// Tasks to run at once.
    pub slots: u32,
    /// Whether to use the app's combiner, if it has one.
    pub combine: bool,
    /// Where the coordinator runs, too.
    pub directory: PathBuf,
}

/// Why a worker has left without being told that the job is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The coordinator was never reached.
    NoCoordinator,
    /// The coordinator was reached, but is gone.
    CoordinatorGone,
    /// The coordinator has given up the job.
    GivenUp,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Left::NoCoordinator => "there is no coordinator: it is not up yet, or the job is over",
            Left::CoordinatorGone => "the coordinator went away before the job was done",
            Left::GivenUp => "the coordinator has given up the job",
        })
    }
}

impl std::error::Error for Left {}

impl Worker {
    /// Runs tasks until the job is done.
    ///
    /// # Errors
    /// If the worker leaves for another reason.
    pub fn run(self) -> Result<(), Left> {
        let worker = Arc::new(self);
        let slots: Vec<_> = (0..worker.slots)
            .map(|slot| {
                let worker = Arc::clone(&worker);
                spawn(move || worker.run_slot(WorkerId { process: std::process::id(), slot }))
            })
            .collect();
        let ends = slots.into_iter().map(|slot| slot.join().unwrap_or(Err(Left::CoordinatorGone)));
        ends.fold(Ok(()), Result::and)
    }

    /// Runs one task after the other.
    fn run_slot(&self, id: WorkerId) -> Result<(), Left> {
        let mut last_contact = Instant::now();
        let mut job = None;
        let mut reason = Left::NoCoordinator;
        loop {
            match self.coordinator.call(ASK, &Ask { worker: id, job }) {
                Ok(Assignment::Run(task)) => {
                    job = Some(task.job);
                    self.run_task(id, &task);
                }
                Ok(Assignment::Wait) => {}
                Ok(Assignment::Done) => return Ok(()),
                Ok(Assignment::GivenUp) => return Err(Left::GivenUp),
                Ok(Assignment::OtherJob) => return Err(Left::CoordinatorGone),
                Err(_) if last_contact.elapsed() < PATIENCE => {
                    sleep(RETRY_INTERVAL);
                    continue;
                }
                Err(_) => return Err(reason),
            }
            (last_contact, reason) = (Instant::now(), Left::CoordinatorGone);
        }
    }

    /// Runs a task and reports.
    fn run_task(&self, worker: WorkerId, job: &Job) {
        let results = self.attempt(job);
        let outcome = match &results {
            Ok(results) => Outcome::Finished(results.iter().map(|path| name(path)).collect()),
            Err(cause) => Outcome::Failed(cause.clone()),
        };
        let report = Report { job: job.job, worker, attempt: job.attempt, outcome };
        match self.report(&report) {
            Ok(verdict) => info!("{worker} has run {}: {verdict:?}", job.attempt.task),
            Err(error) => info!("{worker} cannot report {}: {error}", job.attempt.task),
        }
        // What the coordinator has not renamed is removed here.
        drop(results);
    }

    /// Reports, also when the connection is lost just then: the coordinator ignores what it has
    /// heard before.
    fn report(&self, report: &Report) -> Result<Verdict, RpcError> {
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
    fn attempt(&self, job: &Job) -> Result<Vec<TempPath>, String> {
        let run = || match (&job.input, job.attempt.task) {
            (Input::Split { split, reduces }, _) => self.map(split, *reduces),
            (Input::Intermediate { maps }, TaskId::Reduce(reduce)) => self.reduce(reduce, *maps),
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
    fn map(&self, split: &Split, reduces: u32) -> io::Result<Vec<TempPath>> {
        let scratch = Scratch::for_tasks(&self.directory);
        let mut out = Emitter::new(Settings {
            partitions: reduces,
            combiner: self.app.combiner().filter(|_| self.combine),
            memory: MEMORY / self.slots as usize,
            scratch: &scratch,
        });
        let contents = split.read()?;
        self.app.map(&split.file, &contents, &mut out);
        drop(contents);
        out.into_files()
    }

    /// A reduce task: merges a run of each map task and reduces key after key.
    fn reduce(&self, reduce: u32, maps: u32) -> io::Result<Vec<TempPath>> {
        let scratch = Scratch::for_tasks(&self.directory);
        let runs = (0..maps).map(|map| self.directory.join(files::intermediate(map, reduce)));
        let (file, path) = scratch.create()?.into_parts();
        let mut output = BufWriter::new(file);
        Merge::open(runs.collect(), &scratch)?
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
