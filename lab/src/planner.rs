//! Which seeds of which tests remain to be run, handed out in pieces.

use std::collections::BTreeSet;
use std::ops::Range;

/// How the pieces are handed out.
#[derive(Clone, Debug)]
pub(crate) struct PlannerSettings {
    /// How many tests there are.
    pub(crate) tests: usize,
    /// The seeds of the first round.
    pub(crate) seeds: Range<u64>,
    /// Seeds in a piece.
    pub(crate) piece: u64,
    /// All seeds of one test before the next test.
    pub(crate) sequential: bool,
    /// How rounds go on after the first one.
    pub(crate) rounds: Rounds,
}

/// What follows when all seeds have been handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounds {
    /// Nothing.
    One,
    /// Another round with so many times the seeds.
    Growing(u64),
    /// The first round has no end.
    Endless,
}

/// Hands out seeds. Each is handed out once.
#[derive(Debug)]
pub(crate) struct Planner {
    /// What is to be handed out, and how.
    settings: PlannerSettings,
    /// The next seed of each test.
    next: Vec<u64>,
    /// Seeds of the current round.
    round: Range<u64>,
    /// Seeds that an earlier command has run already.
    done: Vec<BTreeSet<u64>>,
    /// Whose turn it is.
    turn: usize,
}

/// Some seeds of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The number of the test.
    pub(crate) test: usize,
    /// The first seed.
    pub(crate) seed: u64,
    /// How many.
    pub(crate) runs: u64,
}

impl Planner {
    /// A planner for seeds of which `done` have been run, per test.
    pub(crate) fn new(settings: PlannerSettings, done: Vec<BTreeSet<u64>>) -> Self {
        let mut round = settings.seeds.clone();
        if settings.rounds == Rounds::Endless {
            round.end = u64::MAX;
        }
        let next = vec![round.start; settings.tests];
        Self { next, round, done, turn: 0, settings }
    }

    /// Seeds per test up to the end of this round; `None` if there is no end.
    pub(crate) fn seeds_per_test(&self) -> Option<u64> {
        let endless = self.settings.rounds == Rounds::Endless;
        (!endless).then(|| self.round.end - self.settings.seeds.start)
    }

    /// The next piece; `None` if nothing is left to do.
    pub(crate) fn next_piece(&mut self) -> Option<Piece> {
        if self.settings.seeds.is_empty() {
            return None;
        }
        loop {
            if let Some(piece) = self.piece_of_this_round() {
                return Some(piece);
            }
            let Rounds::Growing(factor) = self.settings.rounds else { return None };
            let length = (self.round.end - self.round.start).saturating_mul(factor.max(1));
            self.round = self.round.end..self.round.end.checked_add(length)?;
            self.turn = 0;
        }
    }

    /// The next piece of this round.
    fn piece_of_this_round(&mut self) -> Option<Piece> {
        let tests = self.settings.tests;
        for test in (0..tests).map(|offset| (self.turn + offset) % tests) {
            let done = &self.done[test];
            while self.next[test] < self.round.end && done.contains(&self.next[test]) {
                self.next[test] += 1;
            }
            let seed = self.next[test];
            let left = self.round.end - seed;
            if left == 0 {
                continue;
            }
            let most = self.settings.piece.min(left);
            let runs = (1..most).find(|run| done.contains(&(seed + run))).unwrap_or(most);
            self.next[test] += runs;
            self.turn = if self.settings.sequential { test } else { (test + 1) % tests };
            return Some(Piece { test, seed, runs });
        }
        None
    }
}

/// The seeds of shard `k` of `n`: every seed is in exactly one, and their sizes differ by one.
pub(crate) fn shard(seeds: Range<u64>, k: u64, n: u64) -> Range<u64> {
    let length = u128::from(seeds.end - seeds.start);
    let cut = |k: u64| seeds.start + (length * u128::from(k) / u128::from(n)) as u64;
    cut(k - 1)..cut(k)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All pieces, at most 20, as (test, seed, runs).
    fn pieces(mut planner: Planner) -> Vec<(usize, u64, u64)> {
        let pieces = std::iter::from_fn(move || planner.next_piece());
        pieces.take(20).map(|piece| (piece.test, piece.seed, piece.runs)).collect()
    }

    /// Two tests, the seeds 5..9 in pieces of three.
    fn settings() -> PlannerSettings {
        let rounds = Rounds::One;
        PlannerSettings { tests: 2, seeds: 5..9, piece: 3, sequential: false, rounds }
    }

    #[test]
    fn tests_take_turns_unless_sequential() {
        let planner = Planner::new(settings(), vec![BTreeSet::new(); 2]);
        assert_eq!(pieces(planner), [(0, 5, 3), (1, 5, 3), (0, 8, 1), (1, 8, 1)]);
        let sequential = PlannerSettings { sequential: true, ..settings() };
        let planner = Planner::new(sequential, vec![BTreeSet::new(); 2]);
        assert_eq!(pieces(planner), [(0, 5, 3), (0, 8, 1), (1, 5, 3), (1, 8, 1)]);
    }

    #[test]
    fn what_is_done_is_left_out() {
        let planner = Planner::new(settings(), vec![[5, 7].into(), [5, 6, 7, 8].into()]);
        assert_eq!(pieces(planner), [(0, 6, 1), (0, 8, 1)]);
    }

    #[test]
    fn rounds_grow_or_never_end() {
        let one = PlannerSettings { tests: 1, seeds: 0..1, piece: 2, ..settings() };
        let growing = PlannerSettings { rounds: Rounds::Growing(3), ..one.clone() };
        let planner = Planner::new(growing, vec![BTreeSet::new()]);
        assert_eq!(pieces(planner)[..4], [(0, 0, 1), (0, 1, 2), (0, 3, 1), (0, 4, 2)]);
        let endless = PlannerSettings { rounds: Rounds::Endless, ..one };
        let planner = Planner::new(endless, vec![BTreeSet::new()]);
        assert_eq!(planner.seeds_per_test(), None);
        assert_eq!(pieces(planner)[19], (0, 38, 2));
    }

    #[test]
    fn shards_cover_every_seed_once() {
        let shards: Vec<_> = (1..=3).map(|k| shard(10..20, k, 3)).collect();
        assert_eq!(shards, [10..13, 13..16, 16..20]);
        assert!(shard(0..2, 1, 4).is_empty());
    }
}
