//! The processes that are running now: each leads a process group, and none outlives us.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// Why we ended a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Killed {
    /// It had not finished a run for too long.
    Hung,
    /// Nobody waits for its result any more.
    Unwanted,
}

/// All running children.
#[derive(Debug, Default)]
pub(crate) struct Children(Mutex<Running>);

/// What the lock guards.
#[derive(Debug, Default)]
struct Running {
    /// By process id.
    children: BTreeMap<i32, Watched>,
    /// Set when no child is wanted any more.
    closed: bool,
}

/// A child and its progress.
#[derive(Debug)]
struct Watched {
    /// The process group that it leads.
    group: Pid,
    /// The file that grows whenever a run is finished.
    report: PathBuf,
    /// How long the file was when it last grew.
    length: u64,
    /// When that was.
    since: Instant,
    /// Set when we end it.
    killed: Option<Killed>,
}

impl Children {
    /// Waits for a child that leads a group of its own; kills what is left of its group. Says
    /// whether and why it was us who ended it.
    ///
    /// # Panics
    /// If the child has been waited for already.
    pub(crate) fn wait(&self, child: &mut Child, report: &Path) -> Option<Killed> {
        let group = Pid::from_child(child);
        let id = group.as_raw_nonzero().get();
        let watched = Watched {
            group,
            report: report.to_path_buf(),
            length: 0,
            since: Instant::now(),
            killed: None,
        };
        let mut running = self.running();
        running.children.insert(id, watched);
        if running.closed {
            running.kill_all();
        }
        drop(running);
        // Wait without reaping: until we reap it, nobody else can get its process id.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(group), options) {}
        let watched = self.running().children.remove(&id);
        kill(group);
        watched.and_then(|watched| watched.killed)
    }

    /// Ends all children, and those to come as soon as they start.
    pub(crate) fn close(&self) {
        let mut running = self.running();
        running.closed = true;
        running.kill_all();
    }

    /// Ends children that have finished no run for this long.
    pub(crate) fn kill_hung(&self, patience: Duration) {
        for child in self.running().children.values_mut() {
            if child.since.elapsed() < patience || child.killed.is_some() {
                continue;
            }
            let length = fs::metadata(&child.report).map_or(0, |data| data.len());
            if length > child.length {
                (child.length, child.since) = (length, Instant::now());
            } else {
                child.killed = Some(Killed::Hung);
                kill(child.group);
            }
        }
    }

    /// The running children.
    fn running(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Ends all children.
    fn kill_all(&mut self) {
        for child in self.children.values_mut() {
            child.killed.get_or_insert(Killed::Unwanted);
            kill(child.group);
        }
    }
}

/// Kills all processes of a group.
fn kill(group: Pid) {
    kill_process_group(group, Signal::KILL).ok(); // It may have ended by itself.
}
