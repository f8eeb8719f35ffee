//! Reads recorded histories.
//!
//! Two formats are told apart by their content:
//!
//! * key/value logs: one map a line, `{:process 0, :type :invoke, :f :get, :key "7", :value nil}`;
//! * register logs: the output of a Jepsen test of an etcd register, of which the lines
//!   `INFO  jepsen.util - 0 :invoke :read nil` (with tabs or blanks) count.
//!
//! Neither has times: an event's time is its line number. A key/value operation or a read that
//! failed is left out, because it is known that it had no effect; a compare-and-set that failed
//! stays, because it found another value than it expected.

use std::fmt;

use crate::{KvInput, KvOutput, Operation, RegisterInput, RegisterOutput};

mod kv_log;
mod recorder;
mod register_log;

/// A history and the model it is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryFile {
    /// For [`KvModel`](crate::KvModel).
    Kv(Vec<Operation<KvInput, KvOutput>>),
    /// For [`CasRegister`](crate::CasRegister).
    Register(Vec<Operation<RegisterInput, RegisterOutput>>),
}

/// A line that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

/// Reads a history in either format.
pub fn parse(text: &str) -> Result<HistoryFile, ParseError> {
    let begins = |prefix| text.lines().any(|line| line.trim_start().starts_with(prefix));
    if begins(register_log::PREFIX) {
        register_log::parse(text).map(HistoryFile::Register)
    } else if begins("{") {
        kv_log::parse(text).map(HistoryFile::Kv)
    } else {
        let message = "neither a key/value history nor a Jepsen register log".to_string();
        Err(ParseError { line: 1, message })
    }
}
