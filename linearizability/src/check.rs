//! Splits a history into partitions and lets their searches take turns.

use std::collections::BTreeMap;

use crate::budget::{Accounted, Budget};
use crate::search::Decision;
use crate::window::Window;
use crate::{CheckResult, Limit, Limits, Model, Operation, PartitionReport, Report};

/// What a search may visit in its first turn; each turn is twice as long as the one before. A
/// partition that is easy to refute ends the check before the hard ones have cost much.
const FIRST_TURN: u64 = 512;

/// Decides whether `history` is linearizable. Stops at the first partition that is not.
///
/// # Panics
///
/// If an operation returns before it is called.
pub fn check<M: Model>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    limits: &Limits,
) -> CheckResult {
    let mut check = Check::new(model, history, limits);
    check.decide(Stop::AtFirstIllegal);
    check.into_report().result()
}

/// Decides every partition of `history`, and finds an illegal window in each illegal one.
///
/// The limits of memory and time apply to the whole call; the limit of configurations applies only
/// to the results. The search for an illegal window visits up to about twenty times as many
/// configurations as the refutation.
///
/// # Panics
///
/// If an operation returns before it is called.
pub fn explain<M: Model>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    limits: &Limits,
) -> Report<M::Key> {
    let mut check = Check::new(model, history, limits);
    check.decide(Stop::AfterAll);
    for partition in &mut check.partitions {
        if partition.report.result == CheckResult::Illegal {
            let PartitionReport { operations, configurations, .. } = &partition.report;
            let window =
                Window::find(model, history, operations, *configurations, &mut check.budget);
            partition.report.window = Some(window);
        }
    }
    check.into_report()
}

/// When a check ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// As soon as one partition is refuted.
    AtFirstIllegal,
    /// When all partitions are decided.
    AfterAll,
}

/// A check in progress.
struct Check<'h, M: Model> {
    /// The specification.
    model: &'h M,
    /// What is checked.
    history: &'h [Operation<M::Input, M::Output>],
    /// What may still be spent.
    budget: Budget,
    /// The parts of the object, by key.
    partitions: Vec<Partition<'h, M>>,
}

/// One part of the object.
struct Partition<'h, M: Model> {
    /// What was found out so far.
    report: PartitionReport<M::Key>,
    /// The search, while it is undecided and has had a turn.
    search: Option<Accounted<'h, M>>,
}

impl<'h, M: Model> Check<'h, M> {
    /// Splits the history.
    fn new(model: &'h M, history: &'h [Operation<M::Input, M::Output>], limits: &Limits) -> Self {
        let mut parts: BTreeMap<M::Key, Vec<usize>> = BTreeMap::new();
        for (index, operation) in history.iter().enumerate() {
            assert!(
                !operation.returned_before(operation.call_time),
                "operation {index} was called at {} but returned at {:?}",
                operation.call_time,
                operation.return_time,
            );
            parts.entry(model.partition(&operation.input)).or_default().push(index);
        }
        let partitions = parts
            .into_iter()
            .map(|(key, operations)| Partition {
                report: PartitionReport::undecided(key, operations),
                search: None,
            })
            .collect();
        Check { model, history, budget: Budget::new(limits), partitions }
    }

    /// Gives each partition turn after turn until all is decided or a limit is reached.
    fn decide(&mut self, stop: Stop) {
        let mut open: Vec<usize> = (0..self.partitions.len()).collect();
        let mut turn = FIRST_TURN;
        while !open.is_empty() {
            let mut still_open = Vec::new();
            for index in open {
                match self.take_turn(index, turn) {
                    Ok(Decision::Undecided) => still_open.push(index),
                    Ok(Decision::Illegal) if stop == Stop::AtFirstIllegal => return,
                    Ok(_) => {}
                    Err(limit) => self.partitions[index].report.limit = Some(limit),
                }
            }
            open = still_open;
            turn *= 2;
        }
    }

    /// Gives one partition a turn, and notes how far it came.
    fn take_turn(&mut self, index: usize, turn: u64) -> Result<Decision, Limit> {
        let Partition { report, search } = &mut self.partitions[index];
        let mut accounted = match search.take() {
            Some(accounted) => accounted,
            None => {
                let part = report.operations.iter().map(|index| self.history[*index].as_ref());
                self.budget.open(self.model, &part.collect::<Vec<_>>(), &[])?
            }
        };
        let decision = self.budget.run(&mut accounted, turn);
        report.configurations = accounted.search.configurations();
        match decision {
            Ok(Decision::Undecided) => {
                *search = Some(accounted);
                return decision;
            }
            Ok(Decision::Linearizable) => report.result = CheckResult::Ok,
            Ok(Decision::Illegal) => report.result = CheckResult::Illegal,
            Err(_) => {}
        }
        let order = accounted.search.linearization().iter();
        report.linearization = order.map(|id| report.operations[*id as usize]).collect();
        self.budget.close(accounted);
        decision
    }

    /// Hands over what was found out.
    fn into_report(self) -> Report<M::Key> {
        Report { partitions: self.partitions.into_iter().map(|part| part.report).collect() }
    }
}
