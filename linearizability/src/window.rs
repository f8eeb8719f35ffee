//! Finds the few operations that make a history illegal.

use std::fmt;

use crate::budget::Budget;
use crate::model::Kind;
use crate::picture::{self, Bar};
use crate::search::Decision;
use crate::{Limit, Model, Operation};

/// What one trial may visit, in which most operations are left out.
const TRIAL_CONFIGURATIONS: u64 = 1 << 14;

/// How many trials are made for a window.
const MAX_TRIALS: u32 = 500;

/// How many of them may each visit all that one may visit.
const FULL_TRIALS: u64 = 32;

/// What a trial without anything left out may visit, measured in what the refutation visited.
const REFUTATIONS: u64 = 4;

/// How many such trials a binary search may take.
const BISECTIONS: u64 = 16;

/// How many trials may be spent on operations that were called only later.
const LATE_TRIALS: u32 = 60;

/// How many operations a picture shows.
const MAX_BARS: usize = 24;

/// How many operations of each kind are looked at first.
const FIRST_GUESS: usize = 4;

/// Operations that contradict each other, whatever the other operations did.
///
/// The window alone is illegal: there would be no linearization even if all other operations that
/// were called meanwhile had been executed at any times, any number of times. If any operation is
/// left out of the window, the rest is not illegal, unless the search stopped early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The operations: indices into the history, ascending.
    pub operations: Vec<usize>,
    /// Whether it is certain that no operation can be left out.
    pub is_minimal: bool,
    /// One sentence that says what the contradiction is.
    pub reason: String,
    /// The operations as intervals: one line a client, time from left to right, not to scale.
    pub picture: String,
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n\n{}", self.reason, self.picture)
    }
}

impl Window {
    /// Finds a window in one partition, whose `operations` were found to be illegal after visiting
    /// this number of `configurations`.
    pub(crate) fn find<M: Model>(
        model: &M,
        history: &[Operation<M::Input, M::Output>],
        operations: &[usize],
        configurations: u64,
        budget: &mut Budget,
    ) -> Self {
        let refutation = TRIAL_CONFIGURATIONS + REFUTATIONS * configurations;
        budget.configurations = FULL_TRIALS * TRIAL_CONFIGURATIONS + BISECTIONS * refutation;
        let mut by_call = operations.to_vec();
        by_call.sort_by_key(|index| (history[*index].call_time, *index));
        let part = by_call.iter().map(|index| history[*index].as_ref()).collect();
        let mut reduction = Reduction {
            model,
            part,
            budget,
            refutation,
            horizon: u64::MAX,
            trials: MAX_TRIALS,
            is_minimal: true,
        };
        let kept = reduction.reduce();
        let is_minimal = reduction.is_minimal;
        let window: Vec<_> = kept.iter().map(|id| history[by_call[*id]].as_ref()).collect();
        let mut operations: Vec<usize> = kept.iter().map(|id| by_call[*id]).collect();
        operations.sort_unstable();
        Window {
            operations,
            is_minimal,
            reason: reason(model, &window),
            picture: draw(model, &window),
        }
    }
}

/// The model's explanation, or the bare fact.
fn reason<M: Model>(model: &M, window: &[Operation<&M::Input, &M::Output>]) -> String {
    model.reason(window).unwrap_or_else(|| {
        let subject = match window.len() {
            1 => "this operation cannot have had this outcome".to_string(),
            count => format!("no order of these {count} operations explains their outcomes"),
        };
        format!("{subject}, whatever other operations did")
    })
}

/// The picture of a window, or of its end if it is large.
fn draw<M: Model>(model: &M, window: &[Operation<&M::Input, &M::Output>]) -> String {
    let hidden = window.len().saturating_sub(MAX_BARS);
    let bars = window[hidden..].iter().map(|operation| Bar {
        client: operation.client,
        label: model.describe(operation.input, operation.output),
        call_time: operation.call_time,
        return_time: operation.return_time,
    });
    let picture = picture::draw(&bars.collect::<Vec<_>>());
    match hidden {
        0 => picture,
        _ => format!("({hidden} operations that were called earlier are not shown)\n{picture}"),
    }
}

/// Leaves out operations for as long as the rest is illegal.
///
/// A history that is illegal without a read is illegal with it. To leave out an operation that may
/// change the state is to let it be executed at any time, any number of times: if there is no
/// linearization even so, there is none at all. Both only ever permit more, so an operation that
/// was needed once is needed in every smaller window as well.
struct Reduction<'h, 'b, M: Model> {
    /// The specification.
    model: &'h M,
    /// The partition, in the order of the calls.
    part: Vec<Operation<&'h M::Input, &'h M::Output>>,
    /// What may be spent.
    budget: &'b mut Budget,
    /// What the search in a whole history may visit.
    refutation: u64,
    /// What is called after this time is not looked at.
    horizon: u64,
    /// How many trials may still be made.
    trials: u32,
    /// Whether every recent trial was decided.
    is_minimal: bool,
}

impl<'h, M: Model> Reduction<'h, '_, M> {
    /// Some operations none of which can be left out, ascending.
    fn reduce(&mut self) -> Vec<usize> {
        self.horizon = self.first_illegal_return();
        let kept = self.guess();
        let kept = self.minimize(kept);
        self.add_late_writes(kept)
    }

    /// Looks beyond the horizon: if what contradicts `kept` there is that something was seen before
    /// it was called, the window is clearer with it. If that is not certain, `kept` will do.
    fn add_late_writes(&mut self, kept: Vec<usize>) -> Vec<usize> {
        let horizon = std::mem::replace(&mut self.horizon, u64::MAX);
        let is_minimal = std::mem::replace(&mut self.is_minimal, true);
        self.trials = self.trials.min(LATE_TRIALS);
        if !self.is_illegal(&kept) && self.is_minimal {
            let is_late = |id: &usize| self.part[*id].call_time > horizon && !self.is_read(*id);
            let late = (0..self.part.len()).filter(is_late);
            let clearer = self.minimize(kept.iter().copied().chain(late).collect());
            if self.is_minimal && self.is_illegal(&clearer) {
                return clearer;
            }
        }
        self.is_minimal = is_minimal;
        kept
    }

    /// When the first operation returned that cannot be explained by what had been called by then.
    fn first_illegal_return(&mut self) -> u64 {
        let mut returns: Vec<u64> = self.part.iter().filter_map(|op| op.return_time).collect();
        returns.sort_unstable();
        let mut illegal = returns.len() - 1;
        let mut legal = 0;
        while legal < illegal {
            let middle = (legal + illegal) / 2;
            self.horizon = returns[middle];
            if self.is_illegal_by_horizon() {
                illegal = middle;
            } else {
                legal = middle + 1;
            }
        }
        returns[illegal]
    }

    /// Whether the history is illegal even if it is broken off at the horizon.
    fn is_illegal_by_horizon(&mut self) -> bool {
        let called = (0..self.part.len()).filter(|id| self.part[*id].call_time <= self.horizon);
        let operations: Vec<_> = called.map(|id| self.by_horizon(id)).collect();
        self.decide(&operations, &[], self.refutation) == Some(Decision::Illegal)
    }

    /// What is known of an operation at the horizon.
    fn by_horizon(&self, id: usize) -> Operation<&'h M::Input, &'h M::Output> {
        let operation = self.part[id];
        match operation.return_time {
            Some(time) if time <= self.horizon => operation,
            _ => Operation { output: None, return_time: None, ..operation },
        }
    }

    /// Operations that are illegal, whatever the others did. Most contradictions are between a few
    /// neighbours, many of them between reads, and those are found fastest.
    fn guess(&mut self) -> Vec<usize> {
        let mut count = FIRST_GUESS;
        while count < self.part.len() {
            for writes in [0, count] {
                let guess = self.last_returned(count, writes);
                if self.is_illegal(&guess) {
                    return guess;
                }
            }
            count *= 4;
        }
        self.last_returned(count, count)
    }

    /// This number of the operations called by the horizon, ascending: those that returned last,
    /// and pending ones only if the others are not enough.
    fn last_returned(&self, reads: usize, writes: usize) -> Vec<usize> {
        let has_returned = |id: usize| self.part[id].return_time.is_some_and(|t| t <= self.horizon);
        let called = (0..self.part.len()).filter(|id| self.part[*id].call_time <= self.horizon);
        let mut called: Vec<usize> = called.collect();
        called.sort_by_key(|id| (has_returned(*id), self.part[*id].return_time, *id));
        let last = called.iter().rev().copied();
        let last_reads = last.clone().filter(|id| self.is_read(*id) && has_returned(*id));
        let last_writes = last.filter(|id| !self.is_read(*id));
        let mut last: Vec<usize> = last_reads.take(reads).chain(last_writes.take(writes)).collect();
        last.sort_unstable();
        last
    }

    /// Leaves out ever smaller chunks (delta debugging: Zeller & Hildebrandt 2002).
    fn minimize(&mut self, mut kept: Vec<usize>) -> Vec<usize> {
        let mut chunk = kept.len().div_ceil(2);
        loop {
            // The latest go first: so the window is about the first thing that went wrong.
            let mut end = kept.len();
            self.is_minimal = true;
            while end > 0 {
                let begin = end.saturating_sub(chunk);
                let fewer = [&kept[..begin], &kept[end..]].concat();
                // A history without operations is legal.
                if !fewer.is_empty() && self.is_illegal(&fewer) {
                    kept = fewer;
                }
                end = begin;
            }
            if chunk <= 1 {
                return kept;
            }
            chunk = chunk.div_ceil(2);
        }
    }

    /// Whether the `kept` operations are illegal, whatever the others did that were called by the
    /// horizon.
    fn is_illegal(&mut self, kept: &[usize]) -> bool {
        let operations: Vec<_> = kept.iter().map(|id| self.by_horizon(*id)).collect();
        let is_ambient = |id: &usize| {
            self.part[*id].call_time <= self.horizon
                && !self.is_read(*id)
                && kept.binary_search(id).is_err()
        };
        let ambient: Vec<_> =
            (0..self.part.len()).filter(is_ambient).map(|id| self.by_horizon(id)).collect();
        let configurations = TRIAL_CONFIGURATIONS + 2 * kept.len() as u64;
        let decision = self.decide(&operations, &ambient, configurations);
        self.is_minimal &= decision.is_some();
        decision == Some(Decision::Illegal)
    }

    /// The outcome of a search, unless it costs too much.
    fn decide(
        &mut self,
        operations: &[Operation<&M::Input, &M::Output>],
        ambient: &[Operation<&M::Input, &M::Output>],
        configurations: u64,
    ) -> Option<Decision> {
        self.trials = self.trials.checked_sub(1)?;
        let mut search = self.budget.open(self.model, operations, ambient).ok()?;
        let decision = self.budget.run(&mut search, configurations);
        self.budget.close(search);
        if decision == Err(Limit::Time) {
            self.trials = 0;
        }
        decision.ok().filter(|decision| *decision != Decision::Undecided)
    }

    /// Whether an operation never changes the state.
    fn is_read(&self, id: usize) -> bool {
        let Operation { input, output, .. } = self.part[id];
        self.model.kind(input, output) == Kind::Read
    }
}
