//! Lab 2: Raft.
//!
//! Build a server of a replicated log after the extended Raft paper (Ongaro and Ousterhout, "In
//! Search of an Understandable Consensus Algorithm"; `§` and "Figure" refer to it): 2A elects
//! leaders, 2B replicates the log, 2C survives crashes, 2D shortens the log by snapshots. The guide
//! is `raft/README.md`; read it and Figure 2 first.
//!
//! Begin with `cargo lab test 2A`. The report names the function to write next. All of them end in
//! `your_code_here`, and their comments name the part to which they belong.
//!
//! | file | given | to be written |
//! |---|---|---|
//! | `raft.rs` | the tasks, the pattern of an RPC, `service` | what the tasks and handlers do |
//! | `state.rs` | term, role, two indices | the rest of Figure 2's state |
//! | `apply.rs` | the task that serves the apply channel | which messages it sends |
//! | `rpc.rs`, `log.rs` | the names of the RPCs, `LogPos` | their fields, the log |
//!
//! The public items are the interface that the tests and the later labs use: do not change them.
//! Everything else is a proposal. Change it, and add files, as you like.

mod apply;
mod log;
mod raft;
mod rpc;
mod state;

pub use crate::apply::ApplyMsg;
pub use crate::log::LogPos;
pub use crate::raft::{NotLeader, Raft, RaftState};

/// Numbers the terms.
pub type Term = u64;
/// Numbers the log's entries, from 1.
pub type Index = u64;
/// Numbers the servers of a cluster, from 0.
pub type PeerId = usize;
