//! Why a command cannot do its work.

use std::fmt;
use std::io;
use std::path::Path;

use contract::record::Exit;

/// Why a command cannot do its work.
#[derive(Debug)]
pub enum Error {
    /// The code of this package does not compile.
    DoesNotCompile(String),
    /// Nothing has the name that was asked for.
    NothingMatched(String),
    /// The command line is wrong, or the machine is in trouble.
    Harness(String),
    /// Interrupted, by Ctrl-C for instance.
    Interrupted,
}

impl Error {
    /// How a command ends with this error.
    pub fn exit(&self) -> Exit {
        match self {
            Error::DoesNotCompile(_) => Exit::DoesNotCompile,
            Error::NothingMatched(_) => Exit::NothingMatched,
            Error::Harness(_) => Exit::Harness,
            Error::Interrupted => Exit::Interrupted,
        }
    }

    /// A harness error from anything that can be printed.
    pub fn harness(problem: impl Into<String>) -> Self {
        Error::Harness(problem.into())
    }

    /// That `action` failed for the file at `path`, for use in `map_err`.
    pub fn file(action: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
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
            Error::DoesNotCompile(package) => write!(f, "{package} does not compile, see above"),
            Error::NothingMatched(problem) | Error::Harness(problem) => f.write_str(problem),
            Error::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Error {}
