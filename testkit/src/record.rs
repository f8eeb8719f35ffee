//! The completion record: how a grader learns that a test passed.
//!
//! Neither the exit code nor anything on standard output can be trusted, since student code runs in
//! the same process: it may call `std::process::exit(0)` or print `test result: ok`. So each run
//! appends one line of JSON to the file that `LAB_REPORT` names, after its student code has ended,
//! and the line carries a nonce that student code has never seen:
//!
//! * the grader makes a pipe, writes a fresh nonce into it, closes its end, and starts the test
//!   with the number of the reading end in `LAB_NONCE_FD`;
//! * the harness reads the pipe to its end before any student code runs; what is read from a pipe
//!   is gone, so nobody can read it again;
//! * a pass without a line is a fail, and so is a line without the nonce. Of several lines for one
//!   run only the first counts: a later one may copy the nonce of an earlier.
//!
//! So a process that is graded runs one test under one seed (`--exact`, `LAB_RUNS` unset).

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::sync::OnceLock;

use labrpc::{Failure, FailureKind, Outcome};
use serde::Serialize;

use crate::board::Notes;
use crate::output::claim_and_part;
use crate::place::Place;
use crate::sim::Statistics;

/// Raised whenever a field of [`Record`] changes its meaning or goes away.
const VERSION: u32 = 1;

/// How a run is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// Everything was as promised.
    Pass,
    /// A promise was broken.
    Fail,
    /// A promise was broken, and a replay of the seed went another way.
    Diverged,
    /// A checker gave up: neither passed nor failed.
    Unknown,
    /// The test does not run in this world.
    Skipped,
}

impl Verdict {
    /// The verdict on a run.
    pub(crate) fn of(outcome: &Outcome<Statistics>, notes: &Notes) -> Self {
        match &outcome.result {
            Ok(_) if notes.unknown.is_some() => Verdict::Unknown,
            Ok(_) => Verdict::Pass,
            Err(Failure { divergence: Some(_), .. }) => Verdict::Diverged,
            Err(_) => Verdict::Fail,
        }
    }
}

/// One line of the report file.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Record {
    /// The version of this schema.
    version: u32,
    /// What the grader wrote into the pipe; empty if there was none.
    nonce: &'static str,
    /// The package that was tested: `raft`.
    lab: String,
    /// `2A`.
    part: String,
    /// `initial_election_2a`.
    test: String,
    /// Its name for cargo: `election_2a::initial_election_2a`.
    path: String,
    /// The seed.
    seed: u64,
    /// The policy; `null` on real threads.
    pub(crate) policy: Option<String>,
    /// The verdict.
    verdict: Verdict,
    /// What kind of failure it was, in the runtime's words; `null` unless it failed.
    kind: Option<String>,
    /// Seconds of virtual time, or of real time on real threads.
    virtual_seconds: f64,
    /// Seconds of processor time; zero on real threads.
    cpu_seconds: f64,
    /// Events in the trace.
    events: u64,
    /// The trace's hash, 16 digits in base 16.
    trace_hash: String,
    /// What the run cost; `null` if it failed, and for tests with processes.
    pub(crate) statistics: Option<Statistics>,
    /// The report; `null` unless it failed.
    pub(crate) failure: Option<String>,
    /// The last events of the trace before the failure, at most [`KEPT_EVENTS`].
    last_events: Vec<String>,
}

/// Enough to see some hundred messages, and little enough for a report of many failures.
const KEPT_EVENTS: usize = 1_000;

impl Record {
    /// The record of a run, without policy and report.
    pub(crate) fn of(
        test: &str,
        place: &Place,
        seed: u64,
        verdict: Verdict,
        outcome: &Outcome<Statistics>,
    ) -> Self {
        let kind = |failure: &Failure| kind_name(failure.kind).to_string();
        let events = outcome.result.as_ref().err().map_or(&[][..], |failure| &failure.events);
        Self {
            verdict,
            kind: outcome.result.as_ref().err().map(kind),
            virtual_seconds: outcome.virtual_time.as_secs_f64(),
            cpu_seconds: outcome.cpu_time.as_secs_f64(),
            events: outcome.events,
            trace_hash: format!("{:016x}", outcome.trace_hash),
            statistics: outcome.result.as_ref().ok().copied(),
            last_events: events[events.len().saturating_sub(KEPT_EVENTS)..].to_vec(),
            ..Self::skipped(test, place, seed)
        }
    }

    /// The record of a test that does not run here.
    pub(crate) fn skipped(test: &str, place: &Place, seed: u64) -> Self {
        Self {
            version: VERSION,
            nonce: read_nonce(),
            lab: place.package.clone(),
            part: claim_and_part(test).1.unwrap_or_default().to_uppercase(),
            test: test.to_string(),
            path: place.path.clone(),
            seed,
            policy: None,
            verdict: Verdict::Skipped,
            kind: None,
            virtual_seconds: 0.0,
            cpu_seconds: 0.0,
            events: 0,
            trace_hash: format!("{:016x}", 0),
            statistics: None,
            failure: None,
            last_events: Vec::new(),
        }
    }
}

/// The name of a kind of failure in the schema.
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
    }
}

/// The nonce, which the first call in a process reads from the pipe; empty if there is no pipe.
///
/// # Panics
/// If `LAB_NONCE_FD` names no descriptor that can be read.
pub(crate) fn read_nonce() -> &'static str {
    static NONCE: OnceLock<String> = OnceLock::new();
    NONCE.get_or_init(|| {
        let Ok(descriptor) = std::env::var("LAB_NONCE_FD") else { return String::new() };
        let mut nonce = String::new();
        File::open(format!("/dev/fd/{descriptor}"))
            .and_then(|mut pipe| pipe.read_to_string(&mut nonce))
            .unwrap_or_else(|error| panic!("LAB_NONCE_FD: cannot read {descriptor}: {error}"));
        nonce.trim_end().to_string()
    })
}

/// Appends a record to the report file, if there is to be one, in one write.
///
/// # Panics
/// If the file cannot be written: a run without a record would count as failed.
pub(crate) fn append(record: &Record) {
    let Some(path) = std::env::var_os("LAB_REPORT").filter(|path| !path.is_empty()) else { return };
    let mut line = serde_json::to_string(record).expect("a record has only plain fields");
    line.push('\n');
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .unwrap_or_else(|error| panic!("LAB_REPORT: cannot append to {path:?}: {error}"));
}
