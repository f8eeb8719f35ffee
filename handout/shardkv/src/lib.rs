//! Lab 4B: a key/value service of many groups, each with a part of the keys.
//!
//! Build groups that serve the shards that the controller of lab 4A assigns to them, and hand them
//! over to each other when it assigns them anew, while clients notice nothing but a short wait. The
//! guide is `shardkv/README.md`.
//!
//! Begin with `cargo lab test static_shards_4b`. Each report names the function to write next.
//!
//! | file | given | to be written |
//! |---|---|---|
//! | `machine.rs` | a key's shard | the shards of a group, a state machine |
//! | `server.rs` | the service's interface, the task that follows the controller | the handlers, and all that moves shards |
//! | `clerk.rs` | the clients' interface | how a client finds the group of a key |
//!
//! The public items are the interface that the tests use: do not change them. Everything else is a
//! proposal. Change it, and add files, as you like.

mod clerk;
mod machine;
mod server;

pub use crate::clerk::Clerk;
pub use crate::machine::key_to_shard;
pub use crate::server::ShardKv;

/// Makes an end to the server with this name. Clones make the same ends.
type MakeEnd = std::sync::Arc<dyn Fn(&str) -> labrpc::ClientEnd + Send + Sync>;
