//! What clients ask servers for. All of this file is given.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Gid;

/// What a client can ask for. The reply to all of them is a configuration; see `Clerk`.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, Clone)]
pub enum Op {
    /// New groups, with the names of their servers.
    Join(BTreeMap<Gid, Vec<String>>),
    /// Groups that leave.
    Leave(Vec<Gid>),
    /// A shard, and the group that gets it.
    Move(usize, Gid),
    /// The number of a configuration, or the latest.
    Query(Option<u64>),
}
