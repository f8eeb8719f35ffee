//! What servers say to each other. The messages of clients are in [`given::clerk`](crate::given::clerk).

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::given::record::Record;
use crate::given::snapshot::Snapshot;
use crate::given::version::{Epoch, Prefix, Version};
use crate::repair::DamageId;

/// A backup asks its primary whether it is alive, and tells where its own log ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PingArgs {
    /// The backup.
    pub(crate) from: SocketAddr,
    /// The highest epoch that it has promised.
    pub(crate) promised: Epoch,
    /// The version of its log, or that its log is damaged.
    pub(crate) version: Result<Version, DamageId>,
}

/// The answer to a ping.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PingReply {
    /// Whether the server that answers is primary, in the epoch that it has promised.
    pub(crate) is_primary: bool,
    /// The highest epoch that it has promised.
    pub(crate) promised: Epoch,
    /// The log up to the last record that it knows to be committed.
    pub(crate) committed: Prefix,
}

/// A server without a primary asks what the others know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CheckArgs {
    /// Who asks.
    pub(crate) address: SocketAddr,
    /// The version of its log.
    pub(crate) version: Version,
}

/// The answer to a check: the pair of address and version by which a primary is chosen, and who is
/// primary, as far as the server knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CheckReply {
    /// Who answers.
    pub(crate) address: SocketAddr,
    /// The version of its log; `None` if its log is damaged.
    pub(crate) version: Option<Version>,
    /// The highest epoch that it has promised.
    pub(crate) promised: Epoch,
    /// The primary that it has heard lately, itself perhaps.
    pub(crate) primary: Option<Rumour>,
}

/// That a primary is alive, as others tell it. A rumour says how long it will last: if each server
/// took it for fresh, they would keep a dead primary alive by telling each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rumour {
    /// The primary.
    pub(crate) address: SocketAddr,
    /// After this time it will be taken for dead, unless it is heard of.
    pub(crate) dead_in: Duration,
}

/// The server that the rule names asks for a promise: to follow nobody of an older epoch any more.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PromiseArgs {
    /// The new epoch.
    pub(crate) epoch: Epoch,
    /// Who wants to be its primary.
    pub(crate) candidate: SocketAddr,
    /// Its log.
    pub(crate) log: Prefix,
}

/// The answer to the request for a promise.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PromiseReply {
    /// Whether the epoch is promised to the candidate, on disk.
    pub(crate) granted: bool,
}

/// The primary copies records to a backup. Without records this only asks whether the backup still
/// follows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CopyArgs {
    /// The primary's epoch.
    pub(crate) epoch: Epoch,
    /// The primary.
    pub(crate) primary: SocketAddr,
    /// The log before [`CopyArgs::records`].
    pub(crate) previous: Prefix,
    /// Consecutive records.
    pub(crate) records: Vec<Record>,
    /// The log up to the last record that is committed.
    pub(crate) committed: Prefix,
}

/// The primary replaces a backup's whole log and state. This travels in [pieces](PieceArgs).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InstallArgs {
    /// The primary's epoch.
    pub(crate) epoch: Epoch,
    /// The primary.
    pub(crate) primary: SocketAddr,
    /// The primary's table, after what it knows to be committed.
    pub(crate) snapshot: Snapshot,
    /// The damage that this repairs: the snapshot was taken after the backup had told of it.
    pub(crate) repairs: Option<DamageId>,
}

/// Which [`InstallArgs`] a piece belongs to. A primary has one table at each place of its log, so
/// that pieces with the same name belong together, whenever they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstallName {
    /// The primary's epoch.
    pub(crate) epoch: Epoch,
    /// The primary.
    pub(crate) primary: SocketAddr,
    /// The last record that the snapshot contains.
    pub(crate) last: Version,
    /// The damage that it repairs.
    pub(crate) repairs: Option<DamageId>,
}

/// A piece of a snapshot: a table may be too long for one message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PieceArgs {
    /// Which snapshot it is a piece of.
    pub(crate) name: InstallName,
    /// The length of the whole table in bytes.
    pub(crate) length: u64,
    /// Where in the table the piece begins.
    pub(crate) offset: u64,
    /// Bytes of the table.
    #[serde(with = "serde_bytes")]
    pub(crate) bytes: Vec<u8>,
}

/// What a backup answers to a piece of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PieceReply {
    /// It has all pieces up to this offset, and lacks the next one.
    Has(u64),
    /// That was the last one.
    Whole(CopyReply),
}

/// What a backup answers to its primary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CopyReply {
    /// All is on disk, and the backup follows the primary.
    Stored,
    /// The backup follows the primary, but its log differs before the records that were sent. This
    /// is the last record at which it may agree.
    Differs(Version),
    /// The backup's log is damaged: it needs everything.
    Damaged(DamageId),
    /// The backup has promised this later epoch.
    Promised(Epoch),
}
