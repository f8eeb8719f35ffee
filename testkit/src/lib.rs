//! What the grading tests of all labs share.
//!
//! # Anatomy of a grading test
//!
//! A grading test is an ordinary `#[test]` that hands its body to [`lab_test()`]. The body runs
//! once for each seed that the environment asks for, by default in a simulation with virtual time.
//! It acts on a cluster: starts servers, cuts some off, crashes one, heals, and checks what the lab
//! promises. When a property is violated it calls [`Sim::violated`], and the test prints the
//! property, what was seen, a line per server, and the line that replays the run. Rules that are
//! plain functions return a [`Violation`] instead, which [`Sim::check`] reports.
//!
//! A [`Cluster`] knows how to start, stop and disconnect servers, but nothing about them: what a
//! server is, is up to the closures with which it is made. Here it is one that counts:
//!
//! ```
//! use labrpc::{AtomicU64, Service};
//! use std::sync::Arc;
//! use testkit::{Cluster, Started, lab_test};
//!
//! lab_test("everyone_counts_0a", |sim| {
//!     let start = |_boot| {
//!         let count = Arc::new(AtomicU64::new(0));
//!         let counter = Arc::clone(&count);
//!         let service = Service::new("Counter").method("Add", move |n: u64| counter.fetch_add(n));
//!         Started { handle: count, services: vec![service] }
//!     };
//!     let cluster = Cluster::new(sim, "S", 3, start, |_handle| {});
//!     cluster.start_all();
//!     for server in 0..cluster.len() {
//!         let count = cluster.call(server, |count| count.load());
//!         if count != Some(0) {
//!             let actual = format!("{} begins with {count:?}", cluster.name(server));
//!             sim.violated("a counter begins at zero", actual);
//!         }
//!     }
//! });
//! ```
//!
//! Code of a server runs only in tasks of its node, and so does every destructor of it: the harness
//! calls it through [`Cluster::call`], and holds no lock meanwhile. What the harness learns it
//! keeps as plain data, so that a report can be made when no task runs any more.
//!
//! # Programs instead of servers
//!
//! Where a lab's parts are programs, there is nothing to simulate: such a test hands its body to
//! [`process_test`], which runs in real time, and starts each program as a [`Process`]. It prints
//! and records the same as the others. Processes that work together form a [`Team`]: a test that waits
//! for one of them fails as soon as another one shows that it waits without success.
//!
//! # What is printed and recorded
//!
//! A test that passes prints the course's two lines to the real standard output. A judge believes
//! none of them: it starts the process with a socket as its standard input, over which come test,
//! seed and policy and back goes one record; see [`contract`]. For people, the file that
//! `LAB_REPORT` names gets the same record as a line of JSON per run. `LAB_RECORD` names a file for
//! everything that happened in a run, from which a picture is drawn; see `docs/recording.md`.

mod appends;
mod client;
mod cluster;
mod kv_calls;
mod kv_history;
mod lab_test;
mod member;
mod notes;
mod output;
mod poison;
mod poll;
mod process;
mod record;
mod recording;
mod report;
mod sightings;
mod sim;
mod team;
mod test_path;
mod value;
mod violation;

pub use crate::appends::{check_appends, item};
pub use crate::client::Client;
pub use crate::cluster::{
    Boot, Cluster, ELECTION_TIMEOUT, OutsideEnds, Reach, StableStorage, Started,
};
pub use crate::kv_calls::OpenCall;
pub use crate::kv_history::{KvClerk, KvHistory};
pub use crate::lab_test::{LabTest, lab_test, process_test};
pub use crate::notes::{SILENCE_AFTER, ServerLine};
pub use crate::poll::{poll, wait_until};
pub use crate::process::{Process, program};
pub use crate::sightings::{Sighting, check_sightings};
pub use crate::sim::{Sim, Statistics};
pub use crate::team::Team;
pub use crate::value::compare_values;
pub use crate::violation::Violation;
pub use contract::recording::Culprit;
pub use labrpc::{chance, mishap};
