//! A sharded key/value service: keys are divided into shards, and the shard controller of lab 4A
//! assigns each shard to a group of servers. While groups join and leave and shards move, clients
//! notice only a short wait: the calls of all clients are linearizable, and each call takes effect
//! exactly once.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use labrpc::{ClientEnd, Network, Node, Persister, Server};
//! use shardctrler::ShardCtrler;
//! use shardkv::{Clerk, ShardKv, key_to_shard};
//!
//! /// An enabled client end to a server.
//! fn end(network: &Network, from: &str, to: &str) -> ClientEnd {
//!     let name = format!("{from} to {to}");
//!     let end = network.make_end(&name);
//!     network.connect(&name, to);
//!     network.enable(&name);
//!     end
//! }
//!
//! labrpc::run(|| {
//!     let network = Network::new();
//!     // One server each, to be short: a group of one tolerates no crash.
//!     let peers = vec![end(&network, "ctrler", "ctrler")];
//!     let ctrler = Node::new("ctrler").call(|| {
//!         let ctrler = ShardCtrler::new(peers, 0, Persister::new());
//!         ctrler.services().into_iter().fold(Server::new(), Server::with)
//!     });
//!     network.add_server("ctrler", ctrler.expect("the node is alive"));
//!     for gid in [100, 101] {
//!         let name = format!("server-{gid}");
//!         let peers = vec![end(&network, &name, &name)];
//!         let ctrlers = vec![end(&network, &name, "ctrler")];
//!         let (net, from) = (network.clone(), name.clone());
//!         let make_end = move |to: &str| end(&net, &from, to);
//!         let server = Node::new(&name).call(move || {
//!             let kv = ShardKv::new(peers, 0, Persister::new(), None, gid, ctrlers, make_end);
//!             kv.services().into_iter().fold(Server::new(), Server::with)
//!         });
//!         network.add_server(&name, server.expect("the node is alive"));
//!     }
//!
//!     let mut admin = shardctrler::Clerk::new(vec![end(&network, "admin", "ctrler")]);
//!     let group = |gid: u64| BTreeMap::from([(gid, vec![format!("server-{gid}")])]);
//!     admin.join(group(100));
//!
//!     let ctrlers = vec![end(&network, "client", "ctrler")];
//!     let net = network.clone();
//!     let mut clerk = Clerk::new(ctrlers, move |to: &str| end(&net, "client", to));
//!     clerk.put("lab", "4");
//!     admin.join(group(101));
//!     admin.leave(&[100]); // The shard moves, with its values.
//!     assert_eq!(admin.query(None).shards[key_to_shard("lab")], 101);
//!     clerk.append("lab", "B");
//!     assert_eq!(clerk.get("lab"), "4B");
//! });
//! ```
//!
//! # The life of a shard
//!
//! A group goes through all configurations, one after the other. In each configuration, each shard
//! is in one of four states:
//!
//! ```text
//!                  given to us, never had an owner
//!          +-------------------------------------------+
//!          |                                           v
//!      +--------+  given to us   +---------+ arrived +---------+
//!  --->| Absent |--------------->| Awaited |-------->| Serving |
//!      +--------+                +---------+         +---------+
//!          ^                                           |     ^
//!          |   the next owner                taken     |     |  given to us, and
//!          |   has it        +---------+     from us   |     |  had no owner since
//!          +-----------------| Leaving |<--------------+     |
//!                            +---------+---------------------+
//! ```
//!
//! A *configuration* gives and takes shards; the other two transitions are the *handover*. All
//! transitions are entries of the group's log, so all its servers make each one at the same place
//! between the same requests, and a crash at any moment loses nothing:
//!
//! ```text
//!   group 100, loses shard 3                     group 101, gains it
//!   log: Configure(7)   Serving -> Leaving       log: Configure(7)   Absent -> Awaited
//!        executes no more requests
//!            --------- Receive(7, shard 3, contents) -------->
//!                                                log: Install(7, 3)  Awaited -> Serving
//!            <------------------- yes -----------------------
//!   log: Discard(7, 3)  Leaving -> Absent        executes requests from here on
//! ```
//!
//! * **At most one group serves a shard.** A shard is `Serving` in one group until that group's log
//!   takes it away. Only then does the group offer the contents to the next owner.
//! * **Nothing is lost, and nothing is kept.** The old owner offers the contents until the new
//!   owner has them in its log, and only then drops them (challenge 1). If a group or some of its
//!   servers crash, the next leader finds `Leaving` in the replicated state and continues. A
//!   repeated offer is confirmed and changes nothing.
//! * **Exactly once across groups.** The duplicate table is part of the contents: group 101 finds
//!   in it a request that group 100 executed and that is sent again to 101.
//! * **No unnecessary waiting.** A shard that does not move is served all the time, and a shard
//!   that moves is served from its arrival on, even if other shards are delayed (challenge 2).
//! * **No deadlock.** A handover waits for the log of the receiving group, and a log does not wait
//!   for a handover: groups can exchange shards in both directions.
//! * **One configuration at a time.** The next configuration begins when no shard is `Awaited` or
//!   `Leaving`. So a shard cannot return before its departure is complete, and four states are
//!   enough. Each step of a handover names its configuration: a late step of an earlier
//!   configuration changes nothing.
//! * **The last group may leave.** Then the shards have no new owner. They stay `Leaving`, through
//!   any number of configurations, until a configuration gives them to a group.
//!
//! # How to read it
//!
//! | file | contents |
//! |---|---|
//! | [`shard`] | the life of a shard, and its contents |
//! | [`store`] | all shards of a group: the replicated state |
//! | [`migration`] | the task that drives migration: each round reads the state and does what is due |
//! | [`server`], [`rpc`] | requests of clients and of other groups, on lab 3's [`rsm`](kvraft::rsm) |
//! | [`clerk`] | the client: key to shard, shard to group, group to leader |
//! | [`groups`] | connects to a group by the names of its servers |
//!
//! # What is left out, and why
//!
//! * Skipping configurations: a group that was down goes through all configurations that it missed,
//!   one by one. A group whose next owner is down waits for it, and so do the groups that wait for
//!   this group.
//! * Chunks: a shard is sent in one message, and is one entry of the log.
//! * Pulling: here the group that loses a shard sends it, and the group that gains it only replies.
//!   So one message, repeated, is enough. A group that pulls a shard must also tell the other group
//!   when to delete it.
//! * Giving up on a server that does not reply: clients and groups that call a leader which is cut
//!   off from its group, but not from them, wait until it is connected again. A group that waits
//!   there does not repeat its offers to other groups meanwhile.
//! * New servers for an old group number: a group identifies itself by its number, and treats
//!   everything that configurations say about that number as its own past. So a number means the
//!   same servers forever.
//! * Forgetting clients: the duplicate table of a shard keeps every client that wrote to it.

mod clerk;
mod groups;
mod migration;
mod rpc;
mod server;
mod shard;
mod store;

pub use crate::clerk::Clerk;
pub use crate::server::ShardKv;
pub use crate::shard::key_to_shard;
