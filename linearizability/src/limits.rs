//! How much a check may cost.

use std::fmt;
use std::time::Duration;

/// When to give up and answer [`Verdict::Unknown`](crate::Verdict::Unknown).
///
/// Deciding linearizability is NP-complete (Gibbons & Korach 1997), so every checker needs limits.
/// Configurations and memory are counted, not measured: the same history under the same limits
/// always gets the same verdict. Only [`time`](Limits::time) gives that up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Search configurations visited, over all partitions.
    pub configurations: u64,
    /// Bytes held at any moment, the history itself excluded.
    pub memory: usize,
    /// Wall-clock time, if that is to be limited too.
    pub time: Option<Duration>,
}

impl Default for Limits {
    /// About ten seconds at most, and 512 MiB.
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
