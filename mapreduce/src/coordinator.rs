//! The coordinator: hands out tasks, and puts results in their place (MapReduce §3.1, §3.3).

pub(crate) mod table;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use labrpc::{Condvar, Instant, Mutex, MutexGuard, Service, rng};
use log::{info, warn};
use rand::RngExt;

pub use self::table::{GivenUp, Progress};
use self::table::{Next, TaskTable};
use crate::files::{self, Remove};
use crate::rpc::{
    Ask, Assignment, Attempt, Input, Job, JobId, Outcome, Report, TaskId, Verdict, WorkerId,
};
use crate::split::Split;

/// How long a worker may take for a task unless the user says otherwise (handout).
pub const TASK_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an idle worker's call is kept waiting: a small part of its call timeout.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// How long the coordinator stays for workers that have not heard that the job is over: four times
/// as long as an idle one waits, so only a busy or a dead one misses it, also on a busy machine.
const FAREWELL: Duration = Duration::from_secs(2);

/// The coordinator of one job.
///
/// Workers leave the results of a task in unfinished files; the coordinator renames those of the
/// first attempt that reports, and no others. So a slow worker, or one of an earlier job, cannot
/// damage a file, and no process ever sees part of one. Used by the grading tests.
#[derive(Clone, Debug)]
pub struct Coordinator(Arc<Shared>);

/// What the handlers share.
#[derive(Debug)]
struct Shared {
    job: JobId,
    splits: Vec<Split>,
    reduces: u32,
    directory: PathBuf,
    state: Mutex<State>,
    /// Signalled when a task is done or has failed.
    changed: Condvar,
}

/// What the lock guards.
#[derive(Debug)]
struct State {
    table: TaskTable,
    /// Workers that have not been told that the job is over, with the time of their last call.
    workers: BTreeMap<WorkerId, Instant>,
    /// Whether tasks are handed out and results accepted: from [`Coordinator::open`] to
    /// [`Coordinator::cancel`].
    is_open: bool,
}

impl Coordinator {
    /// A new job in `directory`. Workers that ask are kept waiting until it is opened.
    pub fn new(splits: Vec<Split>, reduces: u32, timeout: Duration, directory: &Path) -> Self {
        let table = TaskTable::new(splits.len(), reduces as usize, timeout);
        let state = State { table, workers: BTreeMap::new(), is_open: false };
        Self(Arc::new(Shared {
            job: JobId(rng().random()),
            splits,
            reduces,
            directory: directory.into(),
            state: Mutex::new(state),
            changed: Condvar::new(),
        }))
    }

    /// Removes what an earlier job left in the directory, and begins to hand out tasks. Call it
    /// when the socket is open: no other coordinator that listens there has files to lose then.
    ///
    /// # Errors
    /// If the directory cannot be cleared.
    pub fn open(&self) -> io::Result<()> {
        let mut state = self.0.state.lock();
        files::remove(&self.0.directory, Remove::Everything)?;
        state.is_open = true;
        drop(state);
        self.0.changed.notify_all();
        Ok(())
    }

    /// The methods that workers call.
    pub fn service(&self) -> Service {
        let (asked, reported) = (self.clone(), self.clone());
        Service::new("Coordinator")
            .method("Ask", move |ask: Ask| asked.handle_ask(ask))
            .method("Report", move |report: Report| reported.handle_report(&report))
    }

    /// How far the job is.
    pub fn progress(&self) -> Progress {
        self.0.state.lock().table.progress()
    }

    /// Waits for the end of the job, but not longer than `patience`; `None` if it is not over.
    pub fn wait(&self, patience: Duration) -> Option<Result<(), GivenUp>> {
        let state = self.0.state.lock();
        let (state, _) =
            self.0.changed.wait_timeout_while(state, patience, |state| !is_over(&state.table));
        let result = match state.table.given_up() {
            Some(reason) => Err(reason.clone()),
            None if state.table.is_done() => Ok(()),
            None => return None,
        };
        Some(result)
    }

    /// After the end of the job: waits until every worker has heard of it, two seconds at most, and
    /// removes what dead workers have left.
    ///
    /// # Errors
    /// If files cannot be removed.
    pub fn say_farewell(&self) -> io::Result<()> {
        let state = self.0.state.lock();
        let (state, _) =
            self.0.changed.wait_timeout_while(state, FAREWELL, |state| !state.workers.is_empty());
        drop(state);
        files::remove(&self.0.directory, Remove::Unfinished)
    }

    /// Ends the job where it is and removes all its files, so that nobody takes some outputs for
    /// all.
    ///
    /// # Errors
    /// If files cannot be removed.
    pub fn cancel(&self) -> io::Result<()> {
        let mut state = self.0.state.lock();
        state.is_open = false;
        files::remove(&self.0.directory, Remove::Everything)
    }

    /// A worker wants a task. If there is none, the answer may take a while.
    fn handle_ask(&self, Ask { worker, job }: Ask) -> Assignment {
        if job.is_some_and(|job| job != self.0.job) {
            return Assignment::OtherJob;
        }
        let give_up = Instant::now() + LONGEST_WAIT;
        let mut state = self.0.state.lock();
        loop {
            let now = Instant::now();
            state.workers.insert(worker, now);
            let next = if state.is_open { state.table.ask(worker, now) } else { Next::Wait };
            let assignment = match next {
                Next::Run(attempt) => Assignment::Run(self.job(attempt)),
                Next::Wait if now < give_up => {
                    let until = state.table.next_change().filter(|at| *at > now);
                    let patience = until.map_or(give_up, |at| at.min(give_up)) - now;
                    state = self.0.changed.wait_timeout(state, patience).0;
                    continue;
                }
                Next::Wait => Assignment::Wait,
                Next::Done => Assignment::Done,
                Next::GivenUp => Assignment::GivenUp,
            };
            if matches!(assignment, Assignment::Done | Assignment::GivenUp) {
                state.workers.remove(&worker);
                self.0.changed.notify_all();
            }
            return assignment;
        }
    }

    /// What a worker needs for an attempt.
    fn job(&self, attempt: Attempt) -> Job {
        let input = match attempt.task {
            TaskId::Map(number) => Input::Split {
                split: self.0.splits[number as usize].clone(),
                reduces: self.0.reduces,
            },
            TaskId::Reduce(_) => Input::Intermediate { maps: self.map_count() },
        };
        Job { job: self.0.job, attempt, input }
    }

    /// An attempt has ended.
    ///
    /// The lock is held while the results are renamed: of two reports for one task, only one may.
    fn handle_report(&self, report: &Report) -> Verdict {
        let mut state = self.0.state.lock();
        if report.job != self.0.job || !state.is_open || !state.table.wants(report.attempt) {
            info!("{}: the report of {} is too late", report.attempt.task, report.worker);
            return Verdict::Ignored;
        }
        let verdict = match &report.outcome {
            Outcome::Finished(names) => match self.commit(report.attempt.task, names) {
                Ok(()) => {
                    state.table.finish(report.attempt);
                    Verdict::Accepted
                }
                Err(error) => self.failed(&mut state, report, &error.to_string()),
            },
            Outcome::Failed(cause) => self.failed(&mut state, report, cause),
        };
        self.0.changed.notify_all();
        verdict
    }

    /// Notes the failure of an attempt.
    fn failed(&self, state: &mut MutexGuard<'_, State>, report: &Report, cause: &str) -> Verdict {
        let Report { worker, attempt, .. } = *report;
        warn!("{} failed on {worker}: {cause}", attempt.task);
        state.table.fail(attempt, worker, cause, Instant::now());
        Verdict::Ignored
    }

    /// Puts the results of a task in their place. If this fails half-way, the next attempt
    /// overwrites them: nobody reads files of a task that is not done.
    fn commit(&self, task: TaskId, unfinished: &[String]) -> io::Result<()> {
        let finished: Vec<String> = match task {
            TaskId::Map(map) => {
                (0..self.0.reduces).map(|reduce| files::intermediate(map, reduce)).collect()
            }
            TaskId::Reduce(reduce) => vec![files::output(reduce)],
        };
        let is_plausible = unfinished.len() == finished.len()
            && unfinished.iter().all(|name| files::is_unfinished(name));
        if !is_plausible {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the report makes no sense"));
        }
        for (from, to) in unfinished.iter().zip(finished) {
            let from = self.0.directory.join(from);
            fs::rename(&from, self.0.directory.join(to)).map_err(|error| {
                let hint = "does the worker run in the coordinator's directory?";
                io::Error::new(error.kind(), format!("{}: {error}: {hint}", from.display()))
            })?;
        }
        Ok(())
    }

    /// The number of map tasks.
    fn map_count(&self) -> u32 {
        u32::try_from(self.0.splits.len()).expect("fewer splits than bytes of input")
    }
}

/// Whether no task is left to run.
fn is_over(table: &TaskTable) -> bool {
    table.is_done() || table.given_up().is_some()
}
