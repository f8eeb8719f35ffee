//! A key/value service that survives crashes and partitions: a store that Raft replicates. The
//! calls of all clients are linearizable, and each call takes effect exactly once (Ongaro and
//! Ousterhout, "In Search of an Understandable Consensus Algorithm", extended version; `§` always
//! means a section of it).
//!
//! ```
//! use kvraft::{Clerk, KvServer};
//! use labrpc::{Network, Node, Persister, Server};
//!
//! labrpc::run(|| {
//!     let network = Network::new();
//!     let end = |from: &str, to: usize| {
//!         let name = format!("{from} to S{to}");
//!         let end = network.make_end(&name);
//!         network.connect(&name, &format!("S{to}"));
//!         network.enable(&name);
//!         end
//!     };
//!     let nodes = ["S0", "S1", "S2"].map(Node::new);
//!     for (me, node) in nodes.iter().enumerate() {
//!         let peers = (0..3).map(|peer| end(node.name(), peer)).collect();
//!         let server = node.call(move || {
//!             let kv = KvServer::new(peers, me, Persister::new(), Some(1_000));
//!             kv.services().into_iter().fold(Server::new(), Server::with)
//!         });
//!         network.add_server(node.name(), server.expect("the node is alive"));
//!     }
//!
//!     let mut clerk = Clerk::new((0..3).map(|server| end("clerk", server)).collect());
//!     clerk.put("lab", "3");
//!     nodes[0].crash(); // Perhaps it was the leader.
//!     clerk.append("lab", "A");
//!     assert_eq!(clerk.get("lab"), "3A");
//! });
//! ```
//!
//! # Exactly once over at least once
//!
//! A clerk cannot know why a reply is missing: the request or the reply may be lost, or the server
//! may be down. The clerk can only send the same request again, to the same server or another one,
//! until a server replies. So a request may be in the log twice, and must still take effect once:
//!
//! ```text
//!  clerk 7              S0, leader              S1                log
//!    |-- #4 append "x" --->|                                      5@1: 7 #4 append "x"
//!    |       (reply lost) -X  crashes            |
//!    |-- #4 append "x" ------------------------->| leads now       6@2: 7 #4 append "x"
//!    |<------------------------------------ done |
//!
//!  apply 5@1: the duplicate table has 7 -> #3:  execute, now 7 -> (#4, reply)
//!  apply 6@2: the duplicate table has 7 -> #4:  answer as before, do not execute
//! ```
//!
//! A clerk makes one call at a time and numbers its calls, so a server only needs to remember the
//! last number and reply of each clerk. All servers must make the same decision, so the duplicate
//! table is part of the replicated state: it changes only when an entry is applied, and snapshots
//! contain it (§8).
//!
//! # Which task waits for what
//!
//! | task | waits for | is woken by |
//! |---|---|---|
//! | [`Clerk`] in a call | the reply of the leader | the network; without a reply it asks the next server |
//! | the RPC handler in [`Rsm::submit`](rsm::Rsm::submit) | its entry, at its index in its term | the applier; the handler itself checks every 50 ms whether the term has changed |
//! | the applier, one task per server | the next committed entry | Raft's apply channel, which `kill` closes |
//!
//! An entry that another leader overwrites on this server may still be committed later, by a leader
//! that has kept it (compare Figure 8). So a handler never learns that its entry is lost, only that
//! this server cannot tell. It gives up when another entry is applied or started at its index, when
//! a snapshot covers its index, when the term changes, or when the server is killed. The clerk then
//! sends the request again, and the duplicate table keeps it from taking effect twice. At a leader
//! without a majority none of these happens: its clients wait until the partition heals.
//!
//! # How to read it
//!
//! | file | contents |
//! |---|---|
//! | `clerk`, `leader` | the client: numbers the calls and finds the leader |
//! | `rpc` | arguments and replies |
//! | `server` | the RPC handlers |
//! | [`rsm`] | the replicated state machine, from requests to replies; later labs use it too |
//! | `rsm/machine` | the replicated state, with the duplicate table |
//! | `store` | the key/value store, in ten lines |
//!
//! # What is left out, and why
//!
//! * Reads without a log entry (§8). A leader would have to ask a majority whether it still leads,
//!   which takes as long as agreement, and must have committed an entry in its term. That saves
//!   work but no time, and it needs an interface to Raft that the labs do not need otherwise.
//! * Forgetting clients: the duplicate table keeps each client forever. Real systems let sessions
//!   expire, which requires agreement on time.
//! * Concurrent calls of one clerk: they would need a window of numbers instead of the last number.
//! * Leader hints: each clerk has the servers in a private order and does not know their numbers.

mod clerk;
mod leader;
mod rpc;
pub mod rsm;
mod server;
mod store;

pub use crate::clerk::Clerk;
pub use crate::leader::LeaderFinder;
pub use crate::rpc::{Op, WrongLeader};
pub use crate::server::KvServer;
pub use crate::store::KvStore;
