//! A model whose declarations are not true: is that noticed?

use std::hash::{Hash, Hasher};

use crate::synthetic::{Random, SmallHistories, kv_answer};
use linearizability::{
    CasRegister, Kind, KvInput, KvModel, KvOutput, Limits, Model, RegisterInput, RegisterOutput,
    check,
};

use crate::property::{kv_inputs, register_answer, register_inputs, truth};

/// Within how many histories a lie must be caught.
const HISTORIES: u64 = 20_000;

/// Whether a model is found to disagree with the brute-force search.
fn is_caught<M: Model>(
    model: &M,
    inputs: &[M::Input],
    answer: fn(&M::State, &M::Input) -> M::Output,
) -> bool
where
    M::Input: Clone,
    M::Output: Clone,
{
    let histories = SmallHistories { model, inputs, answer, max_operations: 8 };
    let mut random = Random::new(4);
    (0..HISTORIES).any(|_| {
        let history = histories.draw(&mut random);
        check(model, &history, &Limits::default()) != truth(model, &history)
    })
}

/// A key/value service that declares something else than [`KvModel`].
struct LyingKv {
    /// Instead of [`Model::kind`]; `None` for the truth.
    kind: fn(&KvInput, Option<&KvOutput>) -> Option<Kind>,
    /// Instead of [`Model::reachable`], given the state and what a get returned.
    reachable: fn(&str, &str) -> bool,
}

impl LyingKv {
    /// No lie.
    const HONEST: LyingKv =
        LyingKv { kind: |_, _| None, reachable: |state, value| value.starts_with(state) };
}

impl Model for LyingKv {
    type State = String;
    type Input = KvInput;
    type Output = KvOutput;
    type Key = String;

    fn init(&self) -> String {
        KvModel.init()
    }

    fn step(&self, state: &String, input: &KvInput, output: Option<&KvOutput>) -> Option<String> {
        KvModel.step(state, input, output)
    }

    fn partition(&self, input: &KvInput) -> String {
        KvModel.partition(input)
    }

    fn kind(&self, input: &KvInput, output: Option<&KvOutput>) -> Kind {
        (self.kind)(input, output).unwrap_or_else(|| KvModel.kind(input, output))
    }

    fn reachable(&self, state: &String, _input: &KvInput, output: Option<&KvOutput>) -> bool {
        match output {
            Some(KvOutput::Value(value)) => (self.reachable)(state, value),
            _ => true,
        }
    }
}

/// The honest model agrees with the brute-force search; so the lies below are what is caught.
#[test]
fn truth_is_not_caught() {
    assert!(!is_caught(&LyingKv::HONEST, &kv_inputs(), kv_answer));
}

/// Appends are not reads.
#[test]
fn false_read_is_caught() {
    let kind = |input: &KvInput, _: Option<&KvOutput>| {
        matches!(input, KvInput::Append { .. }).then_some(Kind::Read)
    };
    assert!(is_caught(&LyingKv { kind, ..LyingKv::HONEST }, &kv_inputs(), kv_answer));
}

/// Appends are not overwrites.
#[test]
fn false_overwrite_is_caught() {
    let kind = |input: &KvInput, _: Option<&KvOutput>| {
        matches!(input, KvInput::Append { .. }).then_some(Kind::Overwrite)
    };
    assert!(is_caught(&LyingKv { kind, ..LyingKv::HONEST }, &kv_inputs(), kv_answer));
}

/// If puts are not declared overwrites, an earlier value can be reached again without one.
#[test]
fn hidden_overwrite_is_caught() {
    let kind = |input: &KvInput, _: Option<&KvOutput>| {
        matches!(input, KvInput::Put { .. }).then_some(Kind::Update)
    };
    assert!(is_caught(&LyingKv { kind, ..LyingKv::HONEST }, &kv_inputs(), kv_answer));
}

/// A get of `""` is not possible in every state.
#[test]
fn false_update_is_caught() {
    let kind = |_: &KvInput, output: Option<&KvOutput>| {
        (output == Some(&KvOutput::value(""))).then_some(Kind::Update)
    };
    assert!(is_caught(&LyingKv { kind, ..LyingKv::HONEST }, &kv_inputs(), kv_answer));
}

/// A value can grow before it is read.
#[test]
fn false_unreachable_is_caught() {
    let reachable = |state: &str, value: &str| state == value;
    assert!(is_caught(&LyingKv { reachable, ..LyingKv::HONEST }, &kv_inputs(), kv_answer));
}

/// A register value of which all states claim to be equal.
#[derive(Clone, Debug)]
struct Indistinct(Option<i64>);

impl PartialEq for Indistinct {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Indistinct {}

impl Hash for Indistinct {
    fn hash<H: Hasher>(&self, _state: &mut H) {}
}

/// A register that lies about its states or its steps.
struct LyingRegister {
    /// Instead of [`Model::kind`].
    kind: fn(&RegisterInput) -> Option<Kind>,
}

impl Model for LyingRegister {
    type State = Option<i64>;
    type Input = RegisterInput;
    type Output = RegisterOutput;
    type Key = ();

    fn init(&self) -> Option<i64> {
        CasRegister.init()
    }

    fn step(
        &self,
        state: &Option<i64>,
        input: &RegisterInput,
        output: Option<&RegisterOutput>,
    ) -> Option<Option<i64>> {
        CasRegister.step(state, input, output)
    }

    fn partition(&self, _input: &RegisterInput) {}

    fn kind(&self, input: &RegisterInput, output: Option<&RegisterOutput>) -> Kind {
        (self.kind)(input).unwrap_or_else(|| CasRegister.kind(input, output))
    }
}

/// A write is not a read.
#[test]
fn false_read_of_a_register_is_caught() {
    let kind =
        |input: &RegisterInput| matches!(input, RegisterInput::Write(_)).then_some(Kind::Read);
    assert!(is_caught(&LyingRegister { kind }, &register_inputs(), register_answer));
}

/// A register whose states cannot be told apart.
struct IndistinctRegister;

impl Model for IndistinctRegister {
    type State = Indistinct;
    type Input = RegisterInput;
    type Output = RegisterOutput;
    type Key = ();

    fn init(&self) -> Indistinct {
        Indistinct(CasRegister.init())
    }

    fn step(
        &self,
        state: &Indistinct,
        input: &RegisterInput,
        output: Option<&RegisterOutput>,
    ) -> Option<Indistinct> {
        CasRegister.step(&state.0, input, output).map(Indistinct)
    }

    fn partition(&self, _input: &RegisterInput) {}
}

/// States that differ must not be equal.
#[test]
fn false_equality_is_caught() {
    let answer = |state: &Indistinct, input: &RegisterInput| register_answer(&state.0, input);
    assert!(is_caught(&IndistinctRegister, &register_inputs(), answer));
}
