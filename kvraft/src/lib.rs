//! A key/value service that survives crashes and partitions: the store is a state machine that Raft
//! replicates, and every operation is linearizable and takes effect exactly once.

mod clerk;
mod leader;
mod rpc;
pub mod rsm;
mod server;
mod store;

pub use crate::clerk::Clerk;
pub use crate::leader::LeaderFinder;
pub use crate::rpc::WrongLeader;
pub use crate::server::KvServer;
