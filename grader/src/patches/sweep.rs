//! Runs a test with many seeds.

use std::ops::Range;

use contract::record::Verdict;
use contract::settings::Policy;
use judge::{Error, Judge, Output, TestCase};
use serde::Serialize;

use super::cause::Reading;

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    pub(crate) seed: u64,
    /// What the test observed, in a few words.
    pub(crate) why: String,
    /// What a student reads; empty for all but the first failure of a sweep.
    #[serde(skip)]
    pub(crate) reading: Reading,
}

/// The runs of one test.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Sweep {
    pub(crate) test: String,
    /// Whether its servers are processes, so that it runs in real time and a seed does not repeat
    /// a run.
    pub(crate) real: bool,
    /// The number of runs.
    pub(crate) runs: u64,
    /// The number of inconclusive runs: a checker reached its limit, or the machine had a problem.
    pub(crate) unknown: u64,
    pub(crate) failures: Vec<Failure>,
}

/// The runs to do.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seeds: Range<u64>,
    pub(crate) policy: Policy,
    pub(crate) extent: Extent,
}

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// After the first failure of a test.
    FirstFailure,
    /// After all seeds.
    AllSeeds,
}

impl Sweep {
    /// Runs a test as planned; `None` if it was stopped.
    ///
    /// # Errors
    /// If the test cannot be run.
    pub(crate) fn run(judge: &Judge, case: &TestCase, plan: &Plan) -> Result<Option<Self>, Error> {
        let mut sweep = Sweep { test: case.name.clone(), real: case.real, ..Sweep::default() };
        for seed in plan.seeds.clone() {
            let run = judge.run(case, seed, Some(plan.policy), &Output::Dropped)?;
            let Some(run) = run else { return Ok(None) };
            sweep.runs += 1;
            match run.verdict {
                Verdict::Pass | Verdict::Skipped => {}
                Verdict::Unknown | Verdict::Harness => sweep.unknown += 1,
                Verdict::Fail | Verdict::Diverged => {
                    let why = run.reason().to_string();
                    let failure = run.failure.filter(|_| sweep.failures.is_empty());
                    let reading = failure.map(|failure| Reading::new(&failure));
                    let reading = reading.unwrap_or_default();
                    sweep.failures.push(Failure { seed, why, reading });
                    if plan.extent == Extent::FirstFailure {
                        break;
                    }
                }
            }
        }
        Ok(Some(sweep))
    }
}
