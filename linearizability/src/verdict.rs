//! What a check finds out.

use std::fmt;

use crate::{Limit, Window};

/// Whether a history is linearizable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Ok,
    /// It is not.
    Illegal,
    /// A limit was reached before it was decided.
    Unknown,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Ok => "ok",
            Verdict::Illegal => "illegal",
            Verdict::Unknown => "unknown",
        })
    }
}

/// Everything that [`explain`](crate::explain) finds out.
#[derive(Clone, Debug)]
pub struct Report<K> {
    /// One entry for each part of the object, in the order of the keys.
    pub partitions: Vec<PartitionReport<K>>,
}

/// What was found out of one part of the object.
#[derive(Clone, Debug)]
pub struct PartitionReport<K> {
    /// The part's name.
    pub key: K,
    /// Its operations: indices into the history, ascending.
    pub operations: Vec<usize>,
    /// Whether they are linearizable.
    pub verdict: Verdict,
    /// Why the verdict is [`Verdict::Unknown`], if it is.
    pub limit: Option<Limit>,
    /// The longest linearization found: indices into the history, in an order in which the
    /// operations could have taken effect. If the verdict is [`Verdict::Ok`], every operation
    /// that returned is there; pending ones only if something depends on them.
    pub linearization: Vec<usize>,
    /// How many search configurations were visited.
    pub configurations: u64,
    /// If the verdict is [`Verdict::Illegal`], where to look.
    pub window: Option<Window>,
}

impl<K> Report<K> {
    /// The verdict on the whole history.
    pub fn verdict(&self) -> Verdict {
        let any = |verdict| self.partitions.iter().any(|partition| partition.verdict == verdict);
        if any(Verdict::Illegal) {
            Verdict::Illegal
        } else if any(Verdict::Unknown) {
            Verdict::Unknown
        } else {
            Verdict::Ok
        }
    }

    /// The smallest of all illegal windows, the first of several.
    pub fn window(&self) -> Option<&Window> {
        let windows = self.partitions.iter().filter_map(|partition| partition.window.as_ref());
        windows.min_by_key(|window| window.operations.len())
    }
}

impl<K> PartitionReport<K> {
    /// Nothing is known yet.
    pub(crate) fn undecided(key: K, operations: Vec<usize>) -> Self {
        PartitionReport {
            key,
            operations,
            verdict: Verdict::Unknown,
            limit: None,
            linearization: Vec::new(),
            configurations: 0,
            window: None,
        }
    }
}
