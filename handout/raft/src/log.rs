//! The log (2B, §5.3).
//!
//! 2B: the entries and what can be done with them. A command is bytes, and only the service knows
//! what they mean. Put `#[serde(with = "serde_bytes")]` above a field of type `Vec<u8>` that is
//! sent or saved: serde by itself encodes each byte for itself, which is slow.
//! 2D: the log begins where a snapshot ends. It is wise to let no other file know the difference
//! between an index of the log and an index of the `Vec`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Index, Term};

/// The position of an entry. In logs and messages, `7@5` is index 7 of term 5.
#[derive(Debug, PartialEq, Eq, Clone, Copy, Serialize, Deserialize)]
pub struct LogPos {
    /// The term in which a leader received the entry.
    pub term: Term,
    /// Counts the entries from 1.
    pub index: Index,
}

impl fmt::Display for LogPos {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let LogPos { term, index } = self;
        write!(out, "{index}@{term}")
    }
}
