//! Runs a test under many seeds.

use std::ops::Range;

use contract::record::Verdict;
use contract::settings::Policy;
use judge::{Error, Judge, Output, TestCase};
use serde::Serialize;

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    /// The seed.
    pub(crate) seed: u64,
    /// In a few words, what was seen.
    pub(crate) why: String,
}

/// How the runs of one test went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Sweep {
    /// The test.
    pub(crate) test: String,
    /// Whether its servers are processes, so that it runs in real time and no seed decides its
    /// course.
    pub(crate) real: bool,
    /// How many runs there were.
    pub(crate) runs: u64,
    /// How many of them proved nothing: a checker gave up, or the machine was in trouble.
    pub(crate) unknown: u64,
    /// Those that failed.
    pub(crate) failures: Vec<Failure>,
}

/// Which runs are to be made.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The seeds.
    pub(crate) seeds: Range<u64>,
    /// The policy.
    pub(crate) policy: Policy,
    /// Whether the first failure of a test is enough.
    pub(crate) extent: Extent,
}

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Up to the first failure.
    FirstFailure,
    /// All seeds.
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
                    sweep.failures.push(Failure { seed, why: run.reason().to_string() });
                    if plan.extent == Extent::FirstFailure {
                        break;
                    }
                }
            }
        }
        Ok(Some(sweep))
    }
}
