//! Why the grader cannot do its work, and the codes with which it ends.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// Why the grader cannot go on.
#[derive(Debug)]
pub(crate) enum Error {
    /// No patch matches what was asked for.
    NothingMatched(String),
    /// The user has pressed Ctrl-C, or the process was told to end.
    Interrupted,
    /// Something that is neither a test's nor a solution's fault.
    Harness(String),
}

impl Error {
    /// An operation on a file has failed.
    pub(crate) fn io(what: &str, path: &Path, error: &io::Error) -> Self {
        Error::Harness(format!("cannot {what} {}: {error}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NothingMatched(what) => write!(f, "nothing matched: {what}"),
            Error::Interrupted => f.write_str("interrupted"),
            Error::Harness(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Error {}

/// How the grader ends. Of several, the greatest in this order is the one that matters most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// All is as it should be.
    Passed,
    /// A checker gave up, so nothing is proved.
    Inconclusive,
    /// A bug survived, or a variant failed.
    Failed,
    /// A patch does not compile.
    DoesNotCompile,
    /// No patch matched.
    NothingMatched,
    /// The command line makes no sense, or the harness itself failed.
    Harness,
    /// Ctrl-C: the shells' code for it.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Passed => 0,
            Exit::Failed => 1,
            Exit::Inconclusive => 2,
            Exit::DoesNotCompile => 3,
            Exit::NothingMatched => 4,
            Exit::Harness => 5,
            Exit::Interrupted => 130,
        })
    }
}
