//! What a log consists of.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Numbers a primary's time in office; 0 is before the first. A server's promise never goes back.
pub type Epoch = u64;
/// A record's place in the log, counted from 1 without gaps.
pub type Order = u64;
/// A client, by the number that it drew.
pub type ClientId = u64;

/// How new a log is: the epoch of its last record, then the order of that record. The version of an
/// empty log is the default.
///
/// Two logs with the same version are equal up to it: an epoch has one primary, which numbers each
/// record once.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Version {
    /// The record's epoch.
    pub epoch: Epoch,
    /// Its order.
    pub order: Order,
}

/// `7@5`: record 7, of epoch 5.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.order, self.epoch)
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its place in the log.
    pub order: Order,
    /// The epoch of the primary that wrote it.
    pub epoch: Epoch,
    /// Who asked for the operation; 0 for a no-op.
    pub client: ClientId,
    /// The client's number for it; 0 for a no-op.
    pub sequence: u64,
    /// What is done.
    pub operation: Operation,
}

impl Record {
    /// Order and epoch.
    pub fn version(&self) -> Version {
        Version { epoch: self.epoch, order: self.order }
    }

    /// About how many bytes it takes in a message.
    pub(crate) fn size(&self) -> usize {
        let text = match &self.operation {
            Operation::NoOp => 0,
            Operation::Put { key, value } | Operation::Append { key, value } => {
                key.len() + value.len()
            }
        };
        text + 48
    }
}

/// What a record does to the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Nothing: the first record of each primary.
    NoOp,
    /// Replaces a value.
    Put {
        /// Of this key.
        key: String,
        /// By this one.
        value: String,
    },
    /// Extends a value.
    Append {
        /// Of this key.
        key: String,
        /// By this one.
        value: String,
    },
}
