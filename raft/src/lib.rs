//! The Raft consensus algorithm, as in the extended paper (Ongaro and Ousterhout, "In Search of an
//! Understandable Consensus Algorithm"; `§` always means a section of it): all of Figure 2, and log
//! compaction (§7).
//!
//! A cluster of servers agrees on a sequence of commands, and makes progress while a majority of
//! the servers is alive and connected. The service above Raft passes a command to the leader, and
//! receives the committed commands through a channel:
//!
//! ```
//! use std::time::Duration;
//! use labrpc::{Network, Node, Persister, Server, rendezvous, sleep};
//! use raft::{ApplyMsg, Raft};
//!
//! labrpc::run(|| {
//!     let network = Network::new();
//!     let mut servers = Vec::new();
//!     for me in 0..3 {
//!         let ends = (0..3).map(|peer| {
//!             let name = format!("S{me} to S{peer}");
//!             let end = network.make_end(&name);
//!             network.connect(&name, &format!("S{peer}"));
//!             network.enable(&name);
//!             end
//!         });
//!         let ends = ends.collect();
//!         let (apply, applied) = rendezvous();
//!         let node = Node::new(&format!("S{me}"));
//!         let start = move || {
//!             let raft = Raft::new(ends, me, Persister::new(), apply);
//!             (Server::new().with(raft.service()), raft)
//!         };
//!         let (server, raft) = node.call(start).expect("the node is alive");
//!         network.add_server(&format!("S{me}"), server);
//!         servers.push((raft, applied));
//!     }
//!
//!     sleep(Duration::from_secs(2)); // Virtual time: enough for an election.
//!     let leaders: Vec<_> = servers.iter().filter(|(raft, _)| raft.state().is_leader).collect();
//!     assert_eq!(leaders.len(), 1);
//!     let place = leaders[0].0.start(b"x = 1".to_vec()).expect("it is leader");
//!     for (_, applied) in &servers {
//!         let Ok(ApplyMsg::Command { index, command, .. }) = applied.recv() else { panic!() };
//!         assert_eq!((index, &command[..]), (place.index, &b"x = 1"[..]));
//!     }
//! });
//! ```
//!
//! # How to read it
//!
//! [`state::State`] is the state of one server, in the order of Figure 2. Its methods only make
//! decisions: they use no lock, clock, randomness or network. Each file has the methods for one
//! section of the paper. [`raft::Server::update`] is the shell around them: lock, decide, save,
//! unlock, send. All decisions are made in it, so a decision is saved before other servers or the
//! service can observe it. Only the applier goes past it: it moves `last_applied`, which is
//! volatile.
//!
//! | the paper says | the code is |
//! |---|---|
//! | Figure 2, State | [`state::State`], [`state::Role`], [`state::Progress`] |
//! | RequestVote RPC, receiver, steps 1-2 (§5.2, §5.4.1) | [`State::handle_request_vote`](state::State::handle_request_vote) |
//! | AppendEntries RPC, receiver, steps 1-5 (§5.3) | [`State::handle_append_entries`](state::State::handle_append_entries), [`log::Log::store`] |
//! | all servers: apply committed entries | [`State::take_unapplied`](state::State::take_unapplied), [`raft::Server::apply_committed`] |
//! | all servers: become a follower in a higher term | [`State::observe_term`](state::State::observe_term) |
//! | followers, candidates: election timeout | [`State::maybe_start_election`](state::State::maybe_start_election) |
//! | candidates: start an election, count votes | [`State::become_candidate`](state::State::become_candidate), [`State::handle_vote_reply`](state::State::handle_vote_reply) |
//! | candidates: another leader was elected | [`State::recognize_leader`](state::State::recognize_leader) |
//! | leaders: heartbeats | [`State::demand_heartbeats`](state::State::demand_heartbeats) |
//! | leaders: accept commands | [`Raft::start`] |
//! | leaders: send the entries that a follower lacks | [`State::take_replication`](state::State::take_replication) |
//! | leaders: `next_index`, `match_index` after a reply | [`State::handle_append_reply`](state::State::handle_append_reply) |
//! | leaders: back up a whole term at once (end of §5.3) | [`State::back_up`](state::State::back_up), [`rpc::Conflict`] |
//! | leaders: commit an entry of the current term (§5.4.2) | [`State::maybe_advance_commit_index`](state::State::maybe_advance_commit_index) |
//! | persistent state | [`persist::Storage`] |
//! | a server takes a snapshot of its own (§7) | [`Raft::snapshot`], [`State::compact_log`](state::State::compact_log) |
//! | leaders: send a snapshot to a follower that lags (§7) | [`State::install_snapshot_request`](state::State::install_snapshot_request), [`State::handle_snapshot_reply`](state::State::handle_snapshot_reply) |
//! | Figure 13, InstallSnapshot RPC, receiver, steps 1, 5-8 (§7) | [`State::handle_install_snapshot`](state::State::handle_install_snapshot), [`log::Log::compact`] |
//!
//! In logs, messages and comments `S2@5` is server 2 in term 5, and `7@5` is index 7 of term 5.
//!
//! # What is left out, and why
//!
//! * Membership changes (§6): the labs' clusters are fixed.
//! * Chunks of a snapshot (Figure 13, `offset` and `done`): as in the handout, a snapshot is sent
//!   in one piece.
//! * A no-op at the start of a term (§8): the course's tests count indices. An entry of an older
//!   term is committed together with the next command.
//! * Leader hints: clients of the labs find the leader by asking each server.
//! * Pipelining: a leader makes one call to each follower at a time, besides heartbeats. Commands
//!   that arrive during a call are sent with the next one, so a high load leads to large batches. A
//!   heartbeat repeats what is not yet confirmed.

mod apply;
mod commit;
mod election;
mod log;
mod persist;
mod raft;
mod replication;
mod rpc;
mod snapshot;
mod state;
mod timing;

pub use crate::apply::ApplyMsg;
pub use crate::log::LogPos;
pub use crate::raft::{NotLeader, Raft, RaftState};

/// The number of a term, which has at most one leader. A server's term never decreases.
pub type Term = u64;
/// The number of a log entry, counted from 1.
pub type Index = u64;
/// A server, by its position in the list of peers.
pub type PeerId = usize;
