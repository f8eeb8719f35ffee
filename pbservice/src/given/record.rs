//! One line of the log.

use std::fmt;

use crc32fast::Hasher;
use labrpc::encode;
use serde::{Deserialize, Serialize};

use crate::given::version::{Chain, Epoch, Order, Version};

/// A client, by the number that it drew.
pub type ClientId = u64;

/// An operation, and who asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its number in the log, counted from 1 without gaps.
    pub order: Order,
    /// The epoch of the primary that wrote it first.
    pub epoch: Epoch,
    /// The client that asked for it; 0 for the primary's own [`Operation::NoOp`].
    pub client: ClientId,
    /// Which of the client's operations this is. It grows from one to the next.
    pub sequence: u64,
    /// What is to be done.
    pub operation: Operation,
}

impl Record {
    /// Its place.
    pub fn version(&self) -> Version {
        Version { epoch: self.epoch, order: self.order }
    }

    /// About how many bytes it takes in a message.
    pub(crate) fn size(&self) -> usize {
        const NUMBERS: usize = 48;
        NUMBERS + self.operation.size()
    }

    /// The checksum of this record and all before it, which have the checksum `before`.
    pub(crate) fn chained_to(&self, before: Chain) -> Chain {
        let mut hasher = Hasher::new_with_initial(before);
        hasher.update(&encode(self));
        hasher.finalize()
    }
}

/// Bytes that a key and its value may have together, in an operation and in the table: 1 MiB. A
/// primary must be able to send every record, and soon.
pub const MAX_OPERATION: usize = 1 << 20;

/// Bytes that the table may take in memory: 56 MiB. Beside keys and values that is 160 bytes for
/// each key and 32 for each client. A snapshot is encoded, written and read as a whole, and that must
/// not take long.
pub(crate) const MAX_TABLE: usize = 56 << 20;

/// A change of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// The key gets this value.
    Put {
        /// The key.
        key: String,
        /// Its new value.
        value: String,
    },
    /// The value is appended to that of the key; a key that is missing has the empty one.
    Append {
        /// The key.
        key: String,
        /// What is appended.
        value: String,
    },
    /// Nothing changes. The first record of an epoch, by which the primary learns what is
    /// committed.
    NoOp,
}

impl Operation {
    /// Bytes of key and value together.
    pub fn size(&self) -> usize {
        match self {
            Self::Put { key, value } | Self::Append { key, value } => key.len() + value.len(),
            Self::NoOp => 0,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put { key, value } => write!(f, "put {key:?} {value:?}"),
            Self::Append { key, value } => write!(f, "append {key:?} {value:?}"),
            Self::NoOp => write!(f, "no-op"),
        }
    }
}
