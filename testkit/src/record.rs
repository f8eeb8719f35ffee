//! What is said about a run that is over: to its judge, or to a file for people.
//!
//! See [`contract`] for how a run is judged, and why.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;

use contract::record::{Assignment, Record, Run, Verdict, part_of};
use contract::settings;
use labrpc::{Failure, FailureKind, Outcome, Policy, end_process};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio::dup2_stdin;

use crate::notes::Notes;
use crate::sim::Statistics;
use crate::test_path::TestPath;

/// Enough events to see some hundred messages, and few enough for a report of many failures.
const KEPT_EVENTS: usize = 1_000;

/// The first descriptor that is not one of the three standard ones.
const FIRST_FREE: i32 = 3;

/// What a judge has assigned to this process.
pub(crate) struct Assigned {
    /// What is to be done here.
    pub(crate) assignment: Assignment,
    /// Where the record goes. Close-on-exec: no other program can write to it.
    socket: UnixStream,
}

impl Assigned {
    /// The assignment; `None` if a person has started this process. The first call must come before
    /// any student code runs: it takes the socket away from standard input.
    ///
    /// # Panics
    /// If a judge is announced and cannot be understood.
    pub(crate) fn to_this_process() -> Option<&'static Self> {
        static ASSIGNED: OnceLock<Option<Assigned>> = OnceLock::new();
        ASSIGNED
            .get_or_init(|| {
                std::env::var_os(settings::JUDGED)?;
                let assigned = Self::receive();
                Some(assigned.unwrap_or_else(|problem| panic!("{}: {problem}", settings::JUDGED)))
            })
            .as_ref()
    }

    /// Moves the socket to a descriptor of its own and receives the assignment.
    fn receive() -> io::Result<Self> {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return Err(io::Error::other("standard input is a terminal and not a judge's socket"));
        }
        let socket = UnixStream::from(fcntl_dupfd_cloexec(stdin.as_fd(), FIRST_FREE)?);
        socket.peer_addr()?; // Fails unless it is a socket.
        dup2_stdin(File::open("/dev/null")?)?;
        let mut line = String::new();
        BufReader::new(&socket).read_line(&mut line)?;
        let assignment = Assignment::from_line(&line).map_err(io::Error::other)?;
        Ok(Self { assignment, socket })
    }

    /// Sends the record and ends the process, so that student code does not run again.
    fn send(&self, run: Run) -> ! {
        let code = if run.verdict.is_failure() { 101 } else { 0 };
        let record = Record::new(&*self.assignment.nonce, run).to_line();
        // A judge that has gone away does not want the record; without one the run has failed.
        (&self.socket).write_all(record.as_bytes()).ok();
        end_process(code)
    }
}

/// Says how a run went: to the judge, in which case the process ends here, or to the report file,
/// if there is to be one.
///
/// # Panics
/// If the report file cannot be written.
pub(crate) fn tell(run: &Run) {
    append(run);
    if let Some(assigned) = Assigned::to_this_process() {
        assigned.send(run.clone());
    }
}

/// Appends a run to the report file in one write.
fn append(run: &Run) {
    let path = std::env::var_os(settings::REPORT).filter(|path| !path.is_empty());
    let Some(path) = path else { return };
    let line = Record::new("", run.clone()).to_line();
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .unwrap_or_else(|error| panic!("{}: cannot append to {path:?}: {error}", settings::REPORT));
}

/// A run of which nothing is known yet, as if it were skipped.
pub(crate) fn skipped(test: &str, test_path: &TestPath, seed: u64) -> Run {
    let part = part_of(test).unwrap_or_default().to_uppercase();
    Run::new(&test_path.package, &part, test, seed, None)
}

/// The run with this outcome, without its failure.
pub(crate) fn run_of(
    test: &str,
    test_path: &TestPath,
    (seed, policy): (u64, Option<Policy>),
    outcome: &Outcome<Statistics>,
    notes: &Notes,
) -> Run {
    let kind = |failure: &Failure| kind_name(failure.kind).to_string();
    let events = outcome.result.as_ref().err().map_or(&[][..], |failure| &failure.events);
    Run {
        policy,
        verdict: verdict(outcome, notes),
        kind: outcome.result.as_ref().err().map(kind),
        virtual_seconds: outcome.virtual_time.as_secs_f64(),
        cpu_seconds: outcome.cpu_time.as_secs_f64(),
        events: outcome.events,
        trace_hash: format!("{:016x}", outcome.trace_hash),
        statistics: outcome.result.as_ref().ok().copied(),
        accidents: outcome.accidents.clone(),
        missing: outcome.missing.clone(),
        last_events: events[events.len().saturating_sub(KEPT_EVENTS)..].to_vec(),
        ..skipped(test, test_path, seed)
    }
}

/// The verdict on a run.
fn verdict(outcome: &Outcome<Statistics>, notes: &Notes) -> Verdict {
    match &outcome.result {
        Ok(_) if notes.unknown.is_some() => Verdict::Unknown,
        Ok(_) => Verdict::Pass,
        Err(Failure { divergence: Some(_), .. }) => Verdict::Diverged,
        Err(_) => Verdict::Fail,
    }
}

/// The name of a kind of failure in the record.
fn kind_name(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Panic => "panic",
        FailureKind::Deadlock => "deadlock",
        FailureKind::LockCycle => "lock-cycle",
        FailureKind::TimeLimit => "time-limit",
        FailureKind::TooManyTasks => "too-many-tasks",
        FailureKind::Spinning => "spinning",
        FailureKind::Blocked => "blocked",
        FailureKind::CpuLimit => "cpu-limit",
        FailureKind::Escape => "escape",
        FailureKind::Leak => "leak",
    }
}
