//! The file that shows that a job runs in a directory, and which one.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crate::given::files::{JobId, Scratch, Stamp};
use crate::given::run_file::about;

/// Its name.
pub(crate) const LOCK: &str = "mr.lock";

/// How often to try again if the owner of the file removes it at the same moment.
const ATTEMPTS: usize = 10;

/// A lock on a directory, held until this is dropped. The system releases it when the process
/// dies; the file stays behind then, and the next job replaces it.
///
/// The directory itself cannot be locked for this: a socket that is opened in it needs that lock.
#[derive(Debug)]
pub(crate) struct LockFile {
    path: PathBuf,
    stamp: Stamp,
    /// Holds the lock.
    _file: File,
}

impl LockFile {
    /// Locks the directory of `scratch` for `job`.
    ///
    /// # Errors
    /// If another job has locked it, or a file that is not a lock has the lock's name.
    pub(crate) fn take(scratch: &Scratch, job: JobId) -> Result<Self, String> {
        let path = scratch.directory().join(LOCK);
        for _ in 0..ATTEMPTS {
            // The file appears under its name with its contents, and locked.
            let mut file = scratch.create().map_err(|error| error.to_string())?;
            let problem = |error| about(&path, &error).to_string();
            file.write_all(contents(job).as_bytes()).map_err(problem)?;
            let stamp = Stamp::of(&file.as_file().metadata().map_err(problem)?);
            file.as_file().lock().map_err(problem)?;
            match file.persist_noclobber(&path) {
                Ok(file) => return Ok(Self { path, stamp, _file: file }),
                Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                    remove_stale(&path)?;
                }
                Err(error) => return Err(problem(error.error)),
            }
        }
        Err(in_use(&path))
    }

    /// Whether `directory` is locked for this job. Asked by workers, which may run elsewhere.
    pub(crate) fn is_for(directory: &Path, job: JobId) -> bool {
        fs::read_to_string(directory.join(LOCK)).is_ok_and(|text| text == contents(job))
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        self.stamp.remove(&self.path).ok(); // If it stays, the next job replaces it.
    }
}

/// Removes the lock of a job whose process has died.
fn remove_stale(path: &Path) -> Result<(), String> {
    let problem = |error| about(path, &error).to_string();
    let is_file = fs::symlink_metadata(path).map(|metadata| metadata.is_file());
    let opened = is_file.and_then(|is_file| is_file.then(|| File::open(path)).transpose());
    let mut file = match opened {
        Ok(Some(file)) => file,
        Ok(None) => return Err(not_a_lock(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()), // Its owner removed it.
        Err(error) => return Err(problem(error)),
    };
    let mut text = String::new();
    if (&mut file).take(100).read_to_string(&mut text).is_err() || !is_contents(&text) {
        return Err(not_a_lock(path));
    }
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(path)),
        Err(TryLockError::Error(error)) => return Err(problem(error)),
    }
    let stamp = Stamp::of(&file.metadata().map_err(problem)?);
    stamp.remove(path).map_err(|error| error.to_string())
}

/// What stands in the file.
fn contents(job: JobId) -> String {
    format!("MapReduce job {job}\n")
}

/// Whether some job has written this.
fn is_contents(text: &str) -> bool {
    let job = text.strip_prefix("MapReduce job ").and_then(|rest| rest.strip_suffix('\n'));
    job.is_some_and(|job| job.len() == 16 && job.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The directory is in use.
fn in_use(path: &Path) -> String {
    format!("{}: another job runs in this directory", path.display())
}

/// A file of the user's has the lock's name.
fn not_a_lock(path: &Path) -> String {
    format!("{}: this is not the lock of a job: rename it", path.display())
}
