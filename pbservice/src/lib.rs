//! A key/value service with a primary and backups: what the course builds before it reaches Raft.
//!
//! Five servers know each other by address. One of them is primary: it takes every put, copies it
//! to the others, and says that it is done when a majority has it on disk. When it dies, the others
//! check each other and make the one with the highest version their primary, among several the one
//! with the lowest address.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::net::SocketAddr;
//! use labrpc::{ClientEnd, Disk, Network, Node, Server, sleep};
//! use pbservice::{Clerk, Config, PbServer, SNAPSHOT_EVERY};
//!
//! labrpc::run(|| {
//!     let network = Network::new();
//!     let addresses: Vec<SocketAddr> =
//!         (1..=5).map(|host| SocketAddr::from(([10, 0, 0, host], 7000))).collect();
//!     let ends = |from: &str| -> BTreeMap<SocketAddr, ClientEnd> {
//!         let end = |to: &SocketAddr| {
//!             let name = format!("{from} to {to}");
//!             let end = network.make_end(&name);
//!             network.connect(&name, &to.to_string());
//!             network.enable(&name);
//!             (*to, end)
//!         };
//!         addresses.iter().map(end).collect()
//!     };
//!     let mut nodes = Vec::new();
//!     for &address in &addresses {
//!         let name = address.to_string();
//!         let (node, peers) = (Node::new(&name), ends(&name));
//!         let server = node.call(move || {
//!             let snapshot_every = SNAPSHOT_EVERY;
//!             let config = Config { address, peers, snapshot_every, is_new: true };
//!             let server = PbServer::start(config, Disk::new()).expect("the disk is new");
//!             Server::new().with(server.service())
//!         });
//!         network.add_server(&name, server.expect("the node is alive"));
//!         nodes.push(node);
//!     }
//!
//!     let mut clerk = Clerk::new(ends("clerk").into_iter().collect());
//!     assert_eq!(clerk.get("x"), None);
//!     clerk.put("x", "1");
//!     nodes[0].crash(); // The primary: all versions were equal, and its address is the lowest.
//!     network.delete_server(&addresses[0].to_string());
//!     clerk.append("x", "2");
//!     assert_eq!(clerk.get("x").as_deref(), Some("12"));
//! });
//! ```
//!
//! The program `pbservice` runs the same server over sockets and files: `pbservice --help`.
//!
//! # The lecture's protocol, and where it goes wrong
//!
//! Taken at its word, the lecture says: the primary copies each put to all that it reaches; backups
//! `ping` it; when it is silent, all `check` each other's address and version, wait, and follow the
//! highest version, then the lowest address. `tests/robustness/naive.rs` does just that, and plays the
//! runs in which it fails:
//!
//! ```text
//!     two primaries                          an acknowledged put is lost
//!       0*  1  |  2   3   4                    0*  |  1   2   3   4
//!       0*  1  |  2*  3   4    2 is chosen     put 2: done, says 0
//!       put    |  put          both say done   0 dies
//!       get    |  get          they differ         |  1*  2   3   4    get: 1
//! ```
//!
//! # What was added
//!
//! | question | answer | code |
//! |---|---|---|
//! | when is a put done? | when a majority has it on disk | [`State::maybe_commit`](state::State::maybe_commit) |
//! | who may be primary? | only one per *epoch*: a majority has promised it the epoch, on disk | [`State::handle_promise`](state::State::handle_promise) |
//! | does it know all that is done? | a server promises nothing to one whose version is lower; every majority that promises meets every majority that has the put | [`State::handle_promise`](state::State::handle_promise) |
//! | what of an old primary's records? | a request of an older epoch is refused; records that the primary does not have are cut off | [`State::handle_copy`](state::State::handle_copy) |
//! | is an old record done when a majority has it? | no: a lonely record of a later epoch may still cut it off. A new primary writes a no-op first, and serves nothing before that is done | [`State::become_primary`](state::State::become_primary) |
//! | may a primary answer a get? | when a majority says, in a round that began after the get came, that it still follows; many gets share a round | [`State::accept_read`](state::State::accept_read) |
//! | is a put that comes twice done twice? | no: the client's number is in the record, and the last one of each client is part of the table | [`Table::apply`] |
//! | what does a server know after a crash? | snapshot, log and promise; it asks for what it lacks | [`Storage`], [`State::handle_ping`](state::State::handle_ping) |
//! | what if two servers mean different majorities? | each remembers its list of servers, refuses to start with another one, and ignores servers that have another | [`Storage::open`], [`Peers::open`](given::peers::Peers::open) |
//! | what if its log has rotted? | it does not promise, count or serve until the primary has replaced it | [`repair`] |
//! | what if its directory was emptied? | the same; a primary makes sure first that a promise which the server has forgotten has helped no other one into office | [`Office::may_repair`](state::Office::may_repair) |
//! | how do servers start that have no files yet? | they count when all say that they are new | [`State::maybe_begin`](state::State::maybe_begin) |
//! | what if a promise was forgotten all the same? | two logs may have different records under the same version: a checksum is chained through the records, and compared. A server whose records are not the primary's ends | [`State::check_same`](state::State::check_same) |
//!
//! # From here to Raft
//!
//! Each answer is one of Raft's rules under another name. An epoch is a term, a promise is a vote,
//! and the version that a server compares before it promises is the election restriction (section
//! 5.4.1 of the paper). The run in which an old record must not be counted is its Figure 8, and the
//! no-op is what its section 8 advises. Raft drops what the lecture still has: it does not look for
//! the *best* server, since every one with a log that is good enough will do, and random time-outs
//! see to it that one stands first. That saves the round of checks. And its primary speaks without
//! being pinged.
//!
//! # How it works
//!
//! [`state::State`] is what one server knows; its methods decide and do nothing else. The shell,
//! [`given::shell::Shell`], locks, lets the server decide, and unlocks. What was decided to be
//! written queues in [`given::writes::Writes`]; one task carries it out without the lock and syncs
//! once for all that has gathered. A primary has one more task for each backup, which waits until
//! the backup lacks something, calls, and handles the answer: [`copier`]. Nothing is said to others
//! that a crash could take back: a reply waits for the disk, see [`server::Server::update_on_disk`].
//! A primary's own record counts when it is on its own disk, but it is on its way to the backups
//! before that: two disks at work at once take half the time.
//!
//! | file | what is there |
//! |---|---|
//! | `rpc` | what servers say to each other |
//! | `server`, `state`, `timing` | handlers and tasks; a server's knowledge and roles; all times |
//! | `beginning` | how servers that are all new begin |
//! | `ping`, `election`, `check` | who is alive; the rule and the promises; the round of checks |
//! | `replication`, `copier` | copying; the tasks that copy |
//! | `pieces` | how snapshots travel |
//! | `repair` | how a server that has lost its log counts again |
//! | `commit`, `table` | what is done; what a record does |
//!
//! What is not the subject of the lab is in [`given`]:
//!
//! | file | what is there |
//! |---|---|
//! | `shell`, `writes`, `writer` | the lock; what is to be written; the task that writes |
//! | `waiting`, `patience`, `peers` | clients that wait; how long to wait for a backup; the other servers |
//! | `tail`, `table`, `record`, `version`, `snapshot` | the data |
//! | `clerk`, `room`, `beginning` | the client, and what it says; how large a table may become; whether all servers are new |
//! | `storage`, `log_table` | files; how logs are shown and compared |
//! | `config`, `status`, `main` | what a server is told, and what it says of itself; the program |
//!
//! A record is written `7@5`: record 7, of epoch 5. Committed is what the lecture calls done.
//!
//! # What is different from the lecture, and what is left out
//!
//! * The lecture waits some tens of seconds before it chooses. Here a primary is dead after ten
//!   pings in a row, a second, and another one serves within three.
//! * A table is limited to [`MAX_TABLE`](crate::given::record::MAX_TABLE), 56 MiB of memory: keys
//!   and values, and 160 bytes for each key and 32 for each client. Snapshots travel in [pieces], so
//!   messages do not limit the table. But each snapshot is encoded as a whole and written in one go;
//!   until it is on disk, the server acknowledges nothing. And it is read as a whole when the server
//!   starts: with 56 MiB it took 0.6 to 3.5 s until the log was equal to the primary's. A table of
//!   1 GB would take twenty times as long, and 2 GB of memory. A primary refuses a write that could
//!   make the table larger, also one that makes a value shorter.
//! * A key and its value together are limited to [`MAX_OPERATION`], also when a value grows by
//!   appends: the answers to gets are what others can make a server keep in memory.
//! * Servers neither join nor leave.
//! * The last operation of each client is remembered forever. Each call of the program
//!   `pbservice put` is a client of its own, and adds 32 bytes to the table.
//!
//! # A server's memory
//!
//! The program limits what clients that send and do not read can make a server hold:
//!
//! | what | at most |
//! |---|---|
//! | answers that are not sent yet | one for each of 96 connections, and 32 more; 1 MiB each: 128 MiB |
//! | connections and threads | 0.1 MiB each: 14 MiB |
//! | the log | 16 MiB since each of the last two snapshots: 32 MiB; and what is not committed yet |
//! | the table | its size |
//! | a snapshot that is written | the same once more |
//!
//! With a table of 24 MiB that is 222 MiB, whatever clients read. In addition there is the size of
//! the table for each backup that is being sent a snapshot, and twice that size in a server that gets
//! one; while long values are written, up to 4 MiB for each call: the request, the record, and what
//! waits for the disk and the backups. While a server's disk stands still, 16 MiB of records wait for
//! it, and one more snapshot. A primary then takes no further writes until it has written them: it does
//! not step down, so clients wait. A message that is half sent holds up to 16 MiB for up to 10 s.
//!
//! # A server's directory
//!
//! Its files say which server has written them, which servers there are, and whether the server may
//! count: see [`Storage::open`]. An operator may, while the server is stopped:
//!
//! * move the directory, or copy all of it and use only the copy from then on;
//! * empty the directory. The server does not count until a primary has repaired it, which takes a
//!   majority of servers without it.
//!
//! What must never be done, because the servers cannot always find it out, and what was acknowledged
//! may be lost:
//!
//! * To put an *older copy* in the place of a directory. The server forgets what it has acknowledged
//!   and promised since. This stays hidden as long as no server is up that has other records. When
//!   there is one, each server whose records differ from those of the primary that it follows ends.
//!   Two logs that differ have the same checksum by chance once in 2^32 times.
//! * To say that a server is new ([`Config::is_new`]) when it is not.
//! * To empty half of the directories or more. If all are emptied, the servers begin anew. If some
//!   are left, but not enough to make a majority without the others, there is no service.
//!
//! # A server's disk
//!
//! Whatever a server has promised or acknowledged is in its [`Storage`], and there after a crash:
//!
//! ```
//! use labrpc::Disk;
//! use pbservice::{Identity, Operation, Record, Storage, Version};
//!
//! # fn main() -> Result<(), pbservice::StorageError> {
//! let address = "10.0.0.1:7001".parse().expect("an address");
//! let mut identity = Identity { address, servers: [address].into(), is_new: true };
//! let disk = Disk::new(); // Or `Disk::at("data")`.
//! let (mut storage, recovered) = Storage::open(disk.clone(), &identity)?;
//! assert!(recovered.records.is_empty(), "the disk is new");
//!
//! storage.save_promise(1)?;
//! let operation = Operation::Put { key: "x".into(), value: "1".into() };
//! storage.append(&[Record { order: 1, epoch: 1, client: 7, sequence: 1, operation }])?;
//! storage.sync()?; // Now the record can be acknowledged.
//!
//! identity.is_new = false;
//! let (_, recovered) = Storage::open(disk.crash(), &identity)?;
//! assert_eq!((recovered.promise, recovered.records.len()), (1, 1));
//! assert_eq!(recovered.records[0].version(), Version { epoch: 1, order: 1 });
//! # Ok(())
//! # }
//! ```

mod beginning;
mod check;
mod commit;
mod copier;
mod election;
mod given;
mod pieces;
mod ping;
mod repair;
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
