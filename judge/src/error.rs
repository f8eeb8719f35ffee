//! The errors of this crate.

use std::fmt;
use std::io;
use std::path::Path;

use contract::record::Exit;

/// Why a command cannot do its work.
#[derive(Debug)]
pub enum Error {
    /// The code of this package does not compile.
    DoesNotCompile(String),
    /// The pattern matched nothing.
    NothingMatched(String),
    /// The command line is wrong, or the machine has a problem.
    Harness(String),
    /// Interrupted, by Ctrl-C for instance.
    Interrupted,
}

impl Error {
    /// The exit code of a command with this error.
    pub fn exit(&self) -> Exit {
        match self {
            Error::DoesNotCompile(_) => Exit::DoesNotCompile,
            Error::NothingMatched(_) => Exit::NothingMatched,
            Error::Harness(_) => Exit::Harness,
            Error::Interrupted => Exit::Interrupted,
        }
    }

    /// A harness error with this message.
    pub fn harness(problem: impl Into<String>) -> Self {
        Error::Harness(problem.into())
    }

    /// Says that `action` failed for the file at `path`; for use in `map_err`.
    pub fn file(action: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("cannot {action} {}", path.display());
        move |error| Error::Harness(format!("{what}: {error}{}", advice(&error)))
    }
}

/// What to do if the disk is full.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space and run the command again: it resumes and keeps the finished runs"
        }
        _ => "",
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::DoesNotCompile(package) => write!(f, "{package} does not compile, see above"),
            Error::NothingMatched(problem) | Error::Harness(problem) => f.write_str(problem),
            Error::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Error {}
