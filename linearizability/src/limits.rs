//! The limits of a check.

use std::fmt;
use std::time::Duration;

/// When to give up and answer [`CheckResult::Unknown`](crate::CheckResult::Unknown).
///
/// Deciding linearizability is NP-complete (Gibbons & Korach 1997), so every checker needs limits.
/// Configurations and memory are counted, not measured: the same history under the same limits
/// always gets the same result. Only [`time`](Limits::time) gives that up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The number of search configurations to visit in all partitions together.
    pub configurations: u64,
    /// The number of bytes in use at any time, without the history itself.
    pub memory: usize,
    /// Wall-clock time; `None` for no limit.
    pub time: Option<Duration>,
}

impl Default for Limits {
    /// 512 MiB, and a number of configurations that takes at most about ten seconds.
    fn default() -> Self {
        Limits { configurations: 5_000_000, memory: 512 << 20, time: None }
    }
}

/// A limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::configurations`].
    Configurations,
    /// [`Limits::memory`].
    Memory,
    /// [`Limits::time`].
    Time,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Configurations => "the limit of configurations was reached",
            Limit::Memory => "the limit of memory was reached",
            Limit::Time => "the limit of time was reached",
        })
    }
}
