//! What clerks and servers say to each other.

use serde::{Deserialize, Serialize};

use crate::rsm::SubmitError;

/// An operation on the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// Reads a value.
    Get {
        /// The key.
        key: String,
    },
    /// Replaces a value.
    Put {
        /// The key.
        key: String,
        /// The new value.
        value: String,
    },
    /// Extends a value.
    Append {
        /// The key.
        key: String,
        /// The text to append.
        value: String,
    },
}

impl Op {
    /// The key that it is about.
    pub fn key(&self) -> &str {
        match self {
            Op::Get { key } | Op::Put { key, .. } | Op::Append { key, .. } => key,
        }
    }
}

/// A server did not execute a request, or cannot tell: another may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongLeader;

impl From<SubmitError> for WrongLeader {
    /// To a client it is all the same why it has to ask another server.
    fn from(_: SubmitError) -> Self {
        WrongLeader
    }
}
