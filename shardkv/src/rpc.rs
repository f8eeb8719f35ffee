//! What clerks and groups say to each other.

use serde::{Deserialize, Serialize};

use crate::shard::Contents;

/// The group does not serve the shard of a key: not any more, not yet, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WrongGroup;

/// A shard on its way to its next owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Handover {
    /// The configuration that gave it to the next owner.
    pub(crate) num: u64,
    /// Which shard.
    pub(crate) shard: usize,
    /// What is in it.
    pub(crate) contents: Contents,
}
