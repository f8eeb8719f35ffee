//! Explains why a few operations on one key contradict each other.

use super::{KvInput, KvOutput};
use crate::Operation;
use crate::picture::elide;

/// How much of a value is shown.
const MAX_VALUE: usize = 60;

/// A get that returned a value.
#[derive(Clone, Copy)]
struct Get<'a> {
    /// The operation.
    operation: &'a Operation<&'a KvInput, &'a KvOutput>,
    /// What it returned.
    value: &'a str,
}

/// A put or an append.
#[derive(Clone, Copy)]
struct Write<'a> {
    /// The operation.
    operation: &'a Operation<&'a KvInput, &'a KvOutput>,
    /// What it wrote.
    value: &'a str,
}

/// Explains the usual contradictions, of up to three operations. The window is known to be illegal
/// and minimal: it is enough to recognise it.
pub(super) fn reason(window: &[Operation<&KvInput, &KvOutput>]) -> Option<String> {
    let (mut gets, mut writes) = (Vec::new(), Vec::new());
    for operation in window {
        match (operation.input, operation.output) {
            (KvInput::Get { .. }, Some(KvOutput::Value(value))) => {
                gets.push(Get { operation, value });
            }
            (KvInput::Put { value, .. } | KvInput::Append { value, .. }, _) => {
                writes.push(Write { operation, value });
            }
            (KvInput::Get { .. }, _) => return None,
        }
    }
    gets.sort_by_key(|get| get.operation.return_time);
    writes.sort_by_key(|write| write.operation.call_time);
    match (&gets[..], &writes[..]) {
        ([get], []) => Some(format!("{get}, which no sequence of puts and appends produces")),
        ([get], [write]) => get_against_write(get, write),
        ([get], [first, second]) => get_against_order(get, first, second),
        ([first, second], []) => get_against_get(first, second),
        ([first, second], [write]) => gets_against_write(first, second, write),
        _ => None,
    }
}

/// A get has what it cannot have, or lacks what it must have.
fn get_against_write(get: &Get<'_>, write: &Write<'_>) -> Option<String> {
    let count = if write.value.is_empty() { 0 } else { get.value.matches(write.value).count() };
    if count == 0 && write.operation.returned_before(get.operation.call_time) {
        Some(format!("{get}, without what {write} had added before the get was called"))
    } else if count > 0 && get.operation.returned_before(write.operation.call_time) {
        Some(format!("{get}, but {write} was called only after that get had returned"))
    } else if count > 1 {
        Some(format!("{get}, which has {count} times what {write} wrote once"))
    } else {
        None
    }
}

/// A get saw two writes in an order in which they did not happen, or one of them only.
fn get_against_order(get: &Get<'_>, first: &Write<'_>, second: &Write<'_>) -> Option<String> {
    if !first.operation.returned_before(second.operation.call_time) {
        return None;
    }
    let is_put = matches!(second.operation.input, KvInput::Put { .. });
    match (get.position_of(first), get.position_of(second)) {
        (Some(first_at), Some(second_at)) if second_at < first_at => Some(format!(
            "{get}, but {first} had returned before {second}, which comes first there, was called"
        )),
        (Some(_), None) if is_put => Some(format!(
            "{get}, with what {first} wrote, though {second} had replaced it before the get"
        )),
        (Some(_), None) => Some(format!(
            "{get}, with what {first} wrote, but without what {second} had added to it"
        )),
        (None, Some(_)) => {
            Some(format!("{get}, without what {first} wrote, though {second} was added to it"))
        }
        _ => None,
    }
}

/// Two gets contradict each other.
fn get_against_get(first: &Get<'_>, second: &Get<'_>) -> Option<String> {
    let begins = |long: &Get<'_>, short: &Get<'_>| long.value.starts_with(short.value);
    if begins(second, first) {
        None
    } else if first.operation.returned_before(second.operation.call_time) {
        Some(format!("{first}, and after that {second}, which does not begin with it"))
    } else if begins(first, second) {
        None
    } else {
        Some(format!("{first}, and at the same time {second}, of which neither extends the other"))
    }
}

/// Two gets disagree about a write.
fn gets_against_write(first: &Get<'_>, second: &Get<'_>, write: &Write<'_>) -> Option<String> {
    let returned_before = |get: &Get<'_>| write.operation.returned_before(get.operation.call_time);
    match (first.position_of(write), second.position_of(write)) {
        (None, Some(_)) if returned_before(first) => Some(format!(
            "{first}, without what {write} had written before, though {second} has it"
        )),
        (Some(_), None) if returned_before(second) => Some(format!(
            "{second}, without what {write} had written before, though {first} has it"
        )),
        (Some(_), Some(_)) if !second.value.starts_with(first.value) => Some(format!(
            "{first}, and {second}: both have what {write} wrote once, but the second does not \
             extend the first"
        )),
        _ => None,
    }
}

impl Get<'_> {
    /// Where the text that `write` wrote begins in the value.
    fn position_of(&self, write: &Write<'_>) -> Option<usize> {
        self.value.find(write.value).filter(|_| !write.value.is_empty())
    }
}

impl std::fmt::Display for Get<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let client = self.operation.client;
        let value = elide(&format!("{:?}", self.value), MAX_VALUE);
        write!(f, "get({}) of C{client} returned {value}", self.operation.input.key())
    }
}

impl std::fmt::Display for Write<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self.operation.input {
            KvInput::Put { .. } => "put",
            _ => "append",
        };
        let client = self.operation.client;
        let value = elide(&format!("{:?}", self.value), MAX_VALUE);
        write!(f, "{name}({}, {value}) of C{client}", self.operation.input.key())
    }
}
