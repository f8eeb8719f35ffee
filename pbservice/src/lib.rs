//! The primary/backup key/value service.

mod check;
mod clerk;
mod done;
mod election;
mod ping;
mod record;
mod replication;
mod rpc;
mod server;
mod state;
mod storage;
mod store;
mod tail;
mod timing;
mod waiting;
mod writer;
mod writes;

pub use crate::clerk::Clerk;
pub use crate::election::choose;
pub use crate::record::{ClientId, Epoch, Operation, Order, Record, Version};
pub use crate::rpc::Status;
pub use crate::server::{Config, PbServer, SNAPSHOT_EVERY};
pub use crate::storage::{Disk, OpenError};
pub use crate::store::Store;
