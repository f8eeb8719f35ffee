//! A replicated state machine: from a request to its reply, by way of Raft's log.
//!
//! `submit` gives a request to Raft. Some time later the applier reads it from Raft's channel, on
//! all servers, and applies it to the machine. On the server that was asked, `submit` waits for
//! that moment, and returns the machine's reply.

use std::{fmt, sync::Arc};

use labrpc::{ClientEnd, Mutex, Persister, Receiver, Service, your_code_here};
// In place of the channels, threads and clocks of `std`.
#[allow(unused_imports, reason = "you will need most of them, but not on the first day")]
use labrpc::{Condvar, Instant, Sender, channel, decode, encode, rendezvous, sleep, spawn};
use raft::{ApplyMsg, Index, Raft, Term};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A number that only one client has.
pub type ClientId = u64;

/// What is replicated. The machines of all servers apply the same commands in the same order, and
/// must be equal afterwards: `apply` must use neither the clock, nor random numbers, nor the order
/// of a hash map.
pub trait StateMachine: Send + 'static {
    /// What clients ask for.
    type Command: Serialize + DeserializeOwned + Send + 'static;
    /// What clients get.
    type Reply: Serialize + DeserializeOwned + Clone + Send + 'static;

    /// Changes the state, and says what the client gets.
    fn apply(&mut self, command: Self::Command) -> Self::Reply;

    /// The state as bytes: `labrpc::encode` makes them.
    fn snapshot(&self) -> Vec<u8>;

    /// The state is from now on what it was when `snapshot` was made.
    fn restore(&mut self, snapshot: &[u8]);
}

/// A command of a client. A client that gets no reply sends the same request again, with the same
/// number, until it gets one or gives up; only then it makes the next request.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, Clone)]
pub struct Request<C> {
    /// Whose request it is.
    pub client: ClientId,
    /// Which of its requests it is: 1, 2, 3 and so on.
    pub sequence: u64,
    /// What it is about.
    pub command: C,
}

/// Why there is no reply.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum SubmitError {
    /// This server does not lead, or lost the lead before it could see the command applied.
    WrongLeader,
    /// This server was killed.
    Shutdown,
}

impl fmt::Display for SubmitError {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            SubmitError::WrongLeader => out.write_str("not the leader"),
            SubmitError::Shutdown => out.write_str("the server was killed"),
        }
    }
}

impl std::error::Error for SubmitError {}

/// A server of a replicated state machine. A clone is the same server.
pub struct Rsm<M: StateMachine> {
    raft: Raft,
    shared: Arc<Mutex<Shared<M>>>,
}

/// What the applier and the calls of `submit` share.
struct Shared<M: StateMachine> {
    machine: M,
    killed: bool,
    // 3A: your fields here. Which requests wait, for what, and how do they get their replies? A
    // `channel()` of labrpc for each call of `submit` is one way, a `Condvar` another. And what
    // must all servers remember, so that a request that is in the log twice is executed once?
}

/// The interface.
impl<M: StateMachine> Rsm<M> {
    /// Starts server `me` of the cluster that `peers` reach. Its machine is what a snapshot in
    /// `persister` says or, without one, `machine`. 3B: its Raft state should stay smaller than
    /// `max_raft_state` bytes; without that limit it takes no snapshots.
    pub fn new(
        peers: Vec<ClientEnd>,
        me: usize,
        persister: Persister,
        max_raft_state: Option<usize>,
        machine: M,
    ) -> Self {
        let mut shared = Shared { machine, killed: false };
        let saved = persister.snapshot();
        if !saved.is_empty() {
            shared.restore(&saved);
        }
        let (apply, messages) = rendezvous();
        let disk = persister.clone();
        let shared = Arc::new(Mutex::new(shared));
        let rsm = Rsm { raft: Raft::new(peers, me, disk, apply), shared };
        let server = Rsm::clone(&rsm);
        spawn(move || server.run_applier(max_raft_state, &persister, &messages));
        rsm
    }

    /// 3A. Has a request executed once, and returns the reply.
    ///
    /// # Errors
    /// If this server cannot know whether the request was or will be executed. The client should
    /// ask another server.
    pub fn submit(&self, request: Request<M::Command>) -> Result<M::Reply, SubmitError> {
        your_code_here("Rsm::submit", (self, request))
    }

    /// As `submit`, for a command that is no client's request, and is executed each time that it is
    /// in the log. Lab 4B needs it, this lab does not.
    ///
    /// # Errors
    /// As `submit`.
    pub fn propose(&self, command: M::Command) -> Result<M::Reply, SubmitError> {
        your_code_here("Rsm::propose", (self, command))
    }

    /// Reads the machine of this server, which may lag behind.
    pub fn peek<R>(&self, read: impl FnOnce(&M) -> R) -> R {
        let shared = self.shared.lock();
        read(&shared.machine)
    }

    /// The Raft server of this server.
    pub fn raft(&self) -> &Raft {
        &self.raft
    }

    /// Whether this server was killed, and applies nothing any more.
    pub fn is_killed(&self) -> bool {
        self.shared.lock().killed
    }

    /// Raft's RPC handlers.
    pub fn service(&self) -> Service {
        self.raft.service()
    }

    /// Stops this server. Raft closes its channel then, which ends the applier.
    pub fn kill(&self) {
        self.raft.kill();
    }
}

/// The applier.
impl<M: StateMachine> Rsm<M> {
    /// The task that reads Raft's channel until Raft was killed.
    fn run_applier(
        &self,
        max_raft_state: Option<usize>,
        persister: &Persister,
        messages: &Receiver<ApplyMsg>,
    ) {
        for message in messages {
            match message {
                ApplyMsg::Command { command, index, term } => {
                    self.shared.lock().apply(&command, index, term);
                    if let Some(limit) = max_raft_state {
                        self.limit_raft_state(index, persister.raft_state_size(), limit);
                    }
                }
                ApplyMsg::Snapshot { data, index, .. } => {
                    self.shared.lock().install(index, &data);
                }
            }
        }
        let mut shared = self.shared.lock();
        shared.killed = true;
        shared.end_waiting();
    }

    /// 3B. The command at `index` was applied, and Raft's state has `size` bytes. Calls
    /// `Raft::snapshot` if that is too near to `limit`.
    fn limit_raft_state(&self, index: Index, size: usize, limit: usize) {
        your_code_here("Rsm::limit_raft_state", (self, index, size, limit))
    }
}

impl<M: StateMachine> Shared<M> {
    /// 3A. Applies what `submit` has given to Raft on some server, unless it was applied before.
    /// If `submit` waits for it on this server, it gets its reply. But not every call of `submit`
    /// gets what it waits for: which command is at the index that `start` has returned?
    fn apply(&mut self, command: &[u8], index: Index, term: Term) {
        your_code_here("Shared::apply", (self, command, index, term))
    }

    /// 3A. Nothing is applied any more: `submit` must not wait any longer.
    fn end_waiting(&mut self) {
        your_code_here("Shared::end_waiting", self)
    }

    /// 3B. A snapshot has come in place of the commands up to and including `index`.
    fn install(&mut self, index: Index, snapshot: &[u8]) {
        your_code_here("Shared::install", (self, index, snapshot))
    }

    /// 3B. Makes this server's state what it was when the snapshot was made.
    fn restore(&mut self, snapshot: &[u8]) {
        your_code_here("Shared::restore", (self, snapshot))
    }
}

// Not `derive`, which would ask for a machine that can be cloned.
impl<M: StateMachine> Clone for Rsm<M> {
    fn clone(&self) -> Self {
        let (raft, shared) = (self.raft.clone(), self.shared.clone());
        Rsm { raft, shared }
    }
}

impl<M: StateMachine> fmt::Debug for Rsm<M> {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "Rsm of {:?}", self.raft)
    }
}
