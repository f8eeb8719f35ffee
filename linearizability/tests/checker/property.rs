//! The checker against the brute-force search, on many small random histories.

use crate::brute_force;
use crate::synthetic::{Random, SmallHistories, kv_answer};
use linearizability::{
    CasRegister, CheckResult, Kind, KvInput, KvModel, Limits, Model, Operation, RegisterInput,
    RegisterOutput, Report, check, explain,
};

/// How many histories are checked for each model.
const HISTORIES: u64 = 120_000;

/// Few values, some of which are prefixes of others or empty.
pub fn kv_inputs() -> Vec<KvInput> {
    let mut inputs = vec![KvInput::get("k"), KvInput::get("k"), KvInput::get("k")];
    for value in ["a", "b", "ab", ""] {
        inputs.push(KvInput::put("k", value));
        inputs.push(KvInput::append("k", value));
    }
    inputs
}

/// All that can be asked of a register with two values.
pub fn register_inputs() -> Vec<RegisterInput> {
    let mut inputs = vec![RegisterInput::Read, RegisterInput::Read];
    for expected in 0..2 {
        inputs.push(RegisterInput::Write(expected));
        for new in 0..2 {
            inputs.push(RegisterInput::Cas { expected, new });
        }
    }
    inputs
}

/// The right answer of a register.
pub fn register_answer(state: &Option<i64>, input: &RegisterInput) -> RegisterOutput {
    match *input {
        RegisterInput::Read => RegisterOutput::Value(*state),
        RegisterInput::Write(_) => RegisterOutput::Written,
        RegisterInput::Cas { expected, .. } if *state == Some(expected) => RegisterOutput::Swapped,
        RegisterInput::Cas { .. } => RegisterOutput::Mismatch,
    }
}

/// The result of the brute-force search.
pub fn truth<M: Model>(model: &M, history: &[Operation<M::Input, M::Output>]) -> CheckResult {
    if brute_force::is_linearizable(model, history) {
        CheckResult::Ok
    } else {
        CheckResult::Illegal
    }
}

/// Checks many histories, and that what is found out of them is true.
fn compare<M: Model>(histories: &SmallHistories<'_, M>, seed: u64)
where
    M::Input: Clone,
    M::Output: Clone,
{
    let limits = Limits::default();
    let mut random = Random::new(seed);
    let mut illegal = 0;
    for number in 0..HISTORIES {
        let history = histories.draw(&mut random);
        let truth = truth(histories.model, &history);
        let result = check(histories.model, &history, &limits);
        assert_eq!(result, truth, "seed {seed}, history {number}: {history:#?}");
        let report = explain(histories.model, &history, &limits);
        assert_eq!(report.result(), truth, "seed {seed}, history {number}: {history:#?}");
        verify_linearization(histories.model, &history, &report);
        if result == CheckResult::Illegal {
            illegal += 1;
            verify_window(histories.model, &history, &report);
        }
    }
    assert!((HISTORIES / 10..HISTORIES * 9 / 10).contains(&illegal), "{illegal} are illegal");
}

/// The linearization can be replayed, and is complete if there is a complete one.
fn verify_linearization<M: Model>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    report: &Report<M::Key>,
) {
    for partition in &report.partitions {
        let order = &partition.linearization;
        assert!(brute_force::replays(model, history, order), "{order:?} of {history:#?}");
        if partition.result == CheckResult::Ok {
            let has_returned = |index: &&usize| history[**index].return_time.is_some();
            let mut returned = partition.operations.iter().filter(has_returned);
            assert!(returned.all(|index| order.contains(index)), "{order:?} of {history:#?}");
        }
    }
}

/// The history is illegal even without the reads that are not in the window, and if all other
/// operations that are not there may take effect at any time or never. Only what was called after
/// the whole window stays where it was.
fn verify_window<M: Model>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    report: &Report<M::Key>,
) where
    M::Input: Clone,
    M::Output: Clone,
{
    let window = report.window().expect("an illegal history has a window");
    assert!(window.is_minimal && !window.operations.is_empty(), "{window:#?}");
    let end = window.operations.iter().filter_map(|index| history[*index].return_time).max();
    let mut relaxed = Vec::new();
    for (index, operation) in history.iter().enumerate() {
        let kind = model.kind(&operation.input, operation.output.as_ref());
        if window.operations.contains(&index) {
            relaxed.push(operation.clone());
        } else if kind != Kind::Read {
            let is_later = Some(operation.call_time) > end;
            let call_time = if is_later { operation.call_time } else { 0 };
            relaxed.push(Operation { call_time, return_time: None, ..operation.clone() });
        }
    }
    assert!(!brute_force::is_linearizable(model, &relaxed), "{window:#?} of {history:#?}");
}

/// Key/value histories get the same result as by brute force.
#[test]
fn kv_agrees_with_brute_force() {
    let histories = SmallHistories {
        model: &KvModel,
        inputs: &kv_inputs(),
        answer: kv_answer,
        max_operations: 8,
    };
    compare(&histories, 1);
}

/// Register histories get the same result as by brute force.
#[test]
fn register_agrees_with_brute_force() {
    let histories = SmallHistories {
        model: &CasRegister,
        inputs: &register_inputs(),
        answer: register_answer,
        max_operations: 8,
    };
    compare(&histories, 2);
}
