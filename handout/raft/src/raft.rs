//! A Raft server: its interface, its tasks, and its RPC handlers.

use std::{fmt, sync::Arc, time::Duration};

use labrpc::{ClientEnd, Persister, Sender, Service, your_code_here};
// In place of the locks, threads and clocks of `std`.
#[allow(unused_imports, reason = "you will need most of them, but not on the first day")]
use labrpc::{Condvar, Instant, Mutex, MutexGuard, decode, encode, sleep, spawn};
use log::info;

use crate::rpc::{
    AppendEntriesArgs, AppendEntriesReply, InstallSnapshotArgs, InstallSnapshotReply,
    RequestVoteArgs, RequestVoteReply,
};
use crate::{ApplyMsg, Index, LogPos, PeerId, Term, state::State};

/// How often a leader sends heartbeats: ten times a second, no more.
const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(100);
/// How often a server looks at its election timer.
const TICK: Duration = Duration::from_millis(10);

/// A server of a Raft cluster. A clone is the same server: clones share all they have by means of
/// an `Arc`. That is how a task or an RPC handler gets a server of its own to work with.
#[derive(Clone)]
pub struct Raft {
    pub(crate) shared: Arc<Shared>,
}

/// What the clones of a server share. What changes is in `state`.
pub(crate) struct Shared {
    /// This server's number.
    me: PeerId,
    /// `peers[i]` reaches server i; `peers[me]` is not needed.
    peers: Vec<ClientEnd>,
    /// This server's disk.
    persister: Persister,
    /// `self.shared.state.lock()` gives access to the state for as long as the guard that it
    /// returns lives. Let it live in a block of its own, or end it with `drop`, before you wait for
    /// anything: the reply to an RPC, a channel, a sleep. To use two fields at once that change,
    /// write `let state = &mut *guard;` first: a guard lends all fields or none.
    pub(crate) state: Mutex<State>,
    /// Wakes the task that applies entries.
    pub(crate) news: Condvar,
}

/// What a server says about itself.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct RaftState {
    /// Its current term.
    pub term: Term,
    /// Whether it believes that it is the leader of that term.
    pub is_leader: bool,
}

/// The server does not lead, so it cannot accept a command.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct NotLeader;

impl fmt::Display for NotLeader {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("not the leader")
    }
}

impl std::error::Error for NotLeader {}

/// The interface.
impl Raft {
    /// Starts server `me` of the cluster that `peers` reach, and returns soon. The server knows
    /// what it saved in `persister` before, and sends what is committed to `apply`.
    pub fn new(
        peers: Vec<ClientEnd>,
        me: PeerId,
        persister: Persister,
        apply: Sender<ApplyMsg>,
    ) -> Raft {
        let saved = persister.raft_state();
        let state = match saved.is_empty() {
            true => State::new(),
            false => State::restore(&saved, persister.snapshot()),
        };
        // A line of the log. The target is its topic: four capitals, or digits at the end.
        info!(target: "INFO", "S{me} starts");
        let (state, news) = (Mutex::new(state), Condvar::new());
        let raft = Raft { shared: Arc::new(Shared { me, peers, persister, state, news }) };

        // Each task gets a clone. `move` gives it to the closure, which may live longer than this
        // function.
        let server = raft.clone();
        spawn(move || server.run_elections());
        let server = raft.clone();
        spawn(move || server.run_heartbeats());
        let server = raft.clone();
        spawn(move || server.run_applier(&apply));
        raft
    }

    /// The current term, and whether this server believes that it leads.
    pub fn state(&self) -> RaftState {
        let state = self.shared.state.lock();
        RaftState { is_leader: state.role.is_leader(), term: state.current_term }
    }

    /// 2B. Begins the agreement on a command, and returns at once: the position of its entry if it
    /// is ever committed.
    ///
    /// # Errors
    /// If this server is not the leader.
    pub fn start(&self, command: Vec<u8>) -> Result<LogPos, NotLeader> {
        your_code_here("Raft::start", (self, command))
    }

    /// 2D. The service has put all that it knew after the command at `index` into `snapshot`. The
    /// log does not need this and earlier entries any more.
    pub fn snapshot(&self, index: Index, snapshot: Vec<u8>) {
        your_code_here("Raft::snapshot", (self, index, snapshot))
    }

    /// Stops this server: its tasks end soon. Tests restart servers in this way, so a killed server
    /// must fall silent.
    pub fn kill(&self) {
        self.shared.state.lock().killed = true;
        self.shared.news.notify_all();
    }

    /// The RPC handlers. Each call runs in a task of its own, so many may run at once.
    pub fn service(&self) -> Service {
        let mut service = Service::new("Raft");
        let server = self.clone();
        service = service.method("RequestVote", move |args| server.handle_request_vote(args));
        let server = self.clone();
        service = service.method("AppendEntries", move |args| server.handle_append_entries(args));
        let server = self.clone();
        service =
            service.method("InstallSnapshot", move |args| server.handle_install_snapshot(args));
        service
    }
}

impl fmt::Debug for Raft {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "S{}", self.shared.me)
    }
}

/// Elections (2A, §5.2).
impl Raft {
    /// The task that starts elections.
    fn run_elections(&self) {
        while !self.was_killed() {
            if let Some(args) = self.stand_for_election() {
                self.request_votes(&args);
            }
            sleep(TICK);
        }
    }

    /// 2A. If the election timer has run out, makes this server a candidate, and returns what it
    /// asks of the others.
    ///
    /// See Figure 2, rules for followers and candidates. Decide under one lock: between two locks,
    /// a vote may be granted or a leader may be heard. The guide lists the timeouts that the tests
    /// accept.
    fn stand_for_election(&self) -> Option<RequestVoteArgs> {
        your_code_here("Raft::stand_for_election", self)
    }

    /// Asks all other servers for their votes, at the same time. All RPCs can be made like this: no
    /// lock is held, and each call has a task of its own, as a call may take seconds. Here the type
    /// of the reply follows from what is done with it. Where it does not, `call` must be told:
    /// `call::<_, RequestVoteReply>`.
    fn request_votes(&self, args: &RequestVoteArgs) {
        for peer in self.others() {
            let (server, args) = (self.clone(), args.clone());
            spawn(move || {
                // An error means that no reply came: the request was lost, or the reply was.
                if let Ok(reply) = server.shared.peers[peer].call("Raft.RequestVote", &args) {
                    server.handle_vote_reply(peer, &args, reply);
                }
            });
        }
    }

    /// 2A. Another server asks for this server's vote. See Figure 2, RequestVote RPC.
    fn handle_request_vote(&self, args: RequestVoteArgs) -> RequestVoteReply {
        your_code_here("Raft::handle_request_vote", (self, args))
    }

    /// 2A. Server `peer` has replied to a request for its vote. Time has passed since `args` were
    /// sent: is this server still what it was then?
    fn handle_vote_reply(&self, peer: PeerId, args: &RequestVoteArgs, reply: RequestVoteReply) {
        your_code_here("Raft::handle_vote_reply", (self, peer, args, reply))
    }
}

/// Heartbeats (2A, §5.2) and replication (2B, §5.3).
impl Raft {
    /// The task that sends heartbeats.
    fn run_heartbeats(&self) {
        while !self.was_killed() {
            sleep(HEARTBEAT_INTERVAL);
            self.send_heartbeats();
        }
    }

    /// 2A. Calls `Raft.AppendEntries` on all other servers, if this server leads. See
    /// `request_votes` for how to call.
    ///
    /// 2B: heartbeats and requests with entries differ in nothing but the number of entries. A
    /// command should not wait for the next heartbeat.
    fn send_heartbeats(&self) {
        your_code_here("Raft::send_heartbeats", self)
    }

    /// 2A: a leader's heartbeat. 2B: its entries. See Figure 2, AppendEntries RPC.
    fn handle_append_entries(&self, args: AppendEntriesArgs) -> AppendEntriesReply {
        your_code_here("Raft::handle_append_entries", (self, args))
    }
}

/// Disks and snapshots (2C and 2D, §7).
impl Raft {
    /// 2C. Saves what Figure 2 calls persistent: `labrpc::encode` makes bytes of all that has
    /// serde's derives, a tuple for instance, and `labrpc::decode` makes it again from the bytes.
    #[allow(dead_code, reason = "nothing calls it before 2C")]
    fn persist(&self, state: &State) {
        your_code_here("Raft::persist", (&self.shared.persister, state))
    }

    /// 2D. The leader sends a snapshot. See Figure 13.
    fn handle_install_snapshot(&self, args: InstallSnapshotArgs) -> InstallSnapshotReply {
        your_code_here("Raft::handle_install_snapshot", (self, args))
    }
}

/// What several parts need.
impl Raft {
    /// The numbers of all servers but this one.
    fn others(&self) -> impl Iterator<Item = PeerId> + use<> {
        let me = self.shared.me;
        (0..self.shared.peers.len()).filter(move |&peer| peer != me)
    }

    /// Whether `kill` was called.
    fn was_killed(&self) -> bool {
        self.shared.state.lock().killed
    }
}
