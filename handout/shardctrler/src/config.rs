//! Configurations: which group has which shard.
//!
//! 4A: how the next configuration follows from one, when groups join or leave, and when a shard
//! moves. Each server computes it for itself. What it depends on must be equal on all servers, and
//! even the order in which a loop comes to the groups matters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The number of shards.
pub const SHARDS: usize = 10;

/// The number of a group.
pub type Gid = u64;

/// Has the shards while there is no group. No group has this number.
pub const NO_GROUP: Gid = 0;

/// A configuration. The default is the first one, number 0, without groups.
#[derive(Debug, Default, Serialize, Deserialize, PartialEq, Eq, Clone)]
pub struct Config {
    /// Its number.
    pub num: u64,
    /// Which group has which shard. Every shard has a group, as long as there are groups.
    pub shards: [Gid; SHARDS],
    /// The names of the groups' servers.
    pub groups: BTreeMap<Gid, Vec<String>>,
}
