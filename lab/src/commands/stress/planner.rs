//! Decides which test and seed run next.

use std::collections::BTreeSet;
use std::ops::Range;

/// The order in which seeds are handed out.
#[derive(Clone, Debug)]
pub(crate) struct PlannerSettings {
    /// The number of tests.
    pub(crate) tests: usize,
    /// The seeds of the first round.
    pub(crate) seeds: Range<u64>,
    /// Whether all seeds of one test come before the next test.
    pub(crate) sequential: bool,
    pub(crate) rounds: Rounds,
}

/// What follows the first round of seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounds {
    /// Nothing.
    One,
    /// Further rounds, each with this number of times the seeds of the previous one.
    Growing(u64),
    /// The first round has no end.
    Endless,
}

/// Hands out seeds. Each is handed out once.
#[derive(Debug)]
pub(crate) struct Planner {
    settings: PlannerSettings,
    /// The next seed of each test.
    next: Vec<u64>,
    /// Seeds of the current round.
    round: Range<u64>,
    /// Seeds that an earlier command has run.
    done: Vec<BTreeSet<u64>>,
    /// The test whose turn it is.
    turn: usize,
}

/// A run to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// The number of the test.
    pub(crate) test: usize,
    pub(crate) seed: u64,
    /// Seeds per test up to the end of this round; `None` for an endless round.
    pub(crate) seeds_per_test: Option<u64>,
}

impl Planner {
    /// A planner that leaves out the seeds that were `done` before, by test.
    pub(crate) fn new(settings: PlannerSettings, done: Vec<BTreeSet<u64>>) -> Self {
        let mut round = settings.seeds.clone();
        if settings.rounds == Rounds::Endless {
            round.end = u64::MAX;
        }
        let next = vec![round.start; settings.tests];
        Self { next, round, done, turn: 0, settings }
    }

    /// The next job of this round.
    fn job_of_this_round(&mut self) -> Option<Job> {
        let tests = self.settings.tests;
        for test in (0..tests).map(|offset| (self.turn + offset) % tests) {
            while self.next[test] < self.round.end && self.done[test].contains(&self.next[test]) {
                self.next[test] += 1;
            }
            let seed = self.next[test];
            if seed == self.round.end {
                continue;
            }
            self.next[test] += 1;
            self.turn = if self.settings.sequential { test } else { (test + 1) % tests };
            let is_endless = self.settings.rounds == Rounds::Endless;
            let seeds_per_test = self.round.end - self.settings.seeds.start;
            return Some(Job {
                test,
                seed,
                seeds_per_test: (!is_endless).then_some(seeds_per_test),
            });
        }
        None
    }
}

impl Iterator for Planner {
    type Item = Job;

    fn next(&mut self) -> Option<Job> {
        if self.settings.seeds.is_empty() {
            return None;
        }
        loop {
            if let Some(job) = self.job_of_this_round() {
                return Some(job);
            }
            let Rounds::Growing(factor) = self.settings.rounds else { return None };
            let length = (self.round.end - self.round.start).saturating_mul(factor.max(1));
            self.round = self.round.end..self.round.end.checked_add(length)?;
            self.turn = 0;
        }
    }
}

/// The seeds of shard `k` of `n`. Every seed is in exactly one shard, and the sizes of the shards
/// differ by at most one.
pub(crate) fn shard(seeds: Range<u64>, k: u64, n: u64) -> Range<u64> {
    let length = u128::from(seeds.end - seeds.start);
    let cut = |k: u64| seeds.start + (length * u128::from(k) / u128::from(n)) as u64;
    cut(k - 1)..cut(k)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first 20 jobs, as (test, seed).
    fn jobs(planner: Planner) -> Vec<(usize, u64)> {
        planner.take(20).map(|job| (job.test, job.seed)).collect()
    }

    /// Two tests, the seeds 5 and 6.
    fn settings() -> PlannerSettings {
        PlannerSettings { tests: 2, seeds: 5..7, sequential: false, rounds: Rounds::One }
    }

    #[test]
    fn tests_take_turns_unless_sequential() {
        let planner = Planner::new(settings(), vec![BTreeSet::new(); 2]);
        assert_eq!(jobs(planner), [(0, 5), (1, 5), (0, 6), (1, 6)]);
        let sequential = PlannerSettings { sequential: true, ..settings() };
        let planner = Planner::new(sequential, vec![BTreeSet::new(); 2]);
        assert_eq!(jobs(planner), [(0, 5), (0, 6), (1, 5), (1, 6)]);
    }

    #[test]
    fn what_is_done_is_left_out() {
        let planner = Planner::new(settings(), vec![[5].into(), [5, 6].into()]);
        assert_eq!(jobs(planner), [(0, 6)]);
    }

    #[test]
    fn rounds_grow_or_never_end() {
        let one = PlannerSettings { tests: 1, seeds: 0..1, ..settings() };
        let growing = PlannerSettings { rounds: Rounds::Growing(3), ..one.clone() };
        let planner = Planner::new(growing, vec![BTreeSet::new()]);
        let totals: Vec<_> = planner.take(5).map(|job| job.seeds_per_test).collect();
        assert_eq!(totals, [Some(1), Some(4), Some(4), Some(4), Some(13)]);
        let endless = PlannerSettings { rounds: Rounds::Endless, ..one };
        let planner = Planner::new(endless, vec![BTreeSet::new()]);
        assert_eq!(jobs(planner)[19], (0, 19));
    }

    #[test]
    fn shards_cover_every_seed_once() {
        let shards: Vec<_> = (1..=3).map(|k| shard(10..20, k, 3)).collect();
        assert_eq!(shards, [10..13, 13..16, 16..20]);
        assert!(shard(0..2, 1, 4).is_empty());
    }
}
