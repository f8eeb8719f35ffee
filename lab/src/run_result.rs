//! How one run went: one test under one seed.

use serde::{Deserialize, Serialize};

use crate::record::{Statistics, Verdict};
use crate::test_case::{TestCase, World};

/// The result of a run, as a completion record has it, as it is kept in `runs.jsonl`, and printed
/// with `--json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunResult {
    /// The package.
    pub(crate) lab: String,
    /// The part.
    pub(crate) part: String,
    /// The function.
    pub(crate) test: String,
    /// The seed.
    pub(crate) seed: u64,
    /// The policy; `null` on real threads.
    pub(crate) policy: Option<String>,
    /// The verdict.
    pub(crate) verdict: Verdict,
    /// What kind of failure it was: the runtime's word, or `no-record`, `crash`, `hang`.
    pub(crate) kind: Option<String>,
    /// Seconds of virtual time.
    pub(crate) virtual_seconds: f64,
    /// Seconds of processor time; zero where nobody measured it.
    pub(crate) cpu_seconds: f64,
    /// Events in the trace.
    pub(crate) events: u64,
    /// The trace's hash.
    pub(crate) trace_hash: String,
    /// What the run cost, unless it failed.
    pub(crate) statistics: Option<Statistics>,
    /// The report of the failure.
    pub(crate) failure: Option<String>,
    /// The last events before the failure, which are kept in a file of their own.
    #[serde(default, skip_serializing)]
    pub(crate) last_events: Vec<String>,
}

impl RunResult {
    /// A run that left no record, with what we know instead.
    pub(crate) fn without_record(
        case: &TestCase,
        world: &World,
        seed: u64,
        verdict: Verdict,
        failure: Option<(&str, String)>,
    ) -> Self {
        let (kind, failure) = failure.unzip();
        Self {
            lab: case.lab.clone(),
            part: case.part.clone(),
            test: case.name.clone(),
            seed,
            policy: world.policy.clone(),
            verdict,
            kind: kind.map(str::to_string),
            virtual_seconds: 0.0,
            cpu_seconds: 0.0,
            events: 0,
            trace_hash: format!("{:016x}", 0),
            statistics: None,
            failure,
            last_events: Vec::new(),
        }
    }

    /// The world of the run.
    pub(crate) fn world(&self) -> World {
        World { policy: self.policy.clone() }
    }

    /// `initial_election_2a 7741:stall`.
    pub(crate) fn run(&self) -> String {
        format!("{} {}", self.test, self.world().run(self.seed))
    }

    /// The line that replays the run.
    pub(crate) fn replay(&self) -> String {
        format!("cargo lab replay {}", self.run())
    }

    /// The most telling line of the report: what was seen, else its first line.
    pub(crate) fn reason(&self) -> &str {
        let report = self.failure.as_deref().unwrap_or_default();
        let actual = report.lines().find_map(|line| line.trim_start().strip_prefix("actual"));
        actual.or_else(|| report.lines().next()).unwrap_or_default().trim()
    }
}
