//! Runs tests and stores failing runs.

use std::fs;
use std::mem;
use std::path::{Path, PathBuf};

use contract::record::{Run, Verdict, file_name};
use contract::settings::Policy;
use judge::{Error, Judge, Output, TestCase};

use crate::results::run_dir::RunDir;

/// What all runs of a command share.
pub(crate) struct Runner {
    pub(crate) judge: Judge,
    /// The policy of tests that can run in virtual time; `None` for real threads.
    pub(crate) policy: Option<Policy>,
    /// Where results are stored.
    pub(crate) directory: RunDir,
    /// The seed whose runs are repeated in the same process, to find what a run leaves behind.
    pub(crate) repeated: Option<u64>,
    /// Whether passing runs are stored too.
    pub(crate) keep_all: bool,
    /// Whether the first failure stops the command.
    pub(crate) stop_at_failure: bool,
}

impl Runner {
    /// A runner that stores failing runs and does not stop at them.
    pub(crate) fn new(judge: Judge, policy: Option<Policy>, directory: RunDir) -> Self {
        Self { judge, policy, directory, repeated: None, keep_all: false, stop_at_failure: false }
    }

    /// Runs a test with a seed, and stores the run if it failed; `None` if it was stopped.
    pub(crate) fn run(&self, case: &TestCase, seed: u64) -> Result<Option<Run>, Error> {
        let output = match self.keep_all {
            true => Output::Log(self.make_run(case, seed)?.join("log.txt")),
            false => Output::Dropped,
        };
        let run = match self.repeated == Some(seed) && !case.health_check {
            true => self.judge.run_twice(case, seed, self.policy, &output)?,
            false => self.run_once(case, seed, &output)?,
        };
        let Some(mut run) = run else { return Ok(None) };
        self.keep(case, &mut run)?;
        if self.stop_at_failure && run.verdict.is_failure() {
            self.judge.stop().request();
        }
        Ok(Some(run))
    }

    /// Runs a test with a seed and writes its output to `output`.
    pub(crate) fn run_once(
        &self,
        case: &TestCase,
        seed: u64,
        output: &Output,
    ) -> Result<Option<Run>, Error> {
        self.judge.run(case, seed, self.policy, output)
    }

    /// The directory of a run.
    pub(crate) fn make_run(&self, case: &TestCase, seed: u64) -> Result<PathBuf, Error> {
        let name = file_name(&case.name, seed, case.policy(self.policy));
        self.directory.make_run(&name)
    }

    /// Stores a run that failed, or any run if all are stored. Its events go to a separate file.
    fn keep(&self, case: &TestCase, run: &mut Run) -> Result<(), Error> {
        if run.kind.as_deref() == Some("no-record") {
            self.directory.check_writable()?; // A full disk must not look like a failing test.
        }
        if run.verdict == Verdict::Pass && !self.keep_all {
            return Ok(());
        }
        let directory = self.make_run(case, run.seed)?;
        let log = directory.join("log.txt");
        // Many failures of one test teach little: only the first ones keep events and log.
        let is_wanted = self.directory.wants_log(case);
        if !is_wanted {
            run.last_events.clear();
        }
        self.write(case, run, &directory)?;
        // A second run with processes would differ: only the report describes the failure.
        let can_repeat = !self.keep_all && !case.real;
        let is_stopped = self.judge.stop().is_requested();
        if can_repeat && is_wanted && !is_stopped {
            let again = self.run_once(case, run.seed, &Output::Log(log.clone()))?;
            if let Some(again) = again
                && !case.health_check
                && run.is_replayable()
                && again.is_replayable()
                && (again.verdict, &again.trace_hash) != (run.verdict, &run.trace_hash)
            {
                self.directory.note_difference(&directory, run, &again)?;
            }
        }
        if fs::metadata(&log).is_ok_and(|data| data.len() == 0) {
            fs::remove_file(&log).ok(); // An empty log would mislead.
        }
        Ok(())
    }

    /// Writes what is known of a run into its directory.
    pub(crate) fn write(
        &self,
        case: &TestCase,
        run: &mut Run,
        directory: &Path,
    ) -> Result<(), Error> {
        let events = mem::take(&mut run.last_events);
        self.directory.write_verdict(directory, case, run, &events)
    }
}
