//! Runs tests and stores failing runs.

use std::fs;
use std::mem;
use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::accidents::Accidents;
use contract::record::{Assignment, Run, Verdict, file_name};
use contract::settings::Policy;
use judge::{Error, Judge, Limits, Output, Resources, Stop, TestCase};

use crate::results::run_dir::{self, Detail, RunDir};

/// The page that shows a run, in the run's directory.
pub(crate) const PICTURE: &str = "report.html";

/// Bytes that a run may print before it is stopped: a log statement in an endless loop never ends.
const OUTPUT: u64 = 1 << 30;

/// A judge that stops a run after this number of seconds, of real time or of processor time.
pub(crate) fn judge(patience: u64, stop: Stop) -> Result<Judge, Error> {
    let wall = Duration::from_secs(patience);
    Judge::new(
        Limits { wall, cpu: Some(wall), output: OUTPUT, resources: Resources::default() },
        stop,
    )
}

/// What all runs of a command share.
pub(crate) struct Runner {
    pub(crate) judge: Judge,
    /// The policy of tests that can run in virtual time; `None` for real threads.
    pub(crate) policy: Option<Policy>,
    /// The accidents that may happen; `None` for ordinary runs.
    pub(crate) accidents: Option<Accidents>,
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
        Self {
            judge,
            policy,
            accidents: None,
            directory,
            repeated: None,
            keep_all: false,
            stop_at_failure: false,
        }
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
        self.judge.run_assigned(case, self.assignment(case, seed), output, None)
    }

    /// As [`Runner::run_once`], and writes a recording of the run to a file.
    pub(crate) fn record(
        &self,
        case: &TestCase,
        seed: u64,
        output: &Output,
        recording: &Path,
    ) -> Result<Option<Run>, Error> {
        self.judge.run_assigned(case, self.assignment(case, seed), output, Some(recording))
    }

    /// What a process is to run.
    fn assignment(&self, case: &TestCase, seed: u64) -> Assignment {
        let mut assignment = Assignment::new(&*case.name, seed, case.policy(self.policy));
        assignment.accidents.clone_from(&self.accidents);
        assignment
    }

    /// As [`Runner::run_once`], and writes the page that shows the run into the run's directory.
    pub(crate) fn draw(
        &self,
        case: &TestCase,
        seed: u64,
        output: &Output,
    ) -> Result<Option<Run>, Error> {
        let directory = self.make_run(case, seed)?;
        let file = directory.join("recording.jsonl");
        let run = self.record(case, seed, output, &file)?;
        // A run that was killed leaves no recording. The page contains what there is.
        if let Ok(recording) = fs::read_to_string(&file)
            && !recording.is_empty()
        {
            run_dir::write(&directory.join(PICTURE), &picture::html(&recording))?;
        }
        fs::remove_file(&file).ok(); // It may not exist.
        Ok(run)
    }

    /// The page that shows a run, if it was drawn.
    pub(crate) fn picture(&self, run: &Run) -> Option<PathBuf> {
        let name = file_name(&run.test, run.seed, run.policy);
        let path = self.directory.path().join(name).join(PICTURE);
        path.exists().then_some(path)
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
        let detail = self.directory.count_failure(case);
        if detail == Detail::Verdict {
            run.last_events.clear();
        }
        self.write(case, run, &directory)?;
        // A second run with processes would differ: only the report describes the failure.
        let can_repeat = !self.keep_all && !case.real;
        let is_stopped = self.judge.stop().is_requested();
        if can_repeat && detail != Detail::Verdict && !is_stopped {
            let output = Output::Log(log.clone());
            let again = match detail == Detail::Picture && run.is_replayable() {
                true => self.draw(case, run.seed, &output)?,
                false => self.run_once(case, run.seed, &output)?,
            };
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
