//! Lab 3: a key/value service on your Raft.
//!
//! Build a service that is linearizable and executes each client's call once, although requests and
//! replies get lost and servers crash: 3A without, 3B with snapshots. The guide is
//! `kvraft/README.md`. Let `cargo lab stress raft -n 300` run clean first.
//!
//! Begin with the replicated state machine in `rsm.rs`, which lab 4 uses too: run
//! `cargo lab test rsm_basic_3a`. Then write the service on top of it: `cargo lab test 3A`. Each
//! report names the function to write next.
//!
//! | file | given | to be written |
//! |---|---|---|
//! | `rsm.rs` | the task that reads the apply channel | from a request to its reply |
//! | `store.rs` | | the key/value store, a state machine |
//! | `server.rs` | the service's interface | the handler for clients |
//! | `clerk.rs`, `leader.rs` | the clients' interface | how a client gets its reply |
//! | `rpc.rs` | all | |
//!
//! The public items are the interface that the tests and lab 4 use: do not change them. Everything
//! else is a proposal. Change it, and add files, as you like.

mod clerk;
mod leader;
mod rpc;
pub mod rsm;
mod server;
mod store;

pub use crate::clerk::Clerk;
pub use crate::leader::LeaderFinder;
pub use crate::rpc::{Op, WrongLeader};
pub use crate::server::KvServer;
pub use crate::store::KvStore;
