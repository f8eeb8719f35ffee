//! A program under test.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::settings::{forget_settings, forget_verbosity};
use labrpc::{Instant, sleep};
use rustix::process::{Pid, Signal, kill_process};

use crate::member::{Member, Transcript};
use crate::poison::unpoisoned;
use crate::record::Assigned;
use crate::team::{Team, summary};

/// How long a process may run unless a test says otherwise: many times what it needs, also on a
/// machine with forty times as much to do as it can.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// Pause between two looks at a process.
const GLANCE: Duration = Duration::from_millis(10);

/// A process of a program under test. It is killed when this is dropped, so that none outlives its
/// test, however that ends.
///
/// What it writes is kept, for tests that look at it and for the report of a failure.
#[derive(Debug)]
pub struct Process {
    /// What its team looks at, too.
    member: Arc<Member>,
    team: Option<Team>,
    started: Instant,
    time_limit: Duration,
    output: Transcript,
}

impl Process {
    /// Starts a program. Its standard input is empty, and its environment holds nothing that is
    /// meant for the test.
    ///
    /// # Panics
    /// If it cannot be started.
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let name = name_of(command);
        Self::try_start(command, name.clone()).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Starts a program, unless the system refuses.
    fn try_start(command: &mut Command, name: String) -> io::Result<Self> {
        let (output, errors) = (Transcript::new()?, Transcript::new()?);
        forget_verbosity(forget_settings(command));
        command.stdin(Stdio::null()).stdout(output.writer()?).stderr(errors.writer()?);
        let child = command.spawn()?;
        let started = Instant::now();
        let member = Arc::new(Member { child: Mutex::new(child), name, errors });
        Ok(Self { member, team: None, started, time_limit: TIME_LIMIT, output })
    }

    /// Makes it the process that the others of `team` work for.
    pub fn leading(mut self, team: &Team) -> Self {
        team.set_leader(&self.member);
        self.team = Some(team.clone());
        self
    }

    /// Makes it one that works for the leader of `team`.
    pub fn working_in(mut self, team: &Team) -> Self {
        team.add_worker(&self.member);
        self.team = Some(team.clone());
        self
    }

    /// It may end at any moment, for instance because the test's own code in it does so.
    pub fn may_die(self) -> Self {
        self.team.iter().for_each(Team::allow_deaths);
        self
    }

    /// Grants it this long, instead of two minutes.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        unpoisoned(self.member.child.lock()).id()
    }

    /// How it has ended; `None` if it still runs.
    ///
    /// # Panics
    /// If it has been running for longer than it may, or if its team sees a reason why the test
    /// cannot pass.
    #[track_caller]
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.member.status();
        if let Some(team) = &self.team {
            team.check(status.is_some());
        }
        if status.is_none() && self.started.elapsed() > self.time_limit {
            let (name, limit) = (&self.member.name, self.time_limit);
            self.fail(
                format!("{} ends within {limit:?}", self.program()),
                format!("{name} runs for more than {limit:?}"),
            );
        }
        status
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not come in time.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            sleep(GLANCE);
        }
    }

    /// Waits for its end, which must be a success.
    ///
    /// # Panics
    /// If it is not.
    #[track_caller]
    pub fn succeed(&mut self) {
        let status = self.wait();
        if !status.success() {
            self.fail(
                format!("{} ends with exit code 0", self.program()),
                format!("{} ended with {status}", self.member.name),
            );
        }
    }

    /// Waits for its end with this exit code, and returns what it said.
    ///
    /// # Panics
    /// If it ends otherwise.
    #[track_caller]
    pub fn fail_with(mut self, code: i32) -> String {
        let status = self.wait();
        if status.code() != Some(code) {
            self.fail(
                format!("{} ends with exit code {code}", self.program()),
                format!("{} ended with {status}", self.member.name),
            );
        }
        self.errors()
    }

    /// Fails the test, and quotes what this process and the others of its team said.
    #[track_caller]
    fn fail(&self, property: String, actual: String) -> ! {
        let actual = format!("{actual}: {}", summary(&self.errors()));
        match &self.team {
            Some(team) => team.fail(&property, actual, &self.member),
            None => panic!("{actual}"),
        }
    }

    /// The name of its program.
    fn program(&self) -> &str {
        self.member.name.split(' ').next().unwrap_or_default()
    }

    /// What it has written to standard output so far.
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// What it has written to standard error so far.
    pub fn errors(&self) -> String {
        self.member.errors()
    }

    /// Kills it, as with `kill -9`, and waits for its end.
    pub fn kill(&mut self) {
        if let Some(team) = &self.team {
            team.remove(&self.member);
        }
        self.end();
    }

    /// Ends it, unless it has ended by itself.
    fn end(&self) {
        let mut child = unpoisoned(self.member.child.lock());
        child.kill().ok();
        child.wait().ok();
    }

    /// Interrupts it, as with Ctrl-C.
    ///
    /// # Panics
    /// If it has ended already.
    #[track_caller]
    pub fn interrupt(&self) {
        let child = unpoisoned(self.member.child.lock());
        let interrupted = kill_process(Pid::from_child(&child), Signal::INT);
        assert!(interrupted.is_ok(), "{} has ended already", self.member.name);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// The program, without its directory, and its arguments.
fn name_of(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default().to_string();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// Where a program of the lab is: `built`, which is `env!("CARGO_BIN_EXE_<name>")`, unless the
/// judge of this process names another directory, in which no later build replaces it.
///
/// # Panics
/// If `built` has no name.
pub fn program(built: &str) -> PathBuf {
    let built = Path::new(built);
    let kept = Assigned::to_this_process().and_then(|it| it.assignment.programs.as_ref());
    match kept {
        Some(directory) => {
            Path::new(directory).join(built.file_name().expect("a program has a name"))
        }
        None => built.to_path_buf(),
    }
}
