//! `bugs`: every mistake must be caught by a test.

use std::ops::Range;

use contract::record::Exit;
use judge::{Error, TestCase};

use super::markdown;
use super::patch::Patch;
use super::report::{Fate, Kill, PatchReport};
use super::session::{REAL_RUNS, Reference, Session};
use super::sweep::{Extent, Plan, Sweep};
use crate::cli::BugOptions;
use crate::progress;

/// The numbers of seeds after which the hunt checks whether a test has killed the bug.
const ROUNDS: [u64; 4] = [1, 4, 20, 100];

/// Runs the command.
///
/// # Errors
/// If nothing matches, or the harness fails.
pub(crate) fn run(options: &BugOptions) -> Result<Exit, Error> {
    let session = Session::open("bugs", &options.common)?;
    let report = session.report(|patch, reference, cases, report| {
        hunt(&session, options, (patch, reference), cases, report)
    })?;
    drop(session); // Removes the scratch tree and the progress line.
    if options.matrix {
        progress::print(&report.matrix());
    }
    if let Some(path) = &options.markdown {
        markdown::write(path, &report)?;
    }
    progress::print(&report.summary());
    Ok(report.exit())
}

/// Runs one bug until it is dead or has survived.
fn hunt(
    session: &Session<'_>,
    options: &BugOptions,
    (patch, reference): (&Patch, &Reference),
    mut cases: Vec<TestCase>,
    report: &mut PatchReport,
) -> Result<(), Error> {
    let extent = if options.matrix { Extent::AllSeeds } else { Extent::FirstFailure };
    let first = options.common.first_seed;
    let mut kills = Vec::new();
    for seeds in rounds(first, options.seeds.get(), options.matrix) {
        let plan = Plan { seeds, policy: options.policy, extent };
        let sweeps = session.sweep(&cases, &plan, &patch.to_string())?;
        report.runs += sweeps.iter().map(|sweep| sweep.runs).sum::<u64>();
        kills = confirmed(session, reference, &sweeps, &plan, report)?;
        report.sweeps = sweeps;
        if !kills.is_empty() {
            break;
        }
        // Tests with processes run at most REAL_RUNS times.
        cases.retain(|case| !case.real || plan.seeds.end < first + REAL_RUNS);
    }
    report.named = kills.first().and_then(|kill| patch.cause.named_in(&kill.reading));
    report.fate = fate(first, kills, &report.sweeps);
    Ok(())
}

/// Consecutive ranges of seeds, the first ones short: most bugs are killed at once.
fn rounds(first: u64, count: u64, all_at_once: bool) -> Vec<Range<u64>> {
    let mut ends: Vec<u64> =
        ROUNDS.into_iter().filter(|end| *end < count && !all_at_once).collect();
    ends.push(count);
    let starts = std::iter::once(0).chain(ends.clone());
    starts.zip(ends).map(|(start, end)| first + start..first + end).collect()
}

/// The first failure of each test, unless the reference fails with the same seed.
fn confirmed(
    session: &Session<'_>,
    reference: &Reference,
    sweeps: &[Sweep],
    plan: &Plan,
    report: &mut PatchReport,
) -> Result<Vec<Kill>, Error> {
    let mut kills = Vec::new();
    for sweep in sweeps {
        let Some(failure) = sweep.failures.first() else { continue };
        let kill = Kill::new(sweep, failure, plan.policy);
        if session.reference_passes(reference, &sweep.test, failure.seed, plan.policy)? {
            kills.push(kill);
        } else {
            report.broken_tests.push(kill);
        }
    }
    kills.sort_by_key(|kill| kill.seed);
    Ok(kills)
}

/// The result of a bug whose tests have run.
fn fate(first_seed: u64, kills: Vec<Kill>, sweeps: &[Sweep]) -> Fate {
    match kills.first() {
        Some(kill) => Fate::Killed { seeds: kill.seed - first_seed + 1, kills },
        None if sweeps.iter().any(|sweep| sweep.unknown > 0) => Fate::Inconclusive,
        None => Fate::Survived,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First seed and the one after the last of each round.
    fn bounds(first: u64, count: u64, all_at_once: bool) -> Vec<(u64, u64)> {
        let rounds = rounds(first, count, all_at_once);
        rounds.into_iter().map(|seeds| (seeds.start, seeds.end)).collect()
    }

    #[test]
    fn rounds_cover_all_seeds_once() {
        assert_eq!(bounds(1, 100, false), [(1, 2), (2, 5), (5, 21), (21, 101)]);
        assert_eq!(bounds(7, 20, false), [(7, 8), (8, 11), (11, 27)]);
        assert_eq!(bounds(1, 1, false), [(1, 2)]);
        assert_eq!(bounds(0, 300, false), [(0, 1), (1, 4), (4, 20), (20, 100), (100, 300)]);
        assert_eq!(bounds(1, 100, true), [(1, 101)]);
    }
}
