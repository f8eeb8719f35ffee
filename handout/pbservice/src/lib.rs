//! Primary/backup key/value service.
//!
//! Five servers know each other by address. One is primary: it serves the clients and copies what
//! they write to the others, its backups. When it dies, another one takes its place. The guide is
//! `pbservice/README.md`.
//!
//! The lecture's protocol does this with a ping, a check and a rule: the highest version wins, then
//! the lowest address. Followed literally, it goes wrong in two ways, and your protocol must not:
//!
//! ```text
//!   the network is cut: two primaries      a put is acknowledged, and lost
//!   0*  1  |  2*  3   4                    0*  |  1   2   3   4     put to 0, which then dies
//!   both answer puts and gets              x   |  1*  2   3   4     no other server has heard of it
//! ```
//!
//! Begin with `cargo lab test PB1`. The report names the function to write next. All of them end in
//! `your_code_here`, and their comments name the part to which they belong.
//!
//! 1. One server that works: `Table`, `Server::handle_write` and `handle_read`, and
//!    `State::note_synced`. Let the server with the lowest address always be primary.
//! 2. Copying: `replication.rs`. Decide first when a put is done, and read §5.3 of the extended Raft
//!    paper.
//! 3. A primary that dies: pings, checks and promises in `election.rs`. §5.4 of the paper shows why
//!    a promise depends on the log, and why an old record needs special care.
//! 4. Reads (§8 of the paper), restarts, and servers that have missed much: snapshots.
//!
//! | file | given | to be written |
//! |---|---|---|
//! | `server.rs` | the tasks, the RPC handlers' frame | what handlers decide |
//! | `state.rs` | the log, the table, what the disk held | what else a server knows |
//! | `rpc.rs` | the names of the messages | their fields |
//! | `election.rs`, `replication.rs`, `commit.rs`, `table.rs`, `timing.rs` | signatures | the rest |
//! | `given/` | the disk and its files, the log in memory, the lock with the task that writes, clients, addresses, the program | nothing |
//!
//! Read `given.rs` first, and then `given/shell.rs`: it has the two ways to change a server's state.
//! The public items are the interface that the tests and the program use: do not change them.
//! Everything else is a proposal.

mod commit;
mod election;
mod given;
mod replication;
mod rpc;
mod server;
mod state;
mod table;
mod timing;

pub use crate::election::choose;
pub use crate::given::clerk::Clerk;
pub use crate::given::config::{Config, SNAPSHOT_EVERY};
pub use crate::given::log_table::{compare_logs, print_logs, show_log};
pub use crate::given::record::{ClientId, MAX_OPERATION, Operation, Record};
pub use crate::given::snapshot::Snapshot;
pub use crate::given::status::Status;
pub use crate::given::storage::{Damage, Identity, Recovered, Storage, StorageError};
pub use crate::given::table::{Table, Value};
pub use crate::given::version::{Epoch, Order, Version};
pub use crate::server::PbServer;
