//! What clients ask servers for. All of this file is given.

use serde::{Deserialize, Serialize};

use crate::rsm::SubmitError;

/// What a client can ask for.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, Clone)]
pub enum Op {
    /// The value of a key, "" if it has none.
    Get {
        /// The key.
        key: String,
    },
    /// A new value for a key.
    Put {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// More text at the end of a key's value.
    Append {
        /// The key.
        key: String,
        /// What is added.
        value: String,
    },
}

impl Op {
    /// The key.
    pub fn key(&self) -> &str {
        let (Op::Put { key, .. } | Op::Get { key } | Op::Append { key, .. }) = self;
        key
    }
}

/// The reply of a server that cannot execute a request, or does not know whether it was executed.
/// The client asks another server.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, Clone, Copy)]
pub struct WrongLeader;

impl From<SubmitError> for WrongLeader {
    fn from(error: SubmitError) -> WrongLeader {
        match error {
            SubmitError::WrongLeader | SubmitError::Shutdown => WrongLeader,
        }
    }
}
