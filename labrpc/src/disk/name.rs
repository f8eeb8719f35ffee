//! Names of files, and what is wrong with them.

use std::io;

/// Refuses names that are not flat.
pub(super) fn check(file: &str) -> io::Result<()> {
    if matches!(file, "" | "." | "..") || file.contains(['/', '\\', '\0']) {
        let problem = format!("{file:?} is not the name of a file in a flat directory");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    Ok(())
}

/// The error of operations on files that are missing.
pub(super) fn missing(file: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("there is no file {file:?}"))
}
