//! The messages between workers and the coordinator.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::given::files::JobId;
use crate::given::split::Split;

/// Asks for a task: [`Ask`] -> [`Assignment`].
pub(crate) const ASK: &str = "Coordinator.Ask";

/// Reports the end of an attempt: [`Report`] -> [`ReportReply`].
pub(crate) const REPORT: &str = "Coordinator.Report";

/// A slot of a worker process, which runs one task at a time.
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
///
/// The first time it names no job, and is told to [join](Assignment::Join) one or why it cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ask {
    /// The version of its program.
    pub(crate) version: String,
    /// The slot that asks.
    pub(crate) worker: WorkerId,
    /// The name of its app, and the app's arguments.
    pub(crate) app: Vec<String>,
    /// The job that it has joined.
    pub(crate) job: Option<JobId>,
}

/// What a worker is told to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Assignment {
    /// Ask for tasks of this job, if it runs in the worker's directory.
    Join(JobInfo),
    /// Run a task.
    Run(Task),
    /// Ask again: all tasks of the phase are with other workers.
    Wait,
    /// Exit: every output is in its place.
    Done,
    /// Exit: the job has failed.
    GivenUp,
    /// Exit: the job was interrupted.
    Cancelled,
    /// Exit: the job that the worker has joined is over, and this is another one.
    OtherJob,
    /// Exit: the programs of the job have this version.
    OtherVersion(String),
    /// Exit: the job's workers run this app.
    OtherApp(Vec<String>),
}

/// What a worker must know of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JobInfo {
    /// The job.
    pub(crate) job: JobId,
    /// The number of its reduce tasks, and of its outputs.
    pub(crate) reduces: u32,
}

/// A task with what it takes to run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Task {
    /// Which run of which task.
    pub(crate) attempt: Attempt,
    /// Its input.
    pub(crate) input: Input,
}

/// What a task reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Input {
    /// A map task: its split.
    Split(Split),
    /// A reduce task: the files that this number of map tasks have left for it.
    Intermediate {
        /// The number of map tasks.
        maps: u32,
    },
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The job that it belongs to.
    pub(crate) job: JobId,
    /// The slot that reports.
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
pub(crate) enum ReportReply {
    /// It was the first of its task.
    Accepted,
    /// The task was done already, the job is another one, or the attempt failed: its files are of
    /// no use.
    Ignored,
}
