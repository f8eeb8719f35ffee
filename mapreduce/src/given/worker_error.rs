//! Why a worker leaves, in the words of its program.

use std::fmt;

/// The version of the programs. Workers and the coordinator of a job have the same.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why a worker has left although its job is not done, as far as it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerError {
    /// The coordinator was never reached.
    NoCoordinator,
    /// The coordinator was reached, but is gone, and this output is missing.
    CoordinatorGone(String),
    /// The coordinator can be reached, but does not answer.
    CoordinatorSilent,
    /// The coordinator closes each connection.
    NotServed,
    /// The job has failed.
    GivenUp,
    /// The job was interrupted.
    Cancelled,
    /// The coordinator is that of another job.
    OtherJob,
    /// The coordinator runs in another directory.
    OtherDirectory,
    /// The programs of the job have this version.
    OtherVersion(String),
    /// The coordinator does not understand this worker, or is not a coordinator.
    NotUnderstood,
    /// The workers of the job run this app.
    OtherApp(String),
}

impl WorkerError {
    /// Whether this worker cannot work for the coordinator, whatever that does.
    pub fn is_refusal(&self) -> bool {
        use WorkerError::{NotUnderstood, OtherApp, OtherDirectory, OtherVersion};
        matches!(self, OtherDirectory | OtherVersion(_) | NotUnderstood | OtherApp(_))
    }
}

impl fmt::Display for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCoordinator => {
                f.write_str("there is no coordinator: it has not started yet, or the job is over")
            }
            Self::CoordinatorGone(missing) => write!(
                f,
                "the coordinator is gone and {missing} is missing: the job was not finished, or \
                 its outputs were moved"
            ),
            Self::CoordinatorSilent => f.write_str("the coordinator does not answer"),
            Self::NotServed => {
                f.write_str("the coordinator closes the connection: it may have too many workers")
            }
            Self::GivenUp => f.write_str("the job has failed: the coordinator says why"),
            Self::Cancelled => f.write_str("the job was interrupted"),
            Self::OtherJob => f.write_str("the job of this worker is over: another one has begun"),
            Self::OtherDirectory => {
                f.write_str("the coordinator runs in another directory: start the worker there")
            }
            Self::OtherVersion(version) => write!(
                f,
                "the coordinator has version {version}, but this worker has version {VERSION}"
            ),
            Self::NotUnderstood => f.write_str(
                "the server does not understand this worker: it has another version, or is not a \
                 coordinator",
            ),
            Self::OtherApp(app) => {
                write!(f, "the workers of this job run the app '{app}': start this one with it")
            }
        }
    }
}

impl std::error::Error for WorkerError {}
