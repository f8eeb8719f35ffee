//! Names of a job's files, and files that appear under their name only when they are complete.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// What names of unfinished files begin with. They must not look like outputs.
const UNFINISHED: &str = "mr-tmp-";

/// The intermediate file from map task `map` for reduce task `reduce`.
pub(crate) fn intermediate(map: u32, reduce: u32) -> String {
    format!("mr-{map}-{reduce}")
}

/// The output of reduce task `reduce`.
pub(crate) fn output(reduce: u32) -> String {
    format!("mr-out-{reduce}")
}

/// Where unfinished files are made: in the directory of the finished ones, so that renaming them is
/// atomic. A file that is not renamed is removed by whoever made it, or, if that process was
/// killed, by the next job in the directory.
#[derive(Clone, Debug)]
pub(crate) struct Scratch {
    directory: PathBuf,
    prefix: &'static str,
}

impl Scratch {
    /// For tasks of a job in this directory.
    pub(crate) fn for_tasks(directory: &Path) -> Self {
        Self { directory: directory.into(), prefix: UNFINISHED }
    }

    /// For the sequential program, which may run beside a job.
    pub(crate) fn for_sequential(directory: &Path) -> Self {
        Self { directory: directory.into(), prefix: "mr-sequential-tmp-" }
    }

    /// A new file.
    pub(crate) fn create(&self) -> io::Result<NamedTempFile> {
        let mut builder = Builder::new();
        // As any other file of the user: the crate's own default is for secrets.
        builder.prefix(self.prefix).permissions(Permissions::from_mode(0o666));
        builder.tempfile_in(&self.directory)
    }
}

/// Whether this is the name of an unfinished file: what a worker reports is not trusted.
pub(crate) fn is_unfinished(name: &str) -> bool {
    name.starts_with(UNFINISHED) && !name.contains('/')
}

/// Removes what a job leaves in its directory: all of it, or only what is unfinished.
pub(crate) fn remove(directory: &Path, what: Remove) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let is_wanted = match what {
            Remove::Unfinished => is_unfinished(name),
            Remove::Everything => is_unfinished(name) || is_of_a_job(name),
        };
        if is_wanted && let Err(error) = fs::remove_file(entry.path()) {
            // Whoever made it may have removed it just now.
            if error.kind() != io::ErrorKind::NotFound {
                return Err(crate::run_file::about(&entry.path(), &error));
            }
        }
    }
    Ok(())
}

/// What to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remove {
    /// Files that a killed worker has left.
    Unfinished,
    /// These, and intermediate files and outputs.
    Everything,
}

/// Whether this is the name of an intermediate file or an output.
fn is_of_a_job(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let parts = name.strip_prefix("mr-").and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(x, y)| (x == "out" || is_number(x)) && is_number(y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_a_job_are_removed() {
        for (name, expected) in [
            ("mr-0-9", true),
            ("mr-out-12", true),
            ("mr-out", false),
            ("mr-out-", false),
            ("mr-out-x", false),
            ("mr-1-2-3", false),
            ("mr.sock", false),
            ("pg-1-2", false),
        ] {
            assert_eq!(is_of_a_job(name), expected, "{name}");
        }
        assert!(is_unfinished("mr-tmp-x") && !is_unfinished("mr-tmp-x/../../etc"));
    }
}
