//! What a server is told when it starts.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use labrpc::ClientEnd;

/// How many records are written between two snapshots, unless set.
pub const SNAPSHOT_EVERY: u64 = 10_000;

/// What a server has to know when it starts. Used by the grading tests.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its own address.
    pub address: SocketAddr,
    /// Ways to all servers, by address. One to itself may be among them and is not used. All
    /// servers must have the same addresses here, at every start: they ignore a server that has
    /// others.
    pub peers: BTreeMap<SocketAddr, ClientEnd>,
    /// A snapshot is taken after this number of records.
    pub snapshot_every: u64,
    /// That the server has never run before: see [`Identity::is_new`](crate::Identity::is_new).
    pub is_new: bool,
}
