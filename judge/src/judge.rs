//! Runs tests and judges them.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use contract::record::{Assignment, Run, Verdict};
use contract::settings::{JUDGED, Policy, RECORD, VERBOSE};

use crate::error::Error;
use crate::launch::{adopt_orphans, own_program};
use crate::process::{Limits, Process, Wrap};
use crate::stop::Stop;
use crate::test_case::TestCase;
use crate::verdict;

/// The maximum number of bytes of all logs of a judge: a log statement in a loop must not fill the
/// disk.
const KEPT: u64 = 256 << 20;

/// The maximum number of bytes of one log.
const LOG: u64 = 64 << 20;

/// How long to wait before a second attempt to start a process: the machine may be short of
/// processes or memory for a moment.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Where the output of a process goes.
#[derive(Clone, Debug)]
pub enum Output {
    /// It is dropped, except its end.
    Dropped,
    /// To this file, with the log enabled.
    Log(PathBuf),
    /// To standard output, with the log enabled.
    Shown,
}

/// Runs tests, each in a separate process, and judges them. Threads can share it.
pub struct Judge {
    limits: Limits,
    stop: Stop,
    launcher: Vec<OsString>,
    wrap: Option<Wrap>,
    /// Bytes of logs that may still be written.
    room: AtomicU64,
}

impl Judge {
    /// A judge with these limits for each run. This program starts the runs, so it must call
    /// [`launcher_main`](crate::launcher_main) at the start of `main`.
    ///
    /// # Errors
    /// If the path of this program is not known.
    pub fn new(limits: Limits, stop: Stop) -> Result<Self, Error> {
        let program = own_program()
            .map_err(|error| Error::harness(format!("cannot find this program: {error}")))?;
        adopt_orphans();
        Ok(Self {
            limits,
            stop,
            launcher: vec![program.into()],
            wrap: None,
            room: AtomicU64::new(KEPT),
        })
    }

    /// Starts runs with this command line instead of this program.
    pub fn launcher(mut self, launcher: Vec<OsString>) -> Self {
        self.launcher = launcher;
        self
    }

    /// Changes the command of every run; see [`Wrap`].
    pub fn wrap(mut self, wrap: Wrap) -> Self {
        self.wrap = Some(wrap);
        self
    }

    /// The limits for each run.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// What stops its runs.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Runs a test once and judges it; `None` if it was stopped. A test that always runs in real
    /// time ignores `policy`.
    ///
    /// # Errors
    /// If the process cannot be run.
    pub fn run(
        &self,
        case: &TestCase,
        seed: u64,
        policy: Option<Policy>,
        output: &Output,
    ) -> Result<Option<Run>, Error> {
        let assignment = Assignment::new(&*case.name, seed, case.policy(policy));
        self.run_assigned(case, assignment, output, None)
    }

    /// As [`Judge::run`], but the process repeats a simulated run that passes: a run that leaves
    /// something behind which changes the next one has failed.
    ///
    /// # Errors
    /// If the process cannot be run.
    pub fn run_twice(
        &self,
        case: &TestCase,
        seed: u64,
        policy: Option<Policy>,
        output: &Output,
    ) -> Result<Option<Run>, Error> {
        let mut assignment = Assignment::new(&*case.name, seed, case.policy(policy));
        assignment.twice = true;
        self.run_assigned(case, assignment, output, None)
    }

    /// As [`Judge::run`], but checkers search for ten times as long before they give up.
    ///
    /// # Errors
    /// If the process cannot be run.
    pub fn run_patiently(
        &self,
        case: &TestCase,
        seed: u64,
        policy: Option<Policy>,
    ) -> Result<Option<Run>, Error> {
        let mut assignment = Assignment::new(&*case.name, seed, case.policy(policy));
        assignment.patient = true;
        self.run_assigned(case, assignment, &Output::Dropped, None)
    }

    /// Runs a test as `assignment` says, and once more if the machine prevented it; `None` if it was
    /// stopped. `recording` is the file for a recording of the run.
    ///
    /// # Errors
    /// If the process cannot be run.
    pub fn run_assigned(
        &self,
        case: &TestCase,
        assignment: Assignment,
        output: &Output,
        recording: Option<&Path>,
    ) -> Result<Option<Run>, Error> {
        self.run_limited(case, assignment, self.limits, output, recording)
    }

    /// As [`Judge::run_assigned`], but a process takes at most this time. Its output is dropped.
    ///
    /// # Errors
    /// If the process cannot be run.
    pub fn run_within(
        &self,
        case: &TestCase,
        assignment: Assignment,
        most: Duration,
    ) -> Result<Option<Run>, Error> {
        self.run_limited(case, assignment, self.limits.within(most), &Output::Dropped, None)
    }

    /// Runs a test, and once more if the machine prevented it.
    fn run_limited(
        &self,
        case: &TestCase,
        assignment: Assignment,
        limits: Limits,
        output: &Output,
        recording: Option<&Path>,
    ) -> Result<Option<Run>, Error> {
        let run = self.run_once(case, assignment.clone(), limits, output, recording)?;
        if !run.as_ref().is_some_and(|run| run.verdict == Verdict::Harness) {
            return Ok(run);
        }
        thread::sleep(RETRY_AFTER);
        self.run_once(case, assignment, limits, output, recording)
    }

    /// Runs a test once.
    fn run_once(
        &self,
        case: &TestCase,
        mut assignment: Assignment,
        limits: Limits,
        output: &Output,
        recording: Option<&Path>,
    ) -> Result<Option<Run>, Error> {
        let programs = case.build.programs();
        let name = programs.to_str().ok_or_else(|| {
            Error::harness(format!("{}: this path is not UTF-8", programs.display()))
        })?;
        assignment.programs = Some(name.to_string());
        let command = self.command(case, output, recording);
        // For a recording, the process runs the test again.
        let is_longer = assignment.twice || assignment.patient || recording.is_some();
        let limits = if is_longer { limits.doubled() } else { limits };
        let process = Process {
            launcher: &self.launcher,
            command,
            assignment: assignment.to_line(),
            limits,
            stop: &self.stop,
        };
        let mut log = Log::new(output, &self.room)?;
        let ended = process.run(&mut log)?;
        if let (Some(path), Some(recording)) = (recording, &ended.recording) {
            fs::write(path, recording).map_err(Error::file("write", path))?;
        }
        if case.health_check {
            return Ok(verdict::by_exit_code(case, &assignment, &ended, limits));
        }
        Ok(verdict::by_record(case, &assignment, &ended, limits))
    }

    /// The command line and environment of a process.
    fn command(&self, case: &TestCase, output: &Output, recording: Option<&Path>) -> Command {
        let mut command = case.build.command();
        command.args(["--exact", &case.path, "--test-threads", "1"]);
        if !case.health_check {
            // The output of the test goes to the log at once.
            command.env(JUDGED, "1").arg("--nocapture");
        }
        if !matches!(output, Output::Dropped) {
            command.env(VERBOSE, "1");
        }
        if let Some(path) = recording {
            command.env(RECORD, path);
        }
        match &self.wrap {
            Some(wrap) => wrap(command),
            None => command,
        }
    }
}

/// A log that is cut off at the limits.
struct Log<'a> {
    target: Option<Box<dyn Write>>,
    /// Bytes that may be written to it.
    left: u64,
    /// Bytes that may still be written to all logs together.
    room: &'a AtomicU64,
}

impl<'a> Log<'a> {
    /// The log for `output`.
    fn new(output: &Output, room: &'a AtomicU64) -> Result<Self, Error> {
        let (target, left): (Option<Box<dyn Write>>, u64) = match output {
            Output::Dropped => (None, 0),
            Output::Log(path) => {
                let file = File::create(path).map_err(Error::file("write", path))?;
                (Some(Box::new(file)), LOG)
            }
            Output::Shown => (Some(Box::new(io::stdout())), u64::MAX),
        };
        Ok(Self { target, left, room })
    }
}

impl Write for Log<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(target) = &mut self.target else { return Ok(bytes.len()) };
        let mut granted = self.left.min(bytes.len() as u64);
        if self.left != u64::MAX {
            let take = |room: u64| Some(room - granted.min(room));
            let room = self.room.fetch_update(Relaxed, Relaxed, take).unwrap_or_default();
            granted = granted.min(room);
            self.left -= granted;
        }
        let kept = granted as usize;
        let mut written = target.write_all(&bytes[..kept]);
        if kept < bytes.len() {
            written = written.and_then(|()| {
                let (log, all) = (LOG >> 20, KEPT >> 20);
                writeln!(
                    target,
                    "\nthe log is cut off here: the limit is {log} MiB each and {all} MiB in all"
                )
            });
            self.target = None;
        }
        written.map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.as_mut().map_or(Ok(()), |target| target.flush())
    }
}
