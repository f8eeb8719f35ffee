//! The key/value service of the labs.

use crate::Operation;
use crate::model::{Kind, Model};

mod reason;

/// A map from keys to strings: get, put and append, each key starting as `""`.
///
/// Each key is an independent part of the object.
#[derive(Clone, Copy, Debug, Default)]
pub struct KvModel;

/// A request to a [`KvModel`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KvInput {
    /// Reads the value of a key.
    Get {
        /// The key.
        key: String,
    },
    /// Replaces the value of a key.
    Put {
        /// The key.
        key: String,
        /// The new value.
        value: String,
    },
    /// Adds to the end of the value of a key.
    Append {
        /// The key.
        key: String,
        /// What is added.
        value: String,
    },
}

/// An answer of a [`KvModel`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KvOutput {
    /// What a get found.
    Value(String),
    /// A put or an append was done.
    Done,
}

impl KvInput {
    /// Reads `key`.
    pub fn get(key: impl Into<String>) -> Self {
        KvInput::Get { key: key.into() }
    }

    /// Sets `key` to `value`.
    pub fn put(key: impl Into<String>, value: impl Into<String>) -> Self {
        KvInput::Put { key: key.into(), value: value.into() }
    }

    /// Adds `value` to the end of `key`.
    pub fn append(key: impl Into<String>, value: impl Into<String>) -> Self {
        KvInput::Append { key: key.into(), value: value.into() }
    }

    /// The key that the request is about.
    pub fn key(&self) -> &str {
        match self {
            KvInput::Get { key } | KvInput::Put { key, .. } | KvInput::Append { key, .. } => key,
        }
    }
}

impl KvOutput {
    /// What a get found.
    pub fn value(value: impl Into<String>) -> Self {
        KvOutput::Value(value.into())
    }
}

impl Model for KvModel {
    type State = String;
    type Input = KvInput;
    type Output = KvOutput;
    type Key = String;

    fn init(&self) -> String {
        String::new()
    }

    fn step(&self, state: &String, input: &KvInput, output: Option<&KvOutput>) -> Option<String> {
        match (input, output) {
            (KvInput::Get { .. }, None) => Some(state.clone()),
            (KvInput::Get { .. }, Some(KvOutput::Value(got))) => {
                (got == state).then(|| got.clone())
            }
            (KvInput::Put { value, .. }, None | Some(KvOutput::Done)) => Some(value.clone()),
            (KvInput::Append { value, .. }, None | Some(KvOutput::Done)) => {
                Some([state.as_str(), value].concat())
            }
            // An answer to another question.
            (_, Some(_)) => None,
        }
    }

    fn partition(&self, input: &KvInput) -> String {
        input.key().to_string()
    }

    fn kind(&self, input: &KvInput, output: Option<&KvOutput>) -> Kind {
        match (input, output) {
            (KvInput::Get { .. }, _) => Kind::Read,
            (KvInput::Put { .. }, None | Some(KvOutput::Done)) => Kind::Overwrite,
            (KvInput::Append { .. }, None | Some(KvOutput::Done)) => Kind::Update,
            (_, Some(KvOutput::Value(_))) => Kind::Conditional,
        }
    }

    /// Without a put a value only grows: a get needs an extension of the present value.
    fn reachable(&self, state: &String, input: &KvInput, output: Option<&KvOutput>) -> bool {
        match (input, output) {
            (KvInput::Get { .. }, Some(KvOutput::Value(got))) => got.starts_with(state.as_str()),
            _ => true,
        }
    }

    fn heap_bytes(&self, state: &String) -> usize {
        state.capacity()
    }

    fn describe(&self, input: &KvInput, output: Option<&KvOutput>) -> String {
        match (input, output) {
            (KvInput::Get { key }, Some(KvOutput::Value(got))) => format!("get({key}) -> {got:?}"),
            (KvInput::Get { key }, _) => format!("get({key})"),
            (KvInput::Put { key, value }, _) => format!("put({key}, {value:?})"),
            (KvInput::Append { key, value }, _) => format!("append({key}, {value:?})"),
        }
    }

    fn reason(&self, window: &[Operation<&KvInput, &KvOutput>]) -> Option<String> {
        reason::reason(window)
    }
}
