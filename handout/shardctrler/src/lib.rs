//! Lab 4A: the shard controller, on the replicated state machine of your lab 3.
//!
//! Build the service that decides which group of servers stores which part of the keys.
//! Administrators let groups join and leave; the controller shares the shards out evenly, and moves
//! as few as it can. The guide is `shardctrler/README.md`.
//!
//! Begin with `cargo lab test 4A`. Each report names the function to write next.
//!
//! | file | given | to be written |
//! |---|---|---|
//! | `config.rs` | a configuration | how the next one follows from it |
//! | `machine.rs` | | all configurations, a state machine |
//! | `server.rs` | the service's interface | the handler for clients |
//! | `clerk.rs` | the clients' interface | how a client gets its reply |
//! | `rpc.rs` | all | |
//!
//! The public items are the interface that the tests and lab 4B use: do not change them. Everything
//! else is a proposal. Change it, and add files, as you like.

mod clerk;
mod config;
mod machine;
mod rpc;
mod server;

pub use crate::clerk::Clerk;
pub use crate::config::{Config, Gid, NO_GROUP, SHARDS};
pub use crate::server::ShardCtrler;
