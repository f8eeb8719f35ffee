//! The shard controller: a replicated service that assigns the shards of a key/value store to
//! groups of servers. Administrators add groups, remove groups, and move shards; clients and groups
//! query the assignment.
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
//!     assert_eq!(clerk.query(Some(2)).groups.len(), 2); // Past configurations do not change.
//! });
//! ```
//!
//! # Configurations
//!
//! A [`Config`] has a number, the current groups, and the group of each of the ten shards.
//! Configuration 0 has no groups, so all its shards belong to [`NO_GROUP`]. A call that changes the
//! assignment appends one configuration with the next number, and never modifies an earlier one:
//! groups that hand over shards to each other need all configurations, in order.
//!
//! | call | new configuration | no new configuration |
//! |---|---|---|
//! | [`join`](Clerk::join) | has the new groups, balanced | if all groups are current; a current group keeps its servers |
//! | [`leave`](Clerk::leave) | lacks the given groups, balanced | if none of the groups is current |
//! | [`move_shard`](Clerk::move_shard) | has one shard on another group, not balanced | if the shard or the group does not exist |
//! | [`query`](Clerk::query) | | always |
//!
//! An invalid request has no effect and is not an error. Every server decides what a request does
//! when it applies the request, so a request that made one server panic would make all of them
//! panic, and again after each restart.
//!
//! # One log, one result
//!
//! Each server balances the shards when it applies a request, and all servers must compute the same
//! assignment. So the result may depend only on the previous configuration and the request, and not
//! on the order of a hash map, the time, or random numbers.
//!
//! ```text
//! configuration 3   1 1 1 1 1 2 2 2 2 2
//!   join 3          quotas 4 3 3: keep shards within the quota, reassign the rest
//! configuration 4   1 1 1 1 3 2 2 2 3 3
//! ```
//!
//! # How to read it
//!
//! | file | contents |
//! |---|---|
//! | `config` | a configuration, and the next one after a request |
//! | `rebalance` | balances the shards with as few moves as possible |
//! | `history` | all configurations: the replicated state |
//! | `rpc`, `clerk`, `server` | the service, on lab 3's [`rsm`](kvraft::rsm) |
//!
//! # What is left out, and why
//!
//! * Queries without a log entry. Past configurations never change, so any server that has them
//!   could answer; but most queries are for the latest one, which only agreement determines.
//! * Forgetting configurations that no group needs any more: groups do not report this to the
//!   controller.
//! * Weights: all groups and shards count the same.

mod clerk;
mod config;
mod history;
mod rebalance;
mod rpc;
mod server;

pub use crate::clerk::Clerk;
pub use crate::config::{Config, Gid, NO_GROUP, SHARDS};
pub use crate::server::ShardCtrler;
