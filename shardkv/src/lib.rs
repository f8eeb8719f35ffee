//! A key/value service that grows: keys are divided into shards, and each shard is served by a
//! group of servers, which the shard controller of lab 4A assigns. Groups come and go, shards move,
//! and clients notice nothing but a short wait: every call of every client is linearizable and
//! takes effect exactly once.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use labrpc::{ClientEnd, Network, Node, Persister, Server};
//! use shardctrler::ShardCtrler;
//! use shardkv::{Clerk, ShardKv, key_to_shard};
//!
//! /// An end from somebody to a server.
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
//! A group goes through all configurations, one after the other, and in each there is for each
//! shard one of four states:
//!
//! ```text
//!                  given to us, nobody ever had it
//!          +-------------------------------------------+
//!          |                                           v
//!      +--------+  given to us   +---------+ arrived +---------+
//!  --->| Absent |--------------->| Awaited |-------->| Serving |
//!      +--------+                +---------+         +---------+
//!          ^                                           |     ^
//!          |   the next owner                taken     |     |  given to us, and
//!          |   has it        +---------+     from us   |     |  nobody had it since
//!          +-----------------| Leaving |<--------------+     |
//!                            +---------+---------------------+
//! ```
//!
//! Given and taken is by a *configuration*; the other two steps are the *handover* in between. All
//! of them are entries of the group's log, so all its servers take each at the same place between
//! the same requests, and a crash at any moment loses nothing:
//!
//! ```text
//!   group 100, loses shard 3                     group 101, gains it
//!   log: Configure(7)   Serving -> Leaving       log: Configure(7)   Absent -> Awaited
//!        no request is executed any more
//!            --------- Receive(7, shard 3, contents) -------->
//!                                                log: Install(7, 3)  Awaited -> Serving
//!            <------------------- yes -----------------------
//!   log: Discard(7, 3)  Leaving -> Absent        requests are executed from here on
//! ```
//!
//! * **At most one group serves a shard.** It is `Serving` in one group until that group's log says
//!   otherwise, and only from then on are its contents offered to the next.
//! * **Nothing is lost, and nothing stays behind.** The old owner offers the contents until the new
//!   one has them in its log, and only then drops them (challenge 1). Whichever group crashes, in
//!   whole or in part, the leader that comes next finds `Leaving` in the replicated state and goes
//!   on. An offer that is repeated is answered with yes and changes nothing.
//! * **Exactly once, wherever.** The duplicate table is part of the contents: a request that 100
//!   executed and that is sent again to 101 is found in it.
//! * **Nobody waits without need.** Shards that do not move are served all the time, and each one
//!   that moves from its own arrival on, whatever holds up the others (challenge 2).
//! * **No circle of waiting.** A handover waits for the log of the receiving group, and that for no
//!   handover: groups can exchange shards both ways.
//! * **One at a time.** The next configuration begins when no shard is `Awaited` or `Leaving`. So a
//!   shard cannot return before its departure is complete, and four states are enough. Each step of
//!   a handover names its configuration: one that comes late, when that is over, changes nothing.
//! * **The last group may leave.** Then nobody takes the contents. They stay `Leaving`, through any
//!   number of configurations, until one gives the shard to somebody.
//!
//! # How to read it
//!
//! | file | what is there |
//! |---|---|
//! | [`shard`] | the life of a shard, and what is in it |
//! | [`store`] | all shards of a group: the state that is replicated |
//! | [`migration`] | the task that makes things happen: one round looks at the state and does what is due |
//! | [`server`], [`rpc`] | requests of clients and of other groups, on lab 3's [`rsm`](kvraft::rsm) |
//! | [`clerk`] | the client: key to shard, shard to group, group to leader |
//! | [`groups`] | the way to a group, from the names of its servers |
//!
//! # What is left out, and why
//!
//! * Reading ahead in configurations: a group that was down goes through all that it missed, one by
//!   one. A group whose next owner is down waits for it, and so do those that wait for this group.
//! * Chunks: a shard travels in one message, and is one entry of the log.
//! * Pulling: here the group that loses a shard acts, and the one that gains it only answers. So
//!   one message, repeated, does all. Whoever pulls must also tell the other when it may delete the
//!   shard.
//! * Giving up on a server that does not answer: a leader that is cut off from its group, but not
//!   from others, keeps those waiting who ask it, clients as well as groups, until it is connected
//!   again. A group that waits there does not repeat its offers to others meanwhile.
//! * Other servers under an old number: a group knows itself by its number, and takes what
//!   configurations say of that number for its own past. So a number means the same servers for
//!   ever.
//! * Forgetting clients: the duplicate table of a shard keeps each one that ever wrote to it.

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
