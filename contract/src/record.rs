//! The messages between a judge and the process that it judges: one line of JSON each.

mod exit;

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::accidents::{Accident, AccidentId, Accidents};
use crate::property;
use crate::settings::Policy;
use crate::story::Told;

pub use self::exit::Exit;

/// Incremented when a field of [`Assignment`] or [`Record`] changes its meaning or is removed.
pub const VERSION: u32 = 3;

/// A judge's request to a process: run one test with one seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    version: u32,
    /// A word that cannot be guessed, which the record must repeat.
    pub nonce: String,
    /// The test function: `initial_election_2a`.
    pub test: String,
    /// The seed.
    pub seed: u64,
    /// The policy of the simulation; `None` for real threads and real time.
    pub policy: Option<Policy>,
    /// Whether a simulated run that passes is repeated in the same process and compared.
    pub twice: bool,
    /// Whether checkers may search for ten times as long as usual before they give up.
    #[serde(default)]
    pub patient: bool,
    /// The directory of the programs of this build, if it is not the one that cargo uses.
    pub programs: Option<String>,
    /// The accidents that may happen; `None` for an ordinary run.
    #[serde(default)]
    pub accidents: Option<Accidents>,
    /// Set for one of many runs in the search for a smaller failure.
    #[serde(default)]
    pub trial: Option<Trial>,
}

/// How a run is cut short whose verdict is needed, but neither its log nor a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Milliseconds of virtual time after which it fails; `None` for the limit of the test.
    pub until: Option<u64>,
}

/// The reply of a process: the result of the run, and the nonce of its assignment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    version: u32,
    nonce: String,
    /// The result of the run.
    #[serde(flatten)]
    pub run: Run,
}

/// The result of one run: one test with one seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// The package: `raft`.
    pub lab: String,
    /// The part: `2A`.
    pub part: String,
    /// The test function: `initial_election_2a`.
    pub test: String,
    /// The seed.
    pub seed: u64,
    /// The policy; `None` on real threads.
    pub policy: Option<Policy>,
    /// The verdict.
    pub verdict: Verdict,
    /// The kind of failure, as named by the runtime or by the judge: `no-record`, `forged`,
    /// `crash`, `hang`, `cpu-limit`, `output`, `left-behind`; `None` unless the run failed.
    pub kind: Option<String>,
    /// Seconds of virtual time, or of real time on real threads.
    pub virtual_seconds: f64,
    /// Seconds of processor time; zero if not measured.
    pub cpu_seconds: f64,
    /// The number of events in the trace.
    pub events: u64,
    /// The hash of the trace: 16 hexadecimal digits.
    pub trace_hash: String,
    /// The cost of the run; `None` if it failed, and for tests with processes.
    pub statistics: Option<Statistics>,
    /// `None` unless the run failed.
    pub failure: Option<Failure>,
    /// The last events of the trace before the failure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_events: Vec<String>,
    /// The setting of the accidents that might happen, as `--only` takes it; `None` for an ordinary
    /// run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
    /// The accidents that have happened, in order; empty for an ordinary run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accidents: Vec<Accident>,
    /// The accidents that were allowed by name but did not happen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<AccidentId>,
    /// What led to the failure; empty unless the run was recorded and failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub story: Vec<Told>,
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The property that is violated: `one leader per term`.
    pub property: String,
    /// What the test observed instead.
    pub actual: String,
    /// The full report, in lines.
    pub report: String,
}

impl Failure {
    /// Whether the run ended at a function that is still to be written.
    pub fn is_unwritten(&self) -> bool {
        property::is_unwritten(&self.property)
    }
}

/// The verdict on a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All checks held.
    Pass,
    /// A property is violated, or the run ended without a valid record.
    Fail,
    /// A property is violated, and a replay of the seed led to a different run.
    Diverged,
    /// A checker reached its limit: neither passed nor failed.
    Unknown,
    /// The test does not run in this world.
    Skipped,
    /// The process could not be started. This is a problem of the machine, not of the code.
    Harness,
}

impl Verdict {
    /// Whether it counts as a failure of the code.
    pub fn is_failure(self) -> bool {
        matches!(self, Verdict::Fail | Verdict::Diverged)
    }

    /// How a command ends because of it.
    pub fn exit(self) -> Exit {
        match self {
            Verdict::Pass | Verdict::Skipped => Exit::Passed,
            Verdict::Fail | Verdict::Diverged => Exit::Failed,
            Verdict::Unknown => Exit::Inconclusive,
            Verdict::Harness => Exit::Harness,
        }
    }

    /// The verdict in capital letters, as it is printed.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "PASS",
            Verdict::Fail => "FAIL",
            Verdict::Diverged => "DIVERGED",
            Verdict::Unknown => "UNKNOWN",
            Verdict::Skipped => "SKIPPED",
            Verdict::Harness => "HARNESS",
        }
    }
}

/// The cost of a run, as the course's "Passed" line shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// The number of servers.
    pub peers: u64,
    /// The number of calls, including lost ones.
    pub rpcs: u64,
    /// Bytes of arguments sent and of replies delivered.
    pub bytes: u64,
    /// The number of commands that were agreed on, or of operations that clients completed.
    pub commits: u64,
}

impl Assignment {
    /// An assignment with a fresh nonce.
    pub fn new(test: impl Into<String>, seed: u64, policy: Option<Policy>) -> Self {
        let nonce = fresh_nonce();
        Self {
            version: VERSION,
            nonce,
            test: test.into(),
            seed,
            policy,
            twice: false,
            patient: false,
            programs: None,
            accidents: None,
            trial: None,
        }
    }

    /// The assignment as a line of JSON.
    pub fn to_line(&self) -> String {
        to_line(self)
    }

    /// Parses a line of JSON.
    ///
    /// # Errors
    /// If the line is not an assignment of this version.
    pub fn from_line(line: &str) -> Result<Self, RecordError> {
        from_line(line, "assignment")
    }

    /// The run that `line` reports, if `line` is the record for this assignment.
    ///
    /// # Errors
    /// If it is not; the error gives the reason.
    pub fn check(&self, line: &str) -> Result<Run, RecordError> {
        let record: Record = from_line(line, "record")?;
        let run = record.run;
        let problem = if record.nonce.is_empty() {
            "the record carries no nonce".to_string()
        } else if record.nonce != self.nonce {
            "the record carries another run's nonce".to_string()
        } else if run.test != self.test {
            format!("the record is of the test {}", run.test.escape_default())
        } else if run.seed != self.seed {
            format!("the record is of seed {}", run.seed)
        } else if run.policy != self.policy {
            match run.policy {
                Some(policy) => format!("the record is of a run under policy {policy}"),
                None => "the record is of a run in real time".to_string(),
            }
        } else {
            return Ok(run);
        };
        Err(RecordError(problem))
    }
}

impl Record {
    /// The record of a run.
    pub fn new(nonce: impl Into<String>, run: Run) -> Self {
        Self { version: VERSION, nonce: nonce.into(), run }
    }

    /// The record as a line of JSON.
    pub fn to_line(&self) -> String {
        to_line(self)
    }
}

impl Run {
    /// A run without a result; its verdict is [`Verdict::Skipped`].
    pub fn new(lab: &str, part: &str, test: &str, seed: u64, policy: Option<Policy>) -> Self {
        Self {
            lab: lab.to_string(),
            part: part.to_string(),
            test: test.to_string(),
            seed,
            policy,
            verdict: Verdict::Skipped,
            kind: None,
            virtual_seconds: 0.0,
            cpu_seconds: 0.0,
            events: 0,
            trace_hash: format!("{:016x}", 0),
            statistics: None,
            failure: None,
            last_events: Vec::new(),
            only: None,
            accidents: Vec::new(),
            missing: Vec::new(),
            story: Vec::new(),
        }
    }

    /// The seed and the world, as `cargo lab replay` takes them: `7741:stall`, `7741 --real`.
    pub fn seed_and_policy(&self) -> String {
        seed_and_policy(self.seed, self.policy)
    }

    /// Whether the seed determines the course of the run, so that another run of this build under
    /// the same seed must have the same hash. It does not where real time or the judge ended the
    /// run.
    pub fn is_replayable(&self) -> bool {
        let by_the_seed = ["panic", "deadlock", "lock-cycle", "time-limit", "too-many-tasks"];
        let kind = self.kind.as_deref();
        self.policy.is_some() && kind.is_none_or(|kind| by_the_seed.contains(&kind))
    }

    /// The command that replays the run.
    pub fn replay(&self) -> String {
        let only = self.only.as_ref().map_or(String::new(), |only| format!(" --only {only}"));
        format!("cargo lab replay {} {}{only}", self.test, self.seed_and_policy())
    }

    /// What the test observed, in one line; empty unless the run failed.
    pub fn reason(&self) -> &str {
        let actual = self.failure.as_ref().map_or("", |failure| &failure.actual);
        actual.lines().next().unwrap_or_default()
    }
}

/// A seed and a world as `cargo lab replay` takes them: `7741:stall`, `7741 --real`.
pub fn seed_and_policy(seed: u64, policy: Option<Policy>) -> String {
    match policy {
        Some(policy) => format!("{seed}:{policy}"),
        None => format!("{seed} --real"),
    }
}

/// A file name for a run: `figure8_2c_7741_stall`.
pub fn file_name(test: &str, seed: u64, policy: Option<Policy>) -> String {
    format!("{test}_{seed}_{}", policy.map_or("real", Policy::name))
}

/// The part that a test's name ends with, such as `2a` in `initial_election_2a`.
pub fn part_of(test: &str) -> Option<&str> {
    let (_, part) = test.rsplit_once('_')?;
    part.starts_with(|c: char| c.is_ascii_digit()).then_some(part)
}

/// `Test (2A): initial election ...`. A `part` at the end of the name is removed.
pub fn title(test: &str, part: &str) -> String {
    let name = test.rsplit_once('_');
    let name =
        name.filter(|(_, last)| last.eq_ignore_ascii_case(part)).map_or(test, |(name, _)| name);
    let name = name.replace('_', " ");
    match part {
        "" => format!("Test: {name} ..."),
        part => format!("Test ({}): {name} ...", part.to_uppercase()),
    }
}

/// Why a line is not a valid message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError(String);

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RecordError {}

/// A message as a line, with its newline.
fn to_line(message: &impl Serialize) -> String {
    serde_json::to_string(message).expect("a message has only plain fields") + "\n"
}

/// The message that a line carries.
fn from_line<T: DeserializeOwned>(line: &str, what: &str) -> Result<T, RecordError> {
    /// The field that all versions have in common.
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let malformed = |_| RecordError(format!("what arrived is not a valid {what}"));
    let Versioned { version } = serde_json::from_str(line).map_err(malformed)?;
    if version != VERSION {
        return Err(RecordError(format!(
            "the {what} has version {version} instead of {VERSION}: build the tests and the \
             command from the same tree"
        )));
    }
    serde_json::from_str(line).map_err(malformed)
}

/// A word that cannot be guessed.
fn fresh_nonce() -> String {
    let draw = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", draw(), draw())
}

#[cfg(test)]
mod tests;
