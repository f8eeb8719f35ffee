//! The errors of this crate.

use std::fmt;
use std::io;
use std::path::Path;

/// Why a submission cannot be packed or unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// It breaks a rule for submissions. One line that names the file and the rule.
    Refused(String),
    /// A file cannot be read or written.
    Io(String),
}

impl Error {
    /// An error about a name in a submission. What is printed of the name is safe on a terminal.
    pub(crate) fn entry(name: impl AsRef<[u8]>, rule: &str) -> Self {
        let name = String::from_utf8_lossy(name.as_ref());
        let start: String = name.chars().take(80).collect();
        let dots = if start.len() < name.len() { "..." } else { "" };
        Error::Refused(format!("'{}{dots}' {rule}", start.escape_debug()))
    }

    /// Says that `action` failed for the file at `path`; for use in `map_err`.
    pub(crate) fn io(action: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("cannot {action} {}", path.display());
        move |error| Error::Io(format!("{what}: {error}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused(problem) | Error::Io(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for Error {}
