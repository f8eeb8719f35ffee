//! A key/value service that survives crashes and partitions: a store that Raft replicates. Every
//! call of every client is linearizable and takes effect exactly once (Ongaro and Ousterhout, "In
//! Search of an Understandable Consensus Algorithm", extended version; `§` always means a section
//! of it).
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
//! A clerk cannot know why no reply came: the request may be lost, or the reply, or the server is
//! down. All it can do is send the same request again, to this server or another, until somebody
//! answers. So a request may be in the log twice, and must still take effect once:
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
//! A clerk has one call at a time under way and numbers them, so the last number and reply of each
//! clerk are all that has to be remembered. Every server must come to the same decision, so the
//! table changes only when an entry is applied, is part of the replicated state, and goes into
//! snapshots (§8).
//!
//! # Who waits for whom
//!
//! | who | waits for | is told by |
//! |---|---|---|
//! | [`Clerk`] in a call | the reply of the server that leads | the network; asks the next server when there is none |
//! | the RPC handler in [`Rsm::submit`](rsm::Rsm::submit) | its entry, at its index in its term | the applier; looks itself whether the term is over |
//! | the applier, one task a server | the next committed entry | Raft's apply channel, which is closed by `kill` |
//!
//! An entry that is overwritten by another leader's is never applied. Whoever waits for it learns
//! that from the other entry that comes at its index, from a new term, or from the end of the
//! server. A leader without a majority hears of none of these: its clients wait until the partition
//! heals.
//!
//! # How to read it
//!
//! | file | what is there |
//! |---|---|
//! | `clerk`, `leader` | the client: number the call, find the leader |
//! | `rpc` | what is said |
//! | `server` | the RPC handlers |
//! | [`rsm`] | agreement into replies; the layer that later labs use too |
//! | `rsm/machine` | the replicated state, with the duplicate table |
//! | `store` | the store itself, ten lines |
//!
//! # What is left out, and why
//!
//! * Reads without a log entry (§8). A leader must then learn from a majority that it still leads,
//!   which takes as long as agreement does, and must have committed something in its term. That
//!   saves work, but no time, and needs a way into Raft that nothing else in the labs wants.
//! * Forgetting clients: the duplicate table keeps each one for ever. Real systems let sessions
//!   expire, and then have to agree on time.
//! * Several calls of one clerk at once: they would need a window of numbers instead of the last.
//! * Hints who leads: clerks know the servers by ends in a private order, not by number.

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
