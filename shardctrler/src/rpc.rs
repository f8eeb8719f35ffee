//! What clerks ask servers for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::Gid;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Op {
    /// Adds groups.
    Join {
        /// With these servers.
        groups: BTreeMap<Gid, Vec<String>>,
    },
    /// Removes groups.
    Leave {
        /// These.
        gids: Vec<Gid>,
    },
    /// Moves a shard.
    Move {
        /// This one.
        shard: usize,
        /// To this group.
        gid: Gid,
    },
    /// Reads a configuration.
    Query {
        /// The one with this number; the latest, if that is `None` or does not exist yet.
        num: Option<u64>,
    },
}
