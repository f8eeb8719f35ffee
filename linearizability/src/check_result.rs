//! The result of a check.

use std::fmt;

use crate::{Limit, Window};

/// Whether a history is linearizable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckResult {
    /// The history is linearizable.
    Ok,
    /// The history is not linearizable.
    Illegal,
    /// A limit was reached before the check could decide.
    Unknown,
}

impl fmt::Display for CheckResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CheckResult::Ok => "ok",
            CheckResult::Illegal => "illegal",
            CheckResult::Unknown => "unknown",
        })
    }
}

/// The result of [`explain`](crate::explain).
#[derive(Clone, Debug)]
pub struct Report<K> {
    /// One entry for each part of the object, in the order of the keys.
    pub partitions: Vec<PartitionReport<K>>,
}

/// The result for one part of the object.
#[derive(Clone, Debug)]
pub struct PartitionReport<K> {
    /// The part's name.
    pub key: K,
    /// Its operations: indices into the history, ascending.
    pub operations: Vec<usize>,
    /// Whether they are linearizable.
    pub result: CheckResult,
    /// The limit that was reached, if the result is [`CheckResult::Unknown`].
    pub limit: Option<Limit>,
    /// The longest linearization found: indices into the history, in an order in which the
    /// operations could have taken effect. If the result is [`CheckResult::Ok`], every operation
    /// that returned is in it; pending ones only if another operation depends on them.
    pub linearization: Vec<usize>,
    /// The number of search configurations visited.
    pub configurations: u64,
    /// If the result is [`CheckResult::Illegal`], operations that contradict each other.
    pub window: Option<Window>,
}

impl<K> Report<K> {
    /// The result on the whole history.
    pub fn result(&self) -> CheckResult {
        let any = |result| self.partitions.iter().any(|partition| partition.result == result);
        if any(CheckResult::Illegal) {
            CheckResult::Illegal
        } else if any(CheckResult::Unknown) {
            CheckResult::Unknown
        } else {
            CheckResult::Ok
        }
    }

    /// The smallest of all illegal windows, the first of several.
    pub fn window(&self) -> Option<&Window> {
        let windows = self.partitions.iter().filter_map(|partition| partition.window.as_ref());
        windows.min_by_key(|window| window.operations.len())
    }
}

impl<K> PartitionReport<K> {
    /// A report without a result.
    pub(crate) fn undecided(key: K, operations: Vec<usize>) -> Self {
        PartitionReport {
            key,
            operations,
            result: CheckResult::Unknown,
            limit: None,
            linearization: Vec::new(),
            configurations: 0,
            window: None,
        }
    }
}
