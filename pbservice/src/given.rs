//! What is not the subject of the lab: what a server has on its disk, the data, the task that
//! writes, the ways to the other servers, the client, and the program. The protocol is in the files beside this
//! one: which server is primary, what is copied, when a client may be told that something is done.
//!
//! These files depend on the others only as listed here. So a later release can replace them.
//!
//! | given | what it asks for |
//! |---|---|
//! | [`shell`] | a state that implements [`shell::Guarded`] |
//! | [`clerk`] | methods `Pb.Write`, which takes [`clerk::WriteArgs`], and `Pb.Read`, which takes a key; both return a `Result` with [`clerk::Refusal`] |
//! | [`status::Status::ask`] | a method `Pb.Status`, which takes `()` and returns a [`status::Status`] |
//! | [`peers`] | handlers that take a [`peers::Letter`], [open](peers::Peers::open) it, and return a `Result` with [`status::Unheard`] |
//! | [`storage`] | a call of [`Table::note`](table::Table::note) for each record that is applied |
//! | the program, `main.rs` | `PbServer` with `start`, `service`, `failure` and `stop`; `Clerk` with `new`, `get`, `put` and `append`; `Config`, `SNAPSHOT_EVERY`, `Status` and `print_logs` |

#![allow(dead_code, reason = "a solution need not use all that is given")]

pub(crate) mod beginning;
pub(crate) mod clerk;
pub(crate) mod config;
pub(crate) mod log_table;
pub(crate) mod patience;
pub(crate) mod peers;
pub(crate) mod record;
pub(crate) mod room;
pub(crate) mod shell;
pub(crate) mod snapshot;
pub(crate) mod status;
pub(crate) mod storage;
pub(crate) mod table;
pub(crate) mod tail;
pub(crate) mod version;
pub(crate) mod waiting;
pub(crate) mod writer;
pub(crate) mod writes;
