//! The search for a failing run with few accidents. Nothing here runs a test: the caller does, and
//! says what came of it.
//!
//! First, several seeds are run with no accident, with few and with all, because seeds differ more
//! than anything that can be done to one of them. Then the failing runs with the fewest accidents
//! are made smaller: a run is repeated with some of its accidents switched off, and if it still
//! fails, what happened in *that* run is the new list. A list says what may happen and not what may
//! not, so a run can only get calmer.

use std::collections::BTreeSet;

use contract::accidents::{Accident, AccidentId, AccidentKind, FULL_RATE};

/// How many of the draws in [`FULL_RATE`] become accidents, in the order in which they are tried.
const RATES: [u32; 3] = [0, 4, FULL_RATE];

/// The number of seeds to run after the given one.
const MORE_SEEDS: u64 = 40;

/// The number of failing runs that are made smaller.
pub(crate) const MOST_STARTS: usize = 3;

/// At the full rate, the number of failing runs after which no further one is looked for.
const ENOUGH: usize = 2 * MOST_STARTS;

/// With fewer accidents than this, a failing run needs no better start.
const FEW: usize = 40;

/// A list of accidents.
pub type Ids = BTreeSet<AccidentId>;

/// A run that breaks the property.
#[derive(Clone, Debug)]
pub struct Failing {
    /// The seed.
    pub seed: u64,
    /// What happened, in order of time.
    pub accidents: Vec<Accident>,
    /// Seconds of virtual time until the property broke.
    pub at: f64,
}

impl Failing {
    /// The list of what happened.
    pub fn ids(&self) -> Ids {
        self.accidents.iter().map(|accident| accident.id).collect()
    }

    /// Whether it is the better result: it has fewer accidents, or fails earlier with as many.
    pub(crate) fn is_better_than(&self, other: &Failing) -> bool {
        let (mine, its) = (self.accidents.len(), other.accidents.len());
        mine < its || (mine == its && self.at < other.at)
    }
}

/// What came of a run.
pub(crate) enum Outcome {
    /// It breaks the property.
    Fails(Failing),
    /// It does not.
    Differs,
    /// It was not made, because there is no more time.
    OutOfTime,
}

/// The seeds to run first, each with a rate.
pub(crate) fn seeds_and_rates(seed: u64) -> impl Iterator<Item = (u64, u32)> {
    let seeds = move |rate| (0..=MORE_SEEDS).map(move |more| (seed.wrapping_add(more), rate));
    RATES.into_iter().flat_map(seeds)
}

/// Whether the failing runs that were `found` suffice, before the next run at this rate.
pub(crate) fn suffices(found: &[Failing], rate: u32) -> bool {
    let is_calm = found.iter().any(|failing| failing.accidents.is_empty());
    match rate {
        0 => found.len() >= MOST_STARTS,
        FULL_RATE => {
            let few = found.iter().filter(|it| it.accidents.len() < FEW).count();
            is_calm || few >= MOST_STARTS || found.len() >= ENOUGH
        }
        _ => is_calm,
    }
}

/// The failing runs that are worth being made smaller: those with the fewest accidents.
pub(crate) fn best_starts(mut found: Vec<Failing>) -> Vec<Failing> {
    found.sort_by(|a, b| a.accidents.len().cmp(&b.accidents.len()).then(a.at.total_cmp(&b.at)));
    let mut seeds = BTreeSet::new();
    found.retain(|failing| seeds.insert(failing.seed));
    found.truncate(MOST_STARTS);
    found
}

/// Makes a failing run smaller. `run` repeats its seed with nothing but the listed accidents. The
/// result is minimal if there was time enough: without any one of its accidents the run differs.
pub(crate) fn shrink(start: Failing, run: impl FnMut(&Ids) -> Outcome) -> Failing {
    let mut shrinking = Shrinking { best: start, tried: BTreeSet::new(), run };
    // Out of time: the best so far is the result.
    let _: Option<()> = shrinking.by_kinds().and_then(|()| shrinking.by_parts());
    shrinking.best
}

/// A failing run, and the lists that were tried.
struct Shrinking<F> {
    best: Failing,
    tried: BTreeSet<Vec<AccidentId>>,
    run: F,
}

impl<F: FnMut(&Ids) -> Outcome> Shrinking<F> {
    /// Leaves out all accidents, and then those of each kind; `None` when out of time.
    fn by_kinds(&mut self) -> Option<()> {
        self.try_without(|_, _| true)?;
        let kinds: BTreeSet<AccidentKind> = self.best.accidents.iter().map(|it| it.kind).collect();
        for kind in kinds {
            self.try_without(|_, accident| accident.kind == kind)?;
        }
        Some(())
    }

    /// Delta debugging: leaves out groups of accidents, ever smaller ones, until none can be left
    /// out that has a single accident.
    fn by_parts(&mut self) -> Option<()> {
        let mut size = self.best.accidents.len().div_ceil(2);
        while size > 0 {
            let is_smaller = self.sweep(size)?;
            size = match size {
                1 if is_smaller => 1,
                1 => 0,
                _ => size.div_ceil(2).min(self.best.accidents.len()),
            };
        }
        Some(())
    }

    /// Leaves out one group of `size` accidents after the other, from the last to the first: most
    /// of what happened late is not needed. Whether any could be left out.
    fn sweep(&mut self, size: usize) -> Option<bool> {
        let mut is_smaller = false;
        let mut end = self.best.accidents.len();
        while end > 0 {
            let start = end.saturating_sub(size);
            let began = self.best.accidents[start].at;
            if self.try_without(|place, _| (start..end).contains(&place))? {
                // What happened in the new run may be less than what was left.
                end = self.best.accidents.iter().filter(|it| it.at < began).count();
                is_smaller = true;
            } else {
                end = start;
            }
        }
        Some(is_smaller)
    }

    /// Repeats the run without some accidents. If it still fails, and with fewer accidents, it is
    /// the best so far.
    fn try_without(&mut self, left_out: impl Fn(usize, &Accident) -> bool) -> Option<bool> {
        let accidents = self.best.accidents.iter().enumerate();
        let list: Ids =
            accidents.filter(|(i, it)| !left_out(*i, it)).map(|(_, it)| it.id).collect();
        if list.len() == self.best.accidents.len() {
            return Some(false);
        }
        if !self.tried.insert(list.iter().copied().collect()) {
            return Some(false);
        }
        match (self.run)(&list) {
            Outcome::Fails(failing) => {
                let is_smaller = failing.accidents.len() < self.best.accidents.len();
                if is_smaller {
                    self.best = failing;
                }
                Some(is_smaller)
            }
            Outcome::Differs => Some(false),
            Outcome::OutOfTime => None,
        }
    }
}

#[cfg(test)]
mod tests;
