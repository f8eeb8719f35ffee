//! The shard controller: a replicated service that says which group of servers serves which shard
//! of a key/value store. Administrators add groups, remove them, and move shards; everybody else
//! asks who has what.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use labrpc::{Network, Node, Persister, Server};
//! use shardctrler::{Clerk, ShardCtrler};
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
//!     for (me, name) in ["S0", "S1", "S2"].into_iter().enumerate() {
//!         let peers = (0..3).map(|peer| end(name, peer)).collect();
//!         let server = Node::new(name).call(move || {
//!             let controller = ShardCtrler::new(peers, me, Persister::new());
//!             controller.services().into_iter().fold(Server::new(), Server::with)
//!         });
//!         network.add_server(name, server.expect("the node is alive"));
//!     }
//!
//!     let mut clerk = Clerk::new((0..3).map(|server| end("clerk", server)).collect());
//!     let group = |gid: u64| BTreeMap::from([(gid, vec![format!("server-{gid}-a")])]);
//!     clerk.join(group(1));
//!     clerk.join(group(2));
//!     assert_eq!(clerk.query(None).shards, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
//!     clerk.leave(&[2]);
//!     assert_eq!(clerk.query(None).shards, [1; 10]);
//!     assert_eq!(clerk.query(Some(2)).groups.len(), 2); // The past stays as it was.
//! });
//! ```
//!
//! # Configurations
//!
//! A [`Config`] is a number, the groups that there are, and the group of each of the ten shards.
//! Configuration 0 has no groups, so all shards are with [`NO_GROUP`]. A call that changes
//! something appends one configuration, with the next number, and never touches an earlier one:
//! groups that hand shards over to each other need all of them, in order.
//!
//! | call | next configuration | none is appended |
//! |---|---|---|
//! | [`join`](Clerk::join) | with further groups, balanced | if all groups are in already; a group that is in keeps its servers |
//! | [`leave`](Clerk::leave) | without some groups, balanced | if none of the groups is in |
//! | [`move_shard`](Clerk::move_shard) | with one shard on another group, not balanced | if there is no such shard or group |
//! | [`query`](Clerk::query) | | always |
//!
//! A request that makes no sense does nothing, instead of failing: what a request does is decided
//! when it is applied, on every server, and one that made a server panic would make all of them
//! panic, and again after each restart.
//!
//! # One log, one result
//!
//! Balancing happens when a request is applied, so each server does it for itself, and all must
//! come to the same assignment. Then nothing may matter but the configuration before and the
//! request: not the order of a hash map, nor time or chance.
//!
//! ```text
//! configuration 3   1 1 1 1 1 2 2 2 2 2
//!   join 3          quotas 4 3 3: keep what is within the quota, hand out the rest
//! configuration 4   1 1 1 1 3 2 2 2 3 3
//! ```
//!
//! # How to read it
//!
//! | file | what is there |
//! |---|---|
//! | `config` | a configuration, and the one that follows from it |
//! | `rebalance` | as even as possible, with as few moves as possible |
//! | `history` | all configurations: the state that is replicated |
//! | `rpc`, `clerk`, `server` | the service, on lab 3's [`rsm`](kvraft::rsm) |
//!
//! # What is left out, and why
//!
//! * Queries without a log entry. Past configurations never change, so any server that knows them
//!   could answer; but clients mostly ask for the latest, and only agreement tells which that is.
//! * Forgetting configurations that no group needs any more: nobody tells the controller.
//! * Weights of groups or shards: all count the same.

mod clerk;
mod config;
mod history;
mod rebalance;
mod rpc;
mod server;

pub use crate::clerk::Clerk;
pub use crate::config::{Config, Gid, NO_GROUP, SHARDS};
pub use crate::server::ShardCtrler;
