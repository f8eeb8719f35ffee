//! A replicated state machine: turns Raft's agreement on commands into replies to requests.
//!
//! Raft tells each server what was agreed on, and in which order. [`Rsm::submit`] hands a request
//! to Raft, waits until this very request has been applied, and returns what the machine replied.
//! It gives up with an error once this server can no longer tell whether that will happen.
//!
//! A client whose reply is lost sends its request again, perhaps to another server, so a request
//! may be agreed on twice. It must not take effect twice: the duplicate table remembers each
//! client's last request and the reply to it. The table is part of the replicated state, and of
//! snapshots (§8). A machine may also keep a table of its own: [`Rsm::propose`] goes past this one.

mod machine;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use labrpc::{
    ClientEnd, Mutex, Persister, Receiver, RecvTimeoutError, Service, channel, decode, encode,
    rendezvous, spawn,
};
use raft::{ApplyMsg, Raft};

pub use self::machine::{ClientId, Request, StateMachine};
use self::machine::{Outcome, Proposal, Replica};

/// How often a waiting handler checks whether the term has changed. Much longer than agreement
/// takes, and much shorter than a client's patience.
const LEADERSHIP_CHECK: Duration = Duration::from_millis(50);

/// A snapshot is taken once the Raft state has reached this share of `max_raft_state`, in percent:
/// requests go on arriving while it is made.
const SNAPSHOT_PERCENT: usize = 90;

/// One server of a replicated state machine. Clones are the same server. Used by the grading tests.
pub struct Rsm<M: StateMachine> {
    raft: Raft,
    replica: Arc<Mutex<Replica<M>>>,
}

/// Why a request was not executed, or not for sure. Used by the grading tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmitError {
    /// This server does not lead, or stopped leading before it saw the request applied. The request
    /// may have been applied, or may be later.
    WrongLeader,
    /// This server was killed.
    Shutdown,
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SubmitError::WrongLeader => "this server does not lead",
            SubmitError::Shutdown => "this server was shut down",
        })
    }
}

impl std::error::Error for SubmitError {}

impl<M: StateMachine> Rsm<M> {
    /// Starts server `me`, with the state that `persister` holds or, if it is empty, with
    /// `machine`. Takes a snapshot whenever the persisted Raft state comes near `max_raft_state`
    /// bytes.
    pub fn new(
        peers: Vec<ClientEnd>,
        me: usize,
        persister: Persister,
        max_raft_state: Option<usize>,
        machine: M,
    ) -> Self {
        let mut replica = Replica::new(machine);
        let snapshot = persister.snapshot();
        if !snapshot.is_empty() {
            replica.restore(&snapshot);
        }
        let replica = Arc::new(Mutex::new(replica));
        let (apply, applied) = rendezvous();
        let raft = Raft::new(peers, me, persister.clone(), apply);
        let rsm = Self { raft, replica };
        let applier = rsm.clone();
        spawn(move || applier.apply_all(&applied, &persister, max_raft_state));
        rsm
    }

    /// Executes a request on all servers, once, and returns the reply of this one.
    ///
    /// A leader that is cut off from a majority waits here until the partition heals.
    ///
    /// # Errors
    /// If this server does not lead, or cannot know whether the request was executed.
    pub fn submit(&self, request: Request<M::Command>) -> Result<M::Reply, SubmitError> {
        self.agree(&Proposal::Request(request))
    }

    /// Executes a command on all servers, without the duplicate table: one that is not a client's
    /// request, or that the machine itself keeps from taking effect twice. Otherwise as
    /// [`Rsm::submit`].
    ///
    /// # Errors
    /// If this server does not lead, or cannot know whether the command was executed.
    pub fn propose(&self, command: M::Command) -> Result<M::Reply, SubmitError> {
        self.agree(&Proposal::Command(command))
    }

    /// Has a proposal agreed on and applied, and returns the reply.
    fn agree(&self, proposal: &Proposal<M::Command>) -> Result<M::Reply, SubmitError> {
        let (outcome, place) = {
            let mut replica = self.replica.lock();
            if replica.is_closed() {
                return Err(SubmitError::Shutdown);
            }
            if let Some(reply) = replica.earlier_reply(proposal) {
                return Ok(reply);
            }
            // Under the lock: the command must not be applied before its outcome is awaited.
            let place = self.raft.start(encode(proposal)).map_err(|_| SubmitError::WrongLeader)?;
            let (sender, outcome) = channel();
            replica.await_outcome(place, sender);
            (outcome, place)
        };
        loop {
            match outcome.recv_timeout(LEADERSHIP_CHECK) {
                Ok(Outcome::Applied(reply)) => return Ok(reply),
                Ok(Outcome::Unknown) => return Err(SubmitError::WrongLeader),
                Err(RecvTimeoutError::Disconnected) => return Err(SubmitError::Shutdown),
                // In a later term, the command may be gone without another in its place.
                Err(RecvTimeoutError::Timeout) if self.raft.state().term != place.term => {
                    return Err(SubmitError::WrongLeader);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Reads the machine as this server knows it, which may be old.
    pub fn peek<R>(&self, read: impl FnOnce(&M) -> R) -> R {
        read(self.replica.lock().machine())
    }

    /// The Raft server below.
    pub fn raft(&self) -> &Raft {
        &self.raft
    }

    /// Whether this server was killed and has applied its last entry.
    pub fn is_killed(&self) -> bool {
        self.replica.lock().is_closed()
    }

    /// The RPC handlers by which the other servers reach this one.
    pub fn service(&self) -> Service {
        self.raft.service()
    }

    /// Stops this server. Requests that wait fail.
    pub fn kill(&self) {
        self.raft.kill();
    }

    /// The task that applies what Raft has agreed on, until Raft is killed.
    fn apply_all(
        &self,
        applied: &Receiver<ApplyMsg>,
        persister: &Persister,
        max_raft_state: Option<usize>,
    ) {
        let limit = max_raft_state.map(|bytes| bytes * SNAPSHOT_PERCENT / 100);
        // How many bytes of commands a snapshot would take off the log.
        let mut gain = 0;
        for message in applied {
            match message {
                ApplyMsg::Command { index, term, command } => {
                    gain += command.len();
                    let proposal = decode(&command).expect("a log holds what was handed to Raft");
                    let mut replica = self.replica.lock();
                    replica.apply(index, term, proposal);
                    // A server that lags has a long log of commands that it has not applied. It
                    // would lag even more if it took a snapshot after each of them.
                    if let Some(limit) = limit
                        && gain >= limit / 2
                        && persister.raft_state_size() >= limit
                    {
                        gain = 0;
                        let snapshot = replica.snapshot();
                        drop(replica);
                        self.raft.snapshot(index, snapshot);
                    }
                }
                ApplyMsg::Snapshot { index, data, .. } => {
                    let mut replica = self.replica.lock();
                    replica.restore(&data);
                    replica.forget_up_to(index);
                    gain = 0;
                }
            }
        }
        self.replica.lock().close();
    }
}

impl<M: StateMachine> Clone for Rsm<M> {
    fn clone(&self) -> Self {
        Self { raft: self.raft.clone(), replica: Arc::clone(&self.replica) }
    }
}

impl<M: StateMachine> fmt::Debug for Rsm<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rsm")
    }
}
