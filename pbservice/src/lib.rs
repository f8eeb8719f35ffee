//! The primary/backup key/value service.

mod check;
mod clerk;
mod commit;

mod election;
mod ping;
mod record;
mod replication;
mod rpc;
mod server;
mod state;
mod storage;
mod snapshot;
mod table;
mod tail;
mod timing;
mod version;
mod waiting;
mod writer;
mod writes;

pub use crate::clerk::Clerk;
pub use crate::election::choose;
pub use crate::record::{Operation, Record};
pub use crate::snapshot::Snapshot;
pub use crate::rpc::Status;
pub use crate::server::{Config, PbServer, SNAPSHOT_EVERY};
pub use crate::storage::{Disk, OpenError};
pub use crate::state::{ClientId, Epoch, Order};
pub use crate::table::Table;
pub use crate::version::Version;
