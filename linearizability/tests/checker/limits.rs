//! Limits are kept, and results under them are reproducible.

use std::time::Duration;

use crate::synthetic::{KvWorkload, Random, lose_an_append};
use linearizability::{
    CasRegister, CheckResult, KvModel, Limit, Limits, Operation, RegisterInput, RegisterOutput,
    check, explain,
};

/// A history that is illegal, but so that only a very long search shows it: many concurrent
/// writes, of which some could explain each read, and a last read that nothing explains.
fn hard_history() -> Vec<Operation<RegisterInput, RegisterOutput>> {
    let mut history = Vec::new();
    for value in 0..40 {
        history.push(Operation::completed(
            value,
            RegisterInput::Cas { expected: value as i64 % 7, new: value as i64 % 5 },
            RegisterOutput::Swapped,
            value,
            1000,
        ));
        history.push(Operation::pending(100 + value, RegisterInput::Write(value as i64), value));
    }
    let output = RegisterOutput::Value(Some(-1));
    history.push(Operation::completed(99, RegisterInput::Read, output, 2000, 2001));
    history
}

/// The result is unknown when the configurations run out, with the same count every time.
#[test]
fn configurations_are_limited() {
    let limits = Limits { configurations: 3000, ..Limits::default() };
    for _ in 0..2 {
        let report = explain(&CasRegister, &hard_history(), &limits);
        assert_eq!(report.result(), CheckResult::Unknown);
        assert_eq!(report.partitions[0].limit, Some(Limit::Configurations));
        assert_eq!(report.partitions[0].configurations, 3000);
    }
}

/// The result is unknown when the memory runs out.
#[test]
fn memory_is_limited() {
    let limits = Limits { configurations: u64::MAX, memory: 4 << 20, time: None };
    let report = explain(&CasRegister, &hard_history(), &limits);
    assert_eq!(report.result(), CheckResult::Unknown);
    assert_eq!(report.partitions[0].limit, Some(Limit::Memory));
}

/// The result is unknown when the time is over.
#[test]
fn time_is_limited() {
    let time = Some(Duration::from_millis(20));
    let limits = Limits { configurations: u64::MAX, time, ..Limits::default() };
    let report = explain(&CasRegister, &hard_history(), &limits);
    assert_eq!(report.result(), CheckResult::Unknown);
    assert_eq!(report.partitions[0].limit, Some(Limit::Time));
}

/// One hard part of the object does not keep another from being refuted.
#[test]
fn partitions_take_turns() {
    let workload = KvWorkload { clients: 20, operations: 2000, keys: 10, ..KvWorkload::default() };
    let history = workload.history(5);
    let bad = lose_an_append(&history, &mut Random::new(5)).unwrap();
    let limits = Limits { configurations: 4000, ..Limits::default() };
    assert_eq!(check(&KvModel, &history, &limits), CheckResult::Ok);
    assert_eq!(check(&KvModel, &bad, &limits), CheckResult::Illegal);
}
