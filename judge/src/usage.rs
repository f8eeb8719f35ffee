//! What the processes of a run use. It is read from `/proc`, so only Linux knows it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use rustix::param::page_size;
use rustix::process::{Pid, getpid};
use serde::{Deserialize, Serialize};

/// The bytes in one of the blocks that a file's metadata counts.
const BLOCK: u64 = 512;

/// Limits of what a run uses at any time. The default is to have no limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Bytes of resident memory of all its processes together.
    pub memory: Option<u64>,
    /// The number of its processes.
    pub processes: Option<usize>,
    /// Bytes in the directories that it may write to.
    pub directories: Option<u64>,
    /// Bytes of each file that it writes.
    pub file: Option<u64>,
    /// The number of files that each of its processes has open.
    pub open_files: Option<u64>,
}

/// A limit that a run has exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Excess {
    Memory,
    Processes,
    Directories,
}

impl Resources {
    /// Whether the launcher must look at what the run uses. The kernel itself enforces the limits
    /// of files.
    pub(crate) fn is_polled(&self) -> bool {
        self.memory.is_some() || self.processes.is_some() || self.directories.is_some()
    }

    /// The limit that the descendants of this process exceed, if any.
    pub(crate) fn excess(&self, directories: &[PathBuf]) -> Option<Excess> {
        let processes = descendants();
        let memory: u64 = processes.iter().map(|process| process.memory).sum();
        if self.memory.is_some_and(|limit| memory > limit) {
            return Some(Excess::Memory);
        }
        if self.processes.is_some_and(|limit| processes.len() > limit) {
            return Some(Excess::Processes);
        }
        let limit = self.directories?;
        let size: u64 = directories.iter().map(size_of).sum();
        (size > limit).then_some(Excess::Directories)
    }
}

/// A descendant of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descendant {
    pub(crate) id: Pid,
    /// Whether it is a child of this process.
    pub(crate) is_child: bool,
    /// Bytes of resident memory.
    memory: u64,
}

/// The descendants of this process according to `/proc`; none on systems without `/proc`.
pub(crate) fn descendants() -> Vec<Descendant> {
    let mut by_parent: BTreeMap<i32, Vec<(Pid, u64)>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        if let (Some(id), Some((parent, pages))) = (Pid::from_raw(id), parent_and_pages(&stat)) {
            by_parent.entry(parent).or_default().push((id, pages));
        }
    }
    let me = getpid().as_raw_nonzero().get();
    let (mut found, mut open) = (Vec::new(), vec![me]);
    while let Some(parent) = open.pop() {
        for (id, pages) in by_parent.remove(&parent).into_iter().flatten() {
            open.push(id.as_raw_nonzero().get());
            let memory = pages * page_size() as u64;
            found.push(Descendant { id, is_child: parent == me, memory });
        }
    }
    found
}

/// The parent and the number of resident pages in a line of `/proc/PID/stat`.
fn parent_and_pages(stat: &str) -> Option<(i32, u64)> {
    // pid (name) state parent ...; the name may hold anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let parent = fields.nth(1)?.parse().ok()?;
    // The 24th field of the line is the 22nd after the name.
    let pages = fields.nth(19)?.parse().ok()?;
    Some((parent, pages))
}

/// The bytes in a directory, without directories that are mounted in it.
fn size_of(directory: &PathBuf) -> u64 {
    let Ok(root) = fs::metadata(directory) else { return 0 };
    let (mut size, mut open) = (0, vec![directory.clone()]);
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let Ok(data) = entry.metadata() else { continue }; // Just removed.
            if data.dev() != root.dev() {
                continue;
            }
            size += data.blocks() * BLOCK;
            if data.is_dir() {
                open.push(entry.path());
            }
        }
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_processes_may_hold_anything() {
        let line = "42 (a) S 7 (b) R 1 42 42 0 -1 4194560 5 0 0 0 0 0 0 0 20 0 1 0 9 1000 77 18446";
        assert_eq!(parent_and_pages(line), Some((1, 77)));
        assert_eq!(parent_and_pages("42 (a) R 1"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_of_a_child_is_counted() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let found = descendants().into_iter().find(|it| it.id == Pid::from_child(&child));
        let limits = Resources { memory: Some(1), ..Resources::default() };
        let excess = limits.excess(&[]);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.is_some_and(|it| it.is_child));
        assert_eq!(excess, Some(Excess::Memory));
    }
}
