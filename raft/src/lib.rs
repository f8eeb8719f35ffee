//! raft

mod apply;
mod commit;
mod election;
mod log;
mod persist;
mod raft;
mod replication;
mod rpc;
mod snapshot;
mod state;
mod timing;

pub use crate::apply::ApplyMsg;
pub use crate::log::LogPos;
pub use crate::raft::{NotLeader, Raft, RaftState};

/// Numbers a leader's time in office; a server's counts up.
pub type Term = u64;
/// A place in the log, counted from 1.
pub type Index = u64;
/// A server, by its place in the list of peers.
pub type PeerId = usize;
