//! Why a command could not do its work, and the exit codes that scripts rely on.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// How a command ended that did its work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// Everything passed.
    #[default]
    Passed,
    /// A checker gave up, so nothing is proved.
    Inconclusive,
    /// Stopped by Ctrl-C before anything failed.
    Interrupted,
    /// The machine, not the code, made a run end early.
    Disturbed,
    /// A test failed.
    Failed,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        ExitCode::from(match status {
            Status::Passed => 0,
            Status::Failed => 1,
            Status::Inconclusive => 2,
            Status::Disturbed => 5,
            Status::Interrupted => 130,
        })
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum Error {
    /// The code of this package does not compile.
    DoesNotCompile(String),
    /// No test has the name that was asked for.
    NothingMatched(String),
    /// The command line is wrong, or the machine does not play along.
    Harness(String),
    /// Ctrl-C.
    Interrupted,
}

impl Error {
    /// The exit code of a command that ends with this error.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Error::DoesNotCompile(_) => 3,
            Error::NothingMatched(_) => 4,
            Error::Harness(_) => 5,
            Error::Interrupted => 130,
        }
    }

    /// A harness error from anything that can be printed.
    pub(crate) fn harness(problem: impl Into<String>) -> Self {
        Error::Harness(problem.into())
    }

    /// That `action` failed for the file at `path`, for use in `map_err`.
    pub(crate) fn file(action: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("cannot {action} {}", path.display());
        move |error| Error::Harness(format!("{what}: {error}{}", advice(&error)))
    }
}

/// What to do about the most common accident.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; make room and start again: finished runs are kept, the rest is resumed"
        }
        _ => "",
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::DoesNotCompile(package) => {
                write!(f, "{package} does not compile, see above")
            }
            Error::NothingMatched(problem) | Error::Harness(problem) => f.write_str(problem),
            Error::Interrupted => f.write_str("interrupted"),
        }
    }
}
