//! Keeps two graders apart.

use std::fs::{File, TryLockError};
use std::path::Path;

use judge::Error;

/// Takes a lock, which the end of the process releases.
///
/// # Errors
/// If another process has it.
pub(crate) fn lock(path: &Path) -> Result<File, Error> {
    let file = File::create(path).map_err(Error::file("create", path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let directory = path.parent().unwrap_or(path).display();
            Err(Error::harness(format!("another grader is running in {directory}")))
        }
        Err(TryLockError::Error(error)) => Err(Error::file("lock", path)(error)),
    }
}
