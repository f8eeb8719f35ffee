//! A place in the log, which of two logs is the newer one, and whether they are equal.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::given::record::Record;

/// Numbers a primary's time in office; 0 is before the first. A server's promise never falls.
pub type Epoch = u64;
/// A record's place in the log, counted from 1 without gaps.
pub type Order = u64;

/// The epoch and the order of a record. Shown as `7@5`: record 7, written in epoch 5.
///
/// The version of a server is that of its last record. A greater one is newer: the later epoch
/// wins, and within an epoch the longer log. `0@0` is the version of an empty log.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Version {
    /// In which epoch the record was written.
    pub epoch: Epoch,
    /// Its number, counted from 1.
    pub order: Order,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.order, self.epoch)
    }
}

/// A log up to one of its records.
///
/// Two logs that have a record of the same version ought to be equal up to it: an epoch has one
/// primary. That is so as long as no server forgets a promise. One whose directory was replaced by
/// an older copy does, so equal versions are not taken for equal records: the checksum decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Prefix {
    /// The version of the last record.
    pub(crate) last: Version,
    /// The checksum of all records, each chained to the one before.
    pub(crate) chain: Chain,
}

/// A checksum that is chained through the records of a log. Two logs that differ have the same one
/// once in four thousand million times.
pub(crate) type Chain = u32;

/// What is to be said when two servers have different records under the same version.
pub(crate) const FORGOTTEN: &str =
    "some server has forgotten a promise: was its directory replaced by an older copy?";

impl Prefix {
    /// The log that is longer by this record.
    pub(crate) fn followed_by(self, record: &Record) -> Self {
        Self { last: record.version(), chain: record.chained_to(self.chain) }
    }
}
