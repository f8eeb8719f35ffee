//! A key/value store on a primary and its backups.
//!
//! # A server's disk
//!
//! Whatever a server has promised or acknowledged is in its [`Storage`], and there after a crash:
//!
//! ```
//! use labrpc::Disk;
//! use pbservice::{Operation, Record, Storage, Version};
//!
//! # fn main() -> Result<(), pbservice::StorageError> {
//! let server = "10.0.0.1:7001".parse().expect("an address");
//! let disk = Disk::new(); // Or `Disk::at("data")`.
//! let (storage, recovered) = Storage::open(disk.clone(), server)?;
//! assert!(recovered.records.is_empty(), "the disk is new");
//!
//! storage.save_promise(1)?;
//! let operation = Operation::Put { key: "x".into(), value: "1".into() };
//! storage.append(&[Record { order: 1, epoch: 1, client: 7, sequence: 1, operation }])?;
//! storage.sync()?; // Now the record can be acknowledged.
//!
//! let (storage, recovered) = Storage::open(disk.crash(), server)?;
//! assert_eq!((recovered.promise, recovered.records.len()), (1, 1));
//! assert_eq!(storage.last(), Version { epoch: 1, order: 1 });
//! # Ok(())
//! # }
//! ```

mod check;
mod clerk;
mod commit;
mod election;
mod log_table;
mod ping;
mod record;
mod replication;
mod rpc;
mod server;
mod snapshot;
mod state;
mod storage;
mod table;
mod tail;
mod timing;
mod version;
mod waiting;
mod writer;
mod writes;

pub use crate::clerk::Clerk;
pub use crate::election::choose;
pub use crate::log_table::{compare_logs, print_logs, show_log};
pub use crate::record::{Operation, Record};
pub use crate::rpc::Status;
pub use crate::server::{Config, PbServer, SNAPSHOT_EVERY};
pub use crate::snapshot::Snapshot;
pub use crate::state::{ClientId, Epoch, Order};
pub use crate::storage::{Damage, KEPT_RECORDS, Recovered, Storage, StorageError};
pub use crate::table::Table;
pub use crate::version::Version;
