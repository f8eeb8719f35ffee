//! What is said of the usual mistakes.

use linearizability::{
    CasRegister, KvInput, KvModel, KvOutput, Limits, Operation, RegisterInput, RegisterOutput,
    Window, explain,
};

/// An operation of a client on the only key, with its interval.
type Call = (u64, KvOperation, u64, u64);

/// What a client did.
enum KvOperation {
    /// A get and what it returned.
    Get(&'static str),
    /// A put.
    Put(&'static str),
    /// An append.
    Append(&'static str),
}

use KvOperation::{Append, Get, Put};

/// The window of a history that is illegal.
fn window(calls: &[Call]) -> Window {
    let operation = |(client, operation, call_time, return_time): &Call| {
        let (input, output) = match operation {
            Get(value) => (KvInput::get("k"), KvOutput::value(*value)),
            Put(value) => (KvInput::put("k", *value), KvOutput::Done),
            Append(value) => (KvInput::append("k", *value), KvOutput::Done),
        };
        Operation::completed(*client, input, output, *call_time, *return_time)
    };
    let history: Vec<_> = calls.iter().map(operation).collect();
    let report = explain(&KvModel, &history, &Limits::default());
    report.window().expect("the history is illegal").clone()
}

/// Asserts that the window is these operations and that its reason has these words.
fn assert_window(calls: &[Call], operations: &[usize], words: &str) {
    let window = window(calls);
    assert_eq!(window.operations, operations, "{window}");
    assert!(window.reason.contains(words), "{}", window.reason);
    assert!(window.is_minimal);
}

/// A get returns what was appended only later.
#[test]
fn read_from_the_future() {
    let calls = [(0, Append("a"), 0, 1), (1, Get("ab"), 2, 3), (0, Append("b"), 4, 5)];
    assert_window(&calls, &[1, 2], "was called only after that get had returned");
}

/// A get does not see an append that had returned.
#[test]
fn lost_append() {
    let calls = [(0, Append("a"), 0, 1), (0, Append("b"), 2, 3), (1, Get("a"), 4, 5)];
    assert_window(&calls, &[1, 2], "without what append(k, \"b\") of C0 had added");
}

/// An append was executed twice.
#[test]
fn duplicate_append() {
    let calls = [(0, Append("a"), 0, 1), (1, Get("aa"), 2, 3)];
    assert_window(&calls, &[0, 1], "which has 2 times what append(k, \"a\") of C0 wrote once");
}

/// A get sees two appends in the wrong order.
#[test]
fn swapped_appends() {
    let calls = [(0, Append("a"), 0, 1), (1, Append("b"), 2, 3), (2, Get("ba"), 2, 5)];
    assert_window(&calls, &[0, 1, 2], "which comes first there");
}

/// A get returns a value that no client wrote.
#[test]
fn invented_value() {
    let calls = [(0, Append("a"), 0, 1), (1, Get("c"), 0, 3)];
    assert_window(&calls, &[1], "which no sequence of puts and appends produces");
}

/// After a get, another one returns an older value.
#[test]
fn stale_get() {
    let calls = [(0, Append("a"), 0, 9), (1, Get("a"), 1, 2), (2, Get(""), 3, 4)];
    assert_window(&calls, &[1, 2], "which does not begin with it");
}

/// A get returns what a put had replaced.
#[test]
fn resurrected_value() {
    let calls = [(0, Put("a"), 0, 1), (0, Put("b"), 2, 3), (1, Get("a"), 4, 5)];
    assert_window(&calls, &[0, 1, 2], "had replaced it before the get");
}

/// The picture has a line for each client; where intervals touch, they overlap.
#[test]
fn picture() {
    let calls = [(7, Append("a"), 0, 1), (10, Append("b"), 2, 3), (7, Get("ba"), 3, 5)];
    let expected = "\
C7   |-append(k, \"a\")-|     |-get(k) -> \"ba\"-|
C10                      |-append(k, \"b\")-|
";
    assert_eq!(window(&calls).picture, expected);
}

/// A register's contradiction, with an operation that never returned.
#[test]
fn register_window() {
    let history = [
        Operation::completed(0, RegisterInput::Write(1), RegisterOutput::Written, 0, 1),
        Operation::pending(1, RegisterInput::Cas { expected: 1, new: 2 }, 2),
        Operation::completed(2, RegisterInput::Read, RegisterOutput::Value(Some(2)), 3, 4),
        Operation::completed(2, RegisterInput::Read, RegisterOutput::Value(Some(1)), 5, 6),
        Operation::completed(3, RegisterInput::Write(4), RegisterOutput::Written, 7, 8),
    ];
    let report = explain(&CasRegister, &history, &Limits::default());
    let window = report.window().expect("the history is illegal");
    assert_eq!(window.operations, [0, 2, 3], "{window}");
    assert!(window.reason.contains("no order"), "{window}");
}
