//! A running process, as the other processes of its team see it.

use std::fs::{self, OpenOptions};
use std::io;
use std::process::{Child, ExitStatus};
use std::sync::Mutex;

use tempfile::NamedTempFile;

use crate::poison::unpoisoned;

/// The part of a process that others of its team can see.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) child: Mutex<Child>,
    /// The command line without directories.
    pub(crate) name: String,
    pub(crate) errors: Transcript,
}

impl Member {
    /// How it has ended; `None` if it still runs.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        let status = unpoisoned(self.child.lock()).try_wait();
        status.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// What it has written to standard error so far.
    pub(crate) fn errors(&self) -> String {
        self.errors.text()
    }
}

/// What a process writes. In a file: a pipe that is not read would fill up.
#[derive(Debug)]
pub(crate) struct Transcript(NamedTempFile);

impl Transcript {
    /// An empty one.
    pub(crate) fn new() -> io::Result<Self> {
        tempfile::Builder::new().prefix("transcript-").tempfile().map(Self)
    }

    /// Where the process writes. It appends, also while the file is read.
    pub(crate) fn writer(&self) -> io::Result<fs::File> {
        OpenOptions::new().append(true).open(self.0.path())
    }

    /// All that was written so far.
    pub(crate) fn text(&self) -> String {
        // It is shown to people, and not needed if it cannot be read.
        String::from_utf8_lossy(&fs::read(self.0.path()).unwrap_or_default()).into_owned()
    }
}
