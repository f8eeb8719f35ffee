//! `lab-runs/<time>_<what>/`: the stored results of a command that ran tests.
//!
//! ```text
//! plan.json                     the tests, seeds and builds
//! runs.jsonl                    one line per finished run
//! summary.json, table.txt       the result, when the command has finished
//! figure8_2c_7741_stall/        a failing run:
//!     verdict.json report.txt replay.txt log.txt events.txt report.html
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use contract::record::Run;
use judge::{Error, TestCase};
use serde::{Deserialize, Serialize};

use super::clock;

/// The number of failing runs of a test that are stored with their log.
const LOGS_PER_TEST: u32 = 10;

/// The link to the directory of the latest command.
const LATEST: &str = "latest";

/// A directory of results that belongs to this process.
#[derive(Debug)]
pub(crate) struct RunDir {
    path: PathBuf,
    /// Locked while a process writes here.
    _lock: File,
    /// The number of logs of each test.
    logs: Mutex<BTreeMap<String, u32>>,
}

/// What is stored of a failing run: many failures of one test teach little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Verdict, report and replay command.
    Verdict,
    /// Its last events and its log too.
    Log,
    /// And the page that shows it.
    Picture,
}

/// The contents of `verdict.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptVerdict {
    /// The command that replays the run.
    pub(crate) replay: String,
    /// The hash of the build that failed.
    pub(crate) build: String,
    pub(crate) run: Run,
}

impl RunDir {
    /// Creates a new directory in `parent`.
    pub(crate) fn create(parent: &Path, what: &str) -> Result<Self, Error> {
        fs::create_dir_all(parent).map_err(Error::file("make", parent))?;
        let name = format!("{}_{what}", clock::stamp());
        for attempt in 1.. {
            let path = match attempt {
                1 => parent.join(&name),
                _ => parent.join(format!("{name}-{attempt}")),
            };
            match fs::create_dir(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                made => made.map_err(Error::file("make", &path))?,
            }
            if let Some(directory) = Self::open(&path)? {
                return Ok(directory);
            }
        }
        unreachable!("some number is free")
    }

    /// Opens a directory of an earlier command; `None` if that command is still running.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, Error> {
        let lock_path = path.join(".lock");
        let lock = File::create(&lock_path).map_err(Error::file("write", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(Error::file("lock", &lock_path)(error)),
        }
        let work = path.join(".work");
        fs::create_dir_all(&work).map_err(Error::file("make", &work))?;
        let path = path.to_path_buf();
        Ok(Some(Self { path, _lock: lock, logs: Mutex::default() }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A directory for temporary files.
    pub(crate) fn work(&self) -> PathBuf {
        self.path.join(".work")
    }

    /// Creates the directory of the run with this name.
    pub(crate) fn make_run(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.path.join(name);
        fs::create_dir_all(&path).map_err(Error::file("make", &path))?;
        Ok(path)
    }

    /// Counts a failing run of a test, and returns what should be stored of it.
    pub(crate) fn count_failure(&self, case: &TestCase) -> Detail {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let count = logs.entry(case.name.clone()).or_default();
        *count += 1;
        match *count {
            1 => Detail::Picture,
            2..=LOGS_PER_TEST => Detail::Log,
            _ => Detail::Verdict,
        }
    }

    /// Writes a run's verdict, report and events into its directory.
    pub(crate) fn write_verdict(
        &self,
        directory: &Path,
        case: &TestCase,
        run: &Run,
        events: &[String],
    ) -> Result<(), Error> {
        let (build, replay) = (case.build.hash().to_string(), run.replay());
        let kept = KeptVerdict { replay: replay.clone(), build, run: run.clone() };
        write_json(&directory.join("verdict.json"), &kept)?;
        write(&directory.join("replay.txt"), &format!("{replay}\n"))?;
        if let Some(failure) = &run.failure {
            write(&directory.join("report.txt"), &format!("{}\n", failure.report))?;
        }
        if !events.is_empty() {
            write(&directory.join("events.txt"), &(events.join("\n") + "\n"))?;
        }
        Ok(())
    }

    /// Notes that a run differed when it ran again for its log.
    pub(crate) fn note_difference(
        &self,
        directory: &Path,
        first: &Run,
        again: &Run,
    ) -> Result<(), Error> {
        let text = format!(
            "The same seed led to a different run when it ran again for its log:\n\
             first   {} hash {}\nsecond  {} hash {}\n\
             The code depends on something outside the simulation. The log shows the second run.\n",
            first.verdict.word(),
            first.trace_hash,
            again.verdict.word(),
            again.trace_hash
        );
        write(&directory.join("not-deterministic.txt"), &text)
    }

    /// Fails if nothing can be written here, for instance because the disk is full.
    pub(crate) fn check_writable(&self) -> Result<(), Error> {
        let path = self.work().join("probe");
        let probe = File::create(&path).and_then(|mut file| {
            file.write_all(&[0; 1 << 16])?;
            file.sync_all()
        });
        fs::remove_file(&path).ok(); // It may not have been created.
        probe.map_err(Error::file("write to", &self.path))
    }

    /// Makes `latest` point here. Two concurrent commands may do so in any order.
    pub(crate) fn link(&self) {
        let (Some(parent), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return;
        };
        let fresh = parent.join(format!(".latest-{}", std::process::id()));
        // The link is a convenience: some file systems have no links.
        symlink(name, &fresh).and_then(|()| fs::rename(&fresh, parent.join(LATEST))).ok();
    }

    /// Ends the use of the directory and keeps its contents.
    pub(crate) fn close(&self) {
        fs::remove_dir_all(self.work()).ok(); // Leftover files are hidden and small.
        fs::remove_file(self.path.join(".lock")).ok();
    }

    /// Removes the directory with its contents.
    pub(crate) fn discard(&self) -> Result<(), Error> {
        fs::remove_dir_all(&self.path).map_err(Error::file("remove", &self.path))?;
        if let Some(parent) = self.path.parent() {
            fs::remove_dir(parent).ok(); // Succeeds only if it contains no other run.
        }
        Ok(())
    }
}

/// A file to which lines of JSON are appended.
#[derive(Debug)]
pub(crate) struct JsonLines {
    path: PathBuf,
    file: File,
}

impl JsonLines {
    /// Appends to the file at `path`.
    pub(crate) fn append_to(path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        Ok(Self { path: path.to_path_buf(), file: file.map_err(Error::file("write", path))? })
    }

    /// Replaces the file at `path`.
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        let file = File::create(path).map_err(Error::file("write", path))?;
        Ok(Self { path: path.to_path_buf(), file })
    }

    /// Adds a line, in one write.
    pub(crate) fn push(&mut self, value: &impl Serialize) -> Result<(), Error> {
        let mut line = json(value);
        line.push('\n');
        self.file.write_all(line.as_bytes()).map_err(Error::file("write", &self.path))
    }
}

/// Writes a file.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(Error::file("write", path))
}

/// Writes a file of indented JSON.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).expect("only plain fields");
    write(path, &(text + "\n"))
}

/// A value as a line of JSON.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("only plain fields")
}

/// The directories of runs in `parent`, latest first.
pub(crate) fn list(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let is_run = |path: &PathBuf| path.is_dir() && !path.is_symlink();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_run).collect();
    paths.sort_by(|a, b| b.cmp(a));
    paths
}
