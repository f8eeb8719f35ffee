//! What workers and the coordinator say to each other.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::split::Split;

/// Asks for a task: [`Ask`] -> [`Assignment`].
pub(crate) const ASK: &str = "Coordinator.Ask";

/// Reports the end of an attempt: [`Report`] -> [`Verdict`].
pub(crate) const REPORT: &str = "Coordinator.Report";

/// Tells jobs apart: a worker of a job that was interrupted must not meddle with the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JobId(pub(crate) u64);

/// Whoever runs one task at a time: a slot of a worker process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct WorkerId {
    /// The process.
    pub(crate) process: u32,
    /// Its slot.
    pub(crate) slot: u32,
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "W{}.{}", self.process, self.slot)
    }
}

/// A task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum TaskId {
    /// Map task with this number.
    Map(u32),
    /// Reduce task with this number.
    Reduce(u32),
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TaskId::Map(number) => write!(f, "map {number}"),
            TaskId::Reduce(number) => write!(f, "reduce {number}"),
        }
    }
}

/// One run of a task by one worker. A task may have several, one after the other or at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// The task.
    pub(crate) task: TaskId,
    /// Tells the attempts of a job apart.
    pub(crate) number: u64,
}

/// A worker wants a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ask {
    /// Who asks.
    pub(crate) worker: WorkerId,
    /// The job that it has worked for, if it has: its app is that job's.
    pub(crate) job: Option<JobId>,
}

/// What a worker shall do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Assignment {
    /// Run a task.
    Run(Job),
    /// Ask again: all tasks of the phase are with other workers.
    Wait,
    /// Exit: every output is in its place.
    Done,
    /// Exit: the job has failed.
    GivenUp,
    /// Exit: the job that the worker has worked for is gone, and this is another one.
    OtherJob,
}

/// A task with what it takes to run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// The job that it belongs to.
    pub(crate) job: JobId,
    /// Which run of which task.
    pub(crate) attempt: Attempt,
    /// Its input.
    pub(crate) input: Input,
}

/// What a task reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Input {
    /// A map task: its split, and the number of reduce tasks.
    Split {
        /// What to map.
        split: Split,
        /// How many files to make of it.
        reduces: u32,
    },
    /// A reduce task: the number of map tasks, each of which has left a file for it.
    Intermediate {
        /// How many files to merge.
        maps: u32,
    },
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The job that it belongs to.
    pub(crate) job: JobId,
    /// Who reports.
    pub(crate) worker: WorkerId,
    /// Which run of which task.
    pub(crate) attempt: Attempt,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// Its results are in unfinished files of these names, one for each reduce task, or only one.
    Finished(Vec<String>),
    /// The app panicked, or a file could not be read or written: why.
    Failed(String),
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verdict {
    /// It was the first of its task.
    Accepted,
    /// The task was done already, the job is another one, or the report was of a failure: the files
    /// are of no use.
    Ignored,
}
