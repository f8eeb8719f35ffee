//! A Raft server: the shell around [`State`] that locks, saves, sends and waits.

use std::fmt;
use std::sync::Arc;

use labrpc::{ClientEnd, Condvar, Instant, Mutex, Persister, Sender, Service, sleep, spawn};

use crate::apply::ApplyMsg;
use crate::log::{Entry, LogPos};
use crate::persist::Storage;
use crate::rpc::{AppendEntriesArgs, InstallSnapshotArgs, Message, RequestVoteArgs};
use crate::state::State;
use crate::timing::{HEARTBEAT, fresh_election_deadline};
use crate::{Index, PeerId, Term};

/// A server of a Raft cluster. Clones are the same server. Used by the grading tests.
///
/// It runs three tasks until [`Raft::kill`]: one starts elections, one asks for heartbeats, and one
/// hands committed entries to the service. Each request to another server has a task of its own.
#[derive(Clone)]
pub struct Raft(Arc<Server>);

/// What a server believes about its role. Used by the grading tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaftState {
    /// The latest term that it has seen.
    pub term: Term,
    /// Whether it believes that it leads that term.
    pub is_leader: bool,
}

/// The server cannot accept a command: it is not the leader, as far as it knows. Used by the
/// grading tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLeader;

impl fmt::Display for NotLeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this server is not the leader")
    }
}

impl std::error::Error for NotLeader {}

impl Raft {
    /// Starts server `me` of a cluster; `peers[i]` reaches server i. It goes on from what
    /// `persister` holds, and tells the service through `apply` what is committed. The service
    /// restores itself from a persisted snapshot before this is called.
    pub fn new(
        peers: Vec<ClientEnd>,
        me: PeerId,
        persister: Persister,
        apply: Sender<ApplyMsg>,
    ) -> Raft {
        let storage = Storage::new(persister);
        let state = State::new(me, peers.len(), storage.load(), fresh_election_deadline());
        let server = Arc::new(Server {
            peers,
            inner: Mutex::new(Inner { state, storage, killed: false }),
            committed: Condvar::new(),
        });
        let elections = Arc::clone(&server);
        spawn(move || elections.start_elections());
        let heartbeats = Arc::clone(&server);
        spawn(move || heartbeats.demand_heartbeats());
        let applier = Arc::clone(&server);
        spawn(move || applier.apply_committed(&apply));
        Raft(server)
    }

    /// Asks the cluster to agree on a command, and returns at once with the place that it will have
    /// if it is committed. It may never be.
    ///
    /// # Errors
    /// If this server is not the leader.
    pub fn start(&self, command: Vec<u8>) -> Result<LogPos, NotLeader> {
        self.0.update(|state| {
            if !state.is_leader() {
                return Err(NotLeader);
            }
            // Figure 2, rules for leaders: append the entry to the local log.
            let place = state.log.append(Entry { term: state.current_term, command });
            // In a cluster of one, this is a majority.
            state.maybe_advance_commit_index();
            Ok(place)
        })
    }

    /// The current term, and whether this server believes that it is the leader.
    pub fn state(&self) -> RaftState {
        let inner = self.0.inner.lock();
        RaftState { term: inner.state.current_term, is_leader: inner.state.is_leader() }
    }

    /// Tells Raft that `snapshot` contains the service's state after all commands up to and
    /// including `index`, so the entries up to it are no longer needed.
    pub fn snapshot(&self, index: Index, snapshot: Vec<u8>) {
        self.0.update(|state| state.compact_log(index, snapshot));
    }

    /// Stops the tasks of this server soon. What it has decided to send, and the entries that the
    /// applier has taken, may still go out, and no more. The RPC handlers and [`Raft::start`] go on
    /// as before, and save: a server that replaces this one needs a [copy](Persister::copy) of its
    /// disk.
    pub fn kill(&self) {
        self.0.inner.lock().killed = true;
        self.0.committed.notify_all();
    }

    /// The RPC handlers by which the other servers reach this one.
    pub fn service(&self) -> Service {
        let (votes, entries, snapshots) = (self.clone(), self.clone(), self.clone());
        Service::new("Raft")
            .method("RequestVote", move |args: RequestVoteArgs| {
                votes.0.update(|state| state.handle_request_vote(&args, fresh_election_deadline()))
            })
            .method("AppendEntries", move |args: AppendEntriesArgs| {
                entries
                    .0
                    .update(|state| state.handle_append_entries(args, fresh_election_deadline()))
            })
            .method("InstallSnapshot", move |args: InstallSnapshotArgs| {
                snapshots
                    .0
                    .update(|state| state.handle_install_snapshot(args, fresh_election_deadline()))
            })
    }
}

impl fmt::Debug for Raft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Raft")
    }
}

/// What a server's tasks share.
pub(crate) struct Server {
    peers: Vec<ClientEnd>,
    inner: Mutex<Inner>,
    /// Notified when something is committed and not yet applied, or the server was killed.
    committed: Condvar,
}

/// What the lock guards.
struct Inner {
    state: State,
    storage: Storage,
    killed: bool,
}

impl Server {
    /// Makes all decisions: lock, decide, save, unlock, send.
    ///
    /// `decide` changes the state, and nothing else. What must survive a crash is saved before a
    /// reply, a request or the applier can make it known.
    fn update<R>(self: &Arc<Self>, decide: impl FnOnce(&mut State) -> R) -> R {
        let mut inner = self.inner.lock();
        let Inner { state, storage, killed } = &mut *inner;
        let result = decide(state);
        storage.save(state);
        if state.has_unapplied() {
            self.committed.notify_one();
        }
        let messages = if *killed { Vec::new() } else { state.take_messages() };
        drop(inner);
        for (peer, message) in messages {
            let server = Arc::clone(self);
            spawn(move || server.send(peer, message));
        }
        result
    }

    /// Sends a request, waits for the reply, and acts on it.
    fn send(self: &Arc<Self>, to: PeerId, message: Message) {
        let peer = &self.peers[to];
        match message {
            Message::RequestVote(args) => {
                if let Ok(reply) = peer.call("Raft.RequestVote", &args) {
                    self.update(|state| {
                        state.handle_vote_reply(to, &args, &reply, fresh_election_deadline());
                    });
                }
            }
            Message::AppendEntries(args, call) => {
                let reply = peer.call("Raft.AppendEntries", &args).ok();
                self.update(|state| {
                    let fresh_deadline = fresh_election_deadline();
                    state.handle_append_reply(to, &args, call, reply.as_ref(), fresh_deadline);
                });
            }
            Message::InstallSnapshot(args, call) => {
                let reply = peer.call("Raft.InstallSnapshot", &args).ok();
                self.update(|state| {
                    let fresh_deadline = fresh_election_deadline();
                    state.handle_snapshot_reply(to, &args, call, reply.as_ref(), fresh_deadline);
                });
            }
        }
    }

    /// The task that starts an election whenever no leader has been heard of for too long.
    fn start_elections(self: &Arc<Self>) {
        while !self.is_killed() {
            // While this task sleeps, a fresh deadline may be set that is earlier than the one it
            // sleeps to, or a leader, which has none, may step down. So an election may begin after
            // its deadline, but at most the longest timeout after the timer was restarted.
            let deadline = self.inner.lock().state.election_deadline();
            let deadline = deadline.unwrap_or_else(fresh_election_deadline);
            sleep(deadline - Instant::now());
            self.update(|state| {
                state.maybe_start_election(Instant::now(), fresh_election_deadline());
            });
        }
    }

    /// The task that makes a leader contact its followers even if it has nothing to say. Figure 2,
    /// rules for leaders: repeat during idle periods (§5.2).
    fn demand_heartbeats(self: &Arc<Self>) {
        while !self.is_killed() {
            sleep(HEARTBEAT);
            self.update(State::demand_heartbeats);
        }
    }

    /// Waits until something is committed and not yet applied, and takes it; `None` once the server
    /// was killed.
    pub(crate) fn wait_for_unapplied(&self) -> Option<Vec<ApplyMsg>> {
        let inner = self.inner.lock();
        let mut inner =
            self.committed.wait_while(inner, |inner| !inner.killed && !inner.state.has_unapplied());
        (!inner.killed).then(|| inner.state.take_unapplied())
    }

    /// Whether this server was killed.
    fn is_killed(&self) -> bool {
        self.inner.lock().killed
    }
}
