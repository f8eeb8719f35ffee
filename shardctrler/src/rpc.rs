//! What clerks ask servers for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::Gid;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Op {
    /// Adds groups.
    Join { groups: BTreeMap<Gid, Vec<String>> },
    /// Removes groups.
    Leave { gids: Vec<Gid> },
    /// Moves a shard.
    Move { shard: usize, gid: Gid },
    /// Reads a configuration.
    Query {
        /// The one with this number; the latest, if that is `None` or does not exist yet.
        num: Option<u64>,
    },
}
