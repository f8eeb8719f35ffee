//! Names of a job's files, and files that appear under their name only when they are complete.

use std::fmt;
use std::fs::{self, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::{Builder, NamedTempFile};

use crate::given::run_file::about;

/// What names of unfinished files begin with. They must not look like outputs.
const UNFINISHED: &str = "mr-tmp-";

/// Tells jobs apart: the results of a worker of an earlier job must not count in the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JobId(pub(crate) u64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The intermediate file from map task `map` for reduce task `reduce`.
pub(crate) fn intermediate(map: u32, reduce: u32) -> String {
    format!("mr-{map}-{reduce}")
}

/// The output of reduce task `reduce`.
pub(crate) fn output(reduce: u32) -> String {
    format!("mr-out-{reduce}")
}

/// What names of the unfinished files of one job begin with.
fn unfinished(job: JobId) -> String {
    format!("{UNFINISHED}{job}-")
}

/// Whether this is the name of an unfinished file of this job: what a worker reports is not
/// trusted.
pub(crate) fn is_unfinished(name: &str, job: JobId) -> bool {
    name.starts_with(&unfinished(job)) && !name.contains('/')
}

/// What a file of this name is to a job, if it is something.
pub(crate) fn kind_of(name: &str) -> Option<Kind> {
    if let Some(rest) = name.strip_prefix(UNFINISHED) {
        let (job, random) = rest.split_once('-')?;
        let is_job = job.len() == 16 && job.bytes().all(|byte| byte.is_ascii_hexdigit());
        return (is_job && !random.is_empty()).then_some(Kind::Unfinished);
    }
    let (x, y) = name.strip_prefix("mr-")?.split_once('-')?;
    if x == "out" {
        return Some(Kind::Output(number(y)?));
    }
    Some(Kind::Intermediate { map: number(x)?, reduce: number(y)? })
}

/// What a file is to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file that a worker of some job is writing, or left when it was killed.
    Unfinished,
    /// What a map task has made for a reduce task.
    Intermediate {
        /// The map task.
        map: u32,
        /// The reduce task.
        reduce: u32,
    },
    /// What the reduce task with this number has made.
    Output(u32),
}

/// A number as it stands in names: without zeros in front.
fn number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Where unfinished files are made: in the directory of the finished ones, so that renaming them is
/// atomic. A file that is not renamed is removed by the process that made it or, if that was
/// killed, by the job's coordinator.
#[derive(Clone, Debug)]
pub(crate) struct Scratch {
    directory: PathBuf,
    prefix: String,
    open_files: usize,
}

impl Scratch {
    /// For files of a job in this directory. A task has no more than `open_files` of them open.
    pub(crate) fn new(directory: &Path, job: JobId, open_files: usize) -> Self {
        Self { directory: directory.into(), prefix: unfinished(job), open_files }
    }

    /// A new file.
    pub(crate) fn create(&self) -> io::Result<NamedTempFile> {
        let mut builder = Builder::new();
        // As any other file of the user: the crate's own default is for secrets.
        builder.prefix(&self.prefix).permissions(Permissions::from_mode(0o666));
        builder.tempfile_in(&self.directory)
    }

    /// Where they are made.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The number of files that a task may have open while its output is open as well.
    pub(crate) fn open_files(&self) -> usize {
        self.open_files - 1
    }
}

/// Tells a file from any other one that may get its name later. Renaming does not change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Stamp {
    /// The stamp of the file with this metadata.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }

    /// The stamp of what `path` names, not of what it links to.
    pub(crate) fn of_entry(path: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path).map_err(|error| about(path, &error))?;
        Ok(Self::of(&metadata))
    }

    /// Whether it is the same file, even if its contents have changed meanwhile.
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    /// Removes the file from under `path` if it is still this one.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = match Self::of_entry(path) {
            Ok(stamp) if stamp == *self => fs::remove_file(path),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => result.map_err(|error| about(path, &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_a_job_have_a_kind() {
        for (name, expected) in [
            ("mr-0-9", Some(Kind::Intermediate { map: 0, reduce: 9 })),
            ("mr-out-12", Some(Kind::Output(12))),
            ("mr-out-012", None),
            ("mr-2024-01", None),
            ("mr-out-99999999999", None),
            ("mr-out", None),
            ("mr-out-", None),
            ("mr-out-x", None),
            ("mr-out-+1", None),
            ("mr-1-2-3", None),
            ("mr.sock", None),
            ("pg-1-2", None),
            ("mr-tmp-notes", None),
            ("mr-tmp-0123456789abcdef-x", Some(Kind::Unfinished)),
        ] {
            assert_eq!(kind_of(name), expected, "{name}");
        }
    }

    #[test]
    fn unfinished_files_of_other_jobs_and_directories_are_told_apart() {
        let name = format!("{}x", unfinished(JobId(7)));
        assert!(is_unfinished(&name, JobId(7)) && !is_unfinished(&name, JobId(8)));
        assert!(!is_unfinished(&format!("{name}/../../etc"), JobId(7)));
        assert_eq!(kind_of(&name), Some(Kind::Unfinished));
    }
}
