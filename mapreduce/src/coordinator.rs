//! The coordinator: hands out tasks, and puts results in their place (MapReduce §3.1, §3.3).

pub(crate) mod table;

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use labrpc::{Condvar, Instant, Mutex, MutexGuard, Service};
use log::{info, warn};

pub use self::table::{GivenUp, JobStatus};
use self::table::{Next, TaskTable};
use crate::given::directory::JobDirectory;
use crate::given::files;
use crate::given::message::foreign;
use crate::given::split::Split;
use crate::given::worker_error::VERSION;
use crate::rpc::{
    Ask, Assignment, Attempt, Input, JobInfo, Outcome, Report, ReportReply, Task, TaskId, WorkerId,
};

/// How long a worker may take for a task unless the user says otherwise (handout).
pub const TASK_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an idle worker's call is kept waiting: a small part of its call timeout.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// How long the coordinator stays for workers that have not heard that the job is over: four times
/// as long as an idle one waits, so only a busy or a dead one misses it, also on a busy machine.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long no worker may call, while no task runs, before the user is told: ten times as long as
/// an idle worker's call takes.
const SILENCE: Duration = Duration::from_secs(5);

/// The coordinator of one job.
///
/// Workers leave the results of a task in unfinished files; the coordinator renames those of the
/// first attempt that reports, and no others. So a slow worker, or one of an earlier job, cannot
/// damage a file, and no process ever sees part of one.
#[derive(Clone, Debug)]
pub struct Coordinator(Arc<Shared>);

/// What the handlers share.
#[derive(Debug)]
struct Shared {
    info: JobInfo,
    splits: Vec<Split>,
    state: Mutex<State>,
    /// Signalled when a task is done or has failed, and when the phase changes.
    changed: Condvar,
}

/// What the lock guards.
#[derive(Debug)]
struct State {
    phase: Phase,
    table: TaskTable,
    directory: JobDirectory,
    /// The app and its arguments: those of the first worker that has asked for a task.
    app: Option<Vec<String>>,
    /// Workers that have not been told that the job is over, with the time of their last call.
    workers: BTreeMap<WorkerId, Instant>,
    /// When any worker has called last, or the job was made.
    last_call: Instant,
}

/// What is done with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Workers wait for [`Coordinator::open`].
    New,
    /// Tasks are handed out, and results accepted.
    Open,
    /// After [`Coordinator::cancel`], workers are sent away.
    Cancelled,
}

impl Coordinator {
    /// A new job in `directory`. Workers that ask are kept waiting until it is opened.
    pub fn new(
        splits: Vec<Split>,
        reduces: u32,
        timeout: Duration,
        directory: JobDirectory,
    ) -> Self {
        let info = JobInfo { job: directory.job(), reduces };
        let state = State {
            phase: Phase::New,
            table: TaskTable::new(splits.len(), reduces as usize, timeout),
            directory,
            app: None,
            workers: BTreeMap::new(),
            last_call: Instant::now(),
        };
        Self(Arc::new(Shared { info, splits, state: Mutex::new(state), changed: Condvar::new() }))
    }

    /// Removes what an earlier job has left, if the directory was claimed so, and begins to hand
    /// out tasks. Called when the socket is open, so that nothing is removed if that is refused.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn open(&self) -> io::Result<()> {
        let mut state = self.0.state.lock();
        state.directory.clear()?;
        state.phase = Phase::Open;
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

    /// The number of tasks in each state.
    pub fn status(&self) -> JobStatus {
        self.0.state.lock().table.status()
    }

    /// If tasks are left, but no worker runs one and none has called for some seconds: what the
    /// user can do.
    pub fn missing_workers(&self) -> Option<String> {
        let state = self.0.state.lock();
        let now = Instant::now();
        let is_silent = now >= state.last_call + SILENCE && !state.table.is_running(now);
        if !is_silent || is_over(&state.table) {
            return None;
        }
        let app = state.app.as_ref().map_or("APP".to_string(), |app| foreign(&app.join(" ")));
        let JobStatus { maps_done, maps, reduces_done, reduces, .. } = state.table.status();
        let left = maps + reduces - maps_done - reduces_done;
        let tasks = if left == 1 { "task is" } else { "tasks are" };
        Some(format!(
            "{left} {tasks} left and no worker has called for {} s: start 'mrworker {app}' in this \
             directory",
            SILENCE.as_secs()
        ))
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

    /// After the end of the job: waits until every worker has heard of it, two seconds at most.
    /// Then removes what dead workers have left and, if the job has failed, all its files.
    ///
    /// # Errors
    /// If files cannot be removed.
    pub fn finish(&self) -> io::Result<()> {
        let state = self.0.state.lock();
        let (mut state, _) =
            self.0.changed.wait_timeout_while(state, FAREWELL, |state| !state.workers.is_empty());
        if state.table.is_done() { state.directory.sweep() } else { state.directory.retract() }
    }

    /// Ends the job where it is and removes all its files, so that some outputs are not taken for
    /// all. Idle workers are sent away.
    ///
    /// # Errors
    /// If files cannot be removed.
    pub fn cancel(&self) -> io::Result<()> {
        let mut state = self.0.state.lock();
        state.phase = Phase::Cancelled;
        self.0.changed.notify_all();
        state.directory.retract()
    }

    /// Lets other jobs run in the directory. Called when the socket is closed: handlers that still
    /// run would keep the lock.
    pub fn release(&self) {
        self.0.state.lock().directory.release();
    }

    /// A worker wants a task. If there is none, the answer may take a while.
    fn handle_ask(&self, ask: Ask) -> Assignment {
        let worker = ask.worker;
        let give_up = Instant::now() + LONGEST_WAIT;
        let mut state = self.0.state.lock();
        state.last_call = Instant::now();
        if let Some(answer) = self.answer_without_task(&mut state, ask) {
            return answer;
        }
        loop {
            let now = Instant::now();
            state.workers.insert(worker, now);
            let next = match state.phase {
                Phase::New => Next::Wait,
                Phase::Open => state.table.ask(worker, now),
                Phase::Cancelled => return Assignment::Cancelled,
            };
            let assignment = match next {
                Next::Run(attempt) => Assignment::Run(self.task(attempt)),
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

    /// The answer to a worker that has not joined this job, or cannot work for it.
    fn answer_without_task(&self, state: &mut State, ask: Ask) -> Option<Assignment> {
        let Ask { version, worker, app, job } = ask;
        if job.is_some_and(|job| job != self.0.info.job) {
            return Some(Assignment::OtherJob);
        }
        if version != VERSION {
            warn!("{worker} has version {} and is sent away", foreign(&version));
            return Some(Assignment::OtherVersion(VERSION.to_string()));
        }
        if let Some(agreed) = state.app.as_ref().filter(|agreed| **agreed != app) {
            warn!("{worker} runs the app '{}' and is sent away", foreign(&app.join(" ")));
            return Some(Assignment::OtherApp(agreed.clone()));
        }
        if job.is_none() {
            return Some(Assignment::Join(self.0.info));
        }
        state.app.get_or_insert(app);
        None
    }

    /// What a worker needs for an attempt.
    fn task(&self, attempt: Attempt) -> Task {
        let input = match attempt.task {
            TaskId::Map(number) => Input::Split(self.0.splits[number as usize].clone()),
            TaskId::Reduce(_) => Input::Intermediate { maps: self.map_count() },
        };
        Task { attempt, input }
    }

    /// An attempt has ended.
    ///
    /// The lock is held while the results are renamed: of two reports for one task, only one may.
    fn handle_report(&self, report: &Report) -> ReportReply {
        let mut state = self.0.state.lock();
        let is_of_this_job = report.job == self.0.info.job && state.phase == Phase::Open;
        if !is_of_this_job || !state.table.wants(report.attempt) {
            info!("{}: the report of {} is too late", report.attempt.task, report.worker);
            return ReportReply::Ignored;
        }
        state.last_call = Instant::now();
        let reply = match &report.outcome {
            Outcome::Finished(names) => match self.commit(&mut state, report.attempt.task, names) {
                Ok(()) => {
                    state.table.finish(report.attempt);
                    ReportReply::Accepted
                }
                Err(error) => failed(&mut state, report, &error.to_string()),
            },
            Outcome::Failed(cause) => failed(&mut state, report, cause),
        };
        self.0.changed.notify_all();
        reply
    }

    /// Puts the results of a task in their place.
    fn commit(&self, state: &mut State, task: TaskId, unfinished: &[String]) -> io::Result<()> {
        let JobInfo { job, reduces } = self.0.info;
        let finished: Vec<String> = match task {
            TaskId::Map(map) => {
                (0..reduces).map(|reduce| files::intermediate(map, reduce)).collect()
            }
            TaskId::Reduce(reduce) => vec![files::output(reduce)],
        };
        let is_plausible = unfinished.len() == finished.len()
            && unfinished.iter().all(|name| files::is_unfinished(name, job));
        if !is_plausible {
            return Err(io::Error::new(ErrorKind::InvalidData, "the report names other files"));
        }
        let files: Vec<_> = unfinished.iter().cloned().zip(finished).collect();
        state.directory.publish(&files)
    }

    /// The number of map tasks.
    fn map_count(&self) -> u32 {
        u32::try_from(self.0.splits.len()).expect("fewer splits than bytes of input")
    }
}

/// Notes the failure of an attempt.
fn failed(state: &mut MutexGuard<'_, State>, report: &Report, cause: &str) -> ReportReply {
    let Report { worker, attempt, .. } = *report;
    warn!("{} failed on {worker}: {}", attempt.task, foreign(cause));
    state.table.fail(attempt, worker, cause, Instant::now());
    ReportReply::Ignored
}

/// Whether no task is left to run.
fn is_over(table: &TaskTable) -> bool {
    table.is_done() || table.given_up().is_some()
}
