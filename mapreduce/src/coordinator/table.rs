//! Which tasks are done, which run, and which one a worker gets next. Pure: no lock, clock,
//! randomness or I/O.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use labrpc::Instant;

use crate::given::message::{foreign, shape};
use crate::rpc::{Attempt, TaskId, WorkerId};

/// How long a failed task is kept for other workers before the same one may try again.
pub(crate) const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A task that fails in the same way on this number of processes fails because of the app or its
/// input. Failures are the same if their texts differ only in names and numbers.
const PROCESSES_TO_GIVE_UP: usize = 3;

/// With fewer processes, this number of equal failures is enough.
const EQUAL_FAILURES_TO_GIVE_UP: usize = 6;

/// Failures of any kind that are enough.
const FAILURES_TO_GIVE_UP: usize = 12;

/// What the coordinator knows of its tasks.
///
/// * A reduce task runs only when every map task is done.
/// * A task has at most one attempt that is not overdue.
/// * A task that is done stays done.
#[derive(Debug)]
pub(crate) struct TaskTable {
    maps: Vec<Task>,
    reduces: Vec<Task>,
    /// How long a worker may take.
    timeout: Duration,
    attempts: u64,
    reassigned: u64,
    given_up: Option<GivenUp>,
}

/// A task.
#[derive(Clone, Debug, Default)]
struct Task {
    state: TaskState,
    failures: Vec<Failure>,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum TaskState {
    /// No worker has it.
    #[default]
    Idle,
    /// A worker has it until `deadline`.
    Running { attempt: u64, worker: WorkerId, deadline: Instant },
    /// Its results are in their place.
    Done,
}

/// An attempt that failed.
#[derive(Clone, Debug)]
struct Failure {
    worker: WorkerId,
    /// The [`shape`] of its cause.
    shape: String,
    at: Instant,
}

/// A task that cannot be done, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    task: TaskId,
    cause: String,
    failures: usize,
    processes: usize,
}

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, cause, failures, processes } = self;
        let workers = if *processes == 1 { "worker" } else { "workers" };
        write!(f, "{task} failed {failures} times on {processes} {workers}; last cause: {cause}")
    }
}

impl std::error::Error for GivenUp {}

/// What to tell a worker that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Run this.
    Run(Attempt),
    /// Nothing can be done now.
    Wait,
    /// All is done.
    Done,
    /// The job has failed.
    GivenUp,
}

/// The number of a job's tasks in each state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobStatus {
    /// Map tasks that are done.
    pub maps_done: usize,
    /// Map tasks.
    pub maps: usize,
    /// Reduce tasks that are done.
    pub reduces_done: usize,
    /// Reduce tasks.
    pub reduces: usize,
    /// Tasks that a worker runs.
    pub running: usize,
    /// Attempts that took too long.
    pub reassigned: u64,
}

impl TaskTable {
    /// A job of which nothing is done.
    pub(crate) fn new(maps: usize, reduces: usize, timeout: Duration) -> Self {
        Self {
            maps: vec![Task::default(); maps],
            reduces: vec![Task::default(); reduces],
            timeout,
            attempts: 0,
            reassigned: 0,
            given_up: None,
        }
    }

    /// A worker wants something to do: the first task of the phase that is idle, unless this worker
    /// has just failed at it.
    pub(crate) fn ask(&mut self, worker: WorkerId, now: Instant) -> Next {
        self.expire(now);
        if self.given_up.is_some() {
            return Next::GivenUp;
        }
        if self.is_done() {
            return Next::Done;
        }
        let idle = |task: &TaskId| self.get(*task).is_some_and(|task| task.is_for(worker, now));
        let Some(task) = self.phase().find(idle) else { return Next::Wait };
        self.attempts += 1;
        let number = self.attempts;
        let deadline = now + self.timeout;
        if let Some(entry) = self.get_mut(task) {
            entry.state = TaskState::Running { attempt: number, worker, deadline };
        }
        Next::Run(Attempt { task, number })
    }

    /// Whether the results of an attempt are of use: its task is not done. It need not be the
    /// latest attempt; a slow worker may still be the first.
    pub(crate) fn wants(&self, attempt: Attempt) -> bool {
        attempt.number <= self.attempts
            && self.given_up.is_none()
            && self.get(attempt.task).is_some_and(|task| task.state != TaskState::Done)
    }

    /// The results of a task are in their place.
    ///
    /// # Panics
    /// If they were not wanted.
    pub(crate) fn finish(&mut self, attempt: Attempt) {
        assert!(self.wants(attempt), "the results of {} were not wanted", attempt.task);
        if let Some(task) = self.get_mut(attempt.task) {
            task.state = TaskState::Done;
            task.failures.clear();
        }
    }

    /// An attempt has failed. The task is idle again, unless it is done or another worker runs it.
    pub(crate) fn fail(&mut self, attempt: Attempt, worker: WorkerId, cause: &str, at: Instant) {
        if !self.wants(attempt) {
            return;
        }
        let Some(task) = self.get_mut(attempt.task) else { return };
        if matches!(task.state, TaskState::Running { attempt: now, .. } if now == attempt.number) {
            task.state = TaskState::Idle;
        }
        task.failures.push(Failure { worker, shape: shape(cause), at });
        self.given_up = task.reason_to_give_up(attempt.task, cause);
    }

    /// Takes back the tasks of workers that have had their time: they may have crashed or be slow,
    /// which cannot be told apart.
    fn expire(&mut self, now: Instant) {
        for task in self.maps.iter_mut().chain(&mut self.reduces) {
            if matches!(task.state, TaskState::Running { deadline, .. } if deadline <= now) {
                task.state = TaskState::Idle;
                self.reassigned += 1;
            }
        }
    }

    /// When a task can next become idle by itself, if any worker is to wait for that.
    pub(crate) fn next_change(&self) -> Option<Instant> {
        let tasks = self.maps.iter().chain(&self.reduces);
        tasks.filter_map(Task::next_change).min()
    }

    /// Whether every output is in its place.
    pub(crate) fn is_done(&self) -> bool {
        self.reduces.iter().chain(&self.maps).all(|task| task.state == TaskState::Done)
    }

    /// Why the job has failed, if it has.
    pub(crate) fn given_up(&self) -> Option<&GivenUp> {
        self.given_up.as_ref()
    }

    /// Whether a worker has a task, and still has time for it.
    pub(crate) fn is_running(&self, now: Instant) -> bool {
        let has_time = |task: &Task| matches!(task.state, TaskState::Running { deadline, .. } if deadline > now);
        self.maps.iter().chain(&self.reduces).any(has_time)
    }

    /// The number of tasks in each state.
    pub(crate) fn status(&self) -> JobStatus {
        let done = |tasks: &[Task]| tasks.iter().filter(|t| t.state == TaskState::Done).count();
        let is_running = |task: &&Task| matches!(task.state, TaskState::Running { .. });
        JobStatus {
            maps_done: done(&self.maps),
            maps: self.maps.len(),
            reduces_done: done(&self.reduces),
            reduces: self.reduces.len(),
            running: self.maps.iter().chain(&self.reduces).filter(is_running).count(),
            reassigned: self.reassigned,
        }
    }

    /// The tasks of the current phase: reduce tasks once every map task is done.
    fn phase(&self) -> impl Iterator<Item = TaskId> + use<> {
        let has_mapped = self.maps.iter().all(|task| task.state == TaskState::Done);
        let count = if has_mapped { self.reduces.len() } else { self.maps.len() };
        let id = if has_mapped { TaskId::Reduce } else { TaskId::Map };
        (0..u32::try_from(count).unwrap_or(u32::MAX)).map(id)
    }

    /// A task; `None` if a report names one that does not exist.
    fn get(&self, task: TaskId) -> Option<&Task> {
        match task {
            TaskId::Map(number) => self.maps.get(number as usize),
            TaskId::Reduce(number) => self.reduces.get(number as usize),
        }
    }

    /// As [`get`](Self::get), to change it.
    fn get_mut(&mut self, task: TaskId) -> Option<&mut Task> {
        match task {
            TaskId::Map(number) => self.maps.get_mut(number as usize),
            TaskId::Reduce(number) => self.reduces.get_mut(number as usize),
        }
    }
}

impl Task {
    /// Whether to give it to `worker`. A process that has just failed at it waits a little, so that
    /// other processes can show whether the fault was its own.
    fn is_for(&self, worker: WorkerId, now: Instant) -> bool {
        let has_just_failed = |failure: &Failure| {
            failure.worker.process == worker.process && now < failure.at + RETRY_PAUSE
        };
        self.state == TaskState::Idle && !self.failures.iter().any(has_just_failed)
    }

    /// When it can next become idle, or free for a worker that has failed at it.
    fn next_change(&self) -> Option<Instant> {
        match self.state {
            TaskState::Running { deadline, .. } => Some(deadline),
            TaskState::Idle => self.failures.last().map(|failure| failure.at + RETRY_PAUSE),
            TaskState::Done => None,
        }
    }

    /// Whether it has failed often enough, `cause` being the cause of the last failure.
    fn reason_to_give_up(&self, id: TaskId, cause: &str) -> Option<GivenUp> {
        let last = &self.failures.last()?.shape;
        let equal = self.failures.iter().filter(|failure| failure.shape == *last);
        let processes: BTreeSet<u32> = equal.clone().map(|f| f.worker.process).collect();
        let is_hopeless = processes.len() >= PROCESSES_TO_GIVE_UP
            || equal.count() >= EQUAL_FAILURES_TO_GIVE_UP
            || self.failures.len() >= FAILURES_TO_GIVE_UP;
        is_hopeless.then(|| GivenUp {
            task: id,
            cause: foreign(cause),
            failures: self.failures.len(),
            processes: processes.len(),
        })
    }
}

#[cfg(test)]
mod tests;
