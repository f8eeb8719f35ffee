//! A place in the log, and which of two logs is the newer one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::state::{Epoch, Order};

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
