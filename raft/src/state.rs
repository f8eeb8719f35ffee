//! All that a server knows, and how its role changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ::log::info;
use labrpc::Instant;

use crate::log::Log;
use crate::rpc::Message;
use crate::{Index, PeerId, Term};

/// Figure 2, "State", in the paper's order.
///
/// Invariants:
/// * the term never goes back, and there is one vote a term;
/// * `last_applied <= commit_index <= log.last_index()`;
/// * what is committed never changes: neither index goes back.
///
/// Its methods are pure: they know no lock, clock, randomness or network. The shell around them, in
/// [`Server::update`](crate::raft::Server::update), saves what must survive a crash before other
/// servers or the service can observe it.
pub(crate) struct State {
    /// This server.
    pub(crate) me: PeerId,
    /// Number of servers, this one included.
    pub(crate) servers: usize,

    // Persistent on all servers: saved before any RPC is answered.
    /// Latest term that this server has seen.
    pub(crate) current_term: Term,
    /// Candidate that received this server's vote in the current term.
    pub(crate) voted_for: Option<PeerId>,
    /// The entries, and the snapshot before them.
    pub(crate) log: Log,

    // Volatile on all servers.
    /// Index of the highest entry known to be committed.
    pub(crate) commit_index: Index,
    /// Index of the highest entry taken for the service. The applier may still be delivering it.
    pub(crate) last_applied: Index,
    /// What this server is at present, and the state that only this role has.
    pub(crate) role: Role,
}

/// §5.1. A role owns the state that only it needs, so that state cannot outlive it.
#[derive(Debug)]
pub(crate) enum Role {
    /// Answers requests, and waits for a leader to be heard.
    Follower {
        /// When it will become a candidate.
        election_deadline: Instant,
    },
    /// Wants to become leader.
    Candidate {
        /// The servers that voted for it, itself included.
        votes: BTreeSet<PeerId>,
        /// Whether the others have been asked.
        asked: bool,
        /// When it will start another election.
        election_deadline: Instant,
    },
    /// Replicates its log to all others.
    Leader {
        /// Figure 2, "Volatile state on leaders": one for each other server.
        followers: BTreeMap<PeerId, Progress>,
    },
}

/// What a leader knows of a follower.
///
/// Invariant: `match_index < next_index`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Index of the next entry to send.
    pub(crate) next_index: Index,
    /// Index of the highest entry known to be replicated.
    pub(crate) match_index: Index,

    // Not in Figure 2: when to send next.
    /// The leader's commit index at the latest call. Once it has risen, the follower is told at
    /// once, not with the next heartbeat.
    pub(crate) told_commit: Index,
    /// Whether a heartbeat is due.
    pub(crate) heartbeat_due: bool,
    /// How many calls were made to this follower in this term.
    pub(crate) calls: u64,
    /// Whether the latest of them has neither been answered nor failed. Entries that arrive
    /// meanwhile go together with the next call.
    pub(crate) awaiting: bool,
}

impl State {
    /// A follower that knows what `persisted` says, with a log restored from disk.
    pub(crate) fn new(
        me: PeerId,
        servers: usize,
        persisted: (Term, Option<PeerId>, Log),
        election_deadline: Instant,
    ) -> Self {
        let (current_term, voted_for, log) = persisted;
        // The service restores itself from the snapshot; it holds only committed entries.
        let applied = log.last_included().index;
        Self {
            me,
            servers,
            current_term,
            voted_for,
            log,
            commit_index: applied,
            last_applied: applied,
            role: Role::Follower { election_deadline },
        }
    }

    /// Enters `term` as a follower; the old term's vote is void. A running election timer goes on:
    /// hearing of a term is no reason to wait longer (§5.2).
    pub(crate) fn become_follower(&mut self, term: Term, fresh_deadline: Instant) {
        assert!(term > self.current_term, "{self} cannot go to term {term}");
        let election_deadline = self.election_deadline().unwrap_or(fresh_deadline);
        self.current_term = term;
        self.voted_for = None;
        self.role = Role::Follower { election_deadline };
        info!(target: "TERM", "{self} follows in term {term}");
    }

    /// §5.2: increments the term, votes for itself, and restarts the election timer.
    pub(crate) fn become_candidate(&mut self, fresh_deadline: Instant) {
        assert!(!self.is_leader(), "{self} is leader and needs no election");
        self.current_term += 1;
        self.voted_for = Some(self.me);
        self.role = Role::Candidate {
            votes: BTreeSet::from([self.me]),
            asked: false,
            election_deadline: fresh_deadline,
        };
        info!(target: "VOTE", "{self} stands for election, log ends at {}", self.log.last());
    }

    /// §5.2, §5.3: nothing is known of the followers' logs but a first guess.
    pub(crate) fn become_leader(&mut self) {
        assert!(matches!(self.role, Role::Candidate { .. }), "{self} was not elected");
        let progress = Progress {
            next_index: self.log.last_index() + 1,
            match_index: 0,
            told_commit: 0,
            heartbeat_due: true,
            calls: 0,
            awaiting: false,
        };
        let followers = self.others().map(|peer| (peer, progress.clone())).collect();
        self.role = Role::Leader { followers };
        info!(target: "LEAD", "{self} leads, log ends at {}", self.log.last());
    }

    /// Figure 2, "Rules for servers": a higher term in any request or reply makes this server a
    /// follower in it.
    pub(crate) fn observe_term(&mut self, term: Term, fresh_deadline: Instant) {
        if term > self.current_term {
            self.become_follower(term, fresh_deadline);
        }
    }

    /// A request of the current term's leader has come: a candidate gives up, and the election
    /// timer starts anew (§5.2).
    pub(crate) fn recognize_leader(&mut self, fresh_deadline: Instant) {
        assert!(!self.is_leader(), "{self} is not the only leader of its term");
        self.postpone_election(fresh_deadline);
    }

    /// Waits anew, as a follower, for the current leader or for the candidate that got the vote
    /// (§5.2).
    pub(crate) fn postpone_election(&mut self, fresh_deadline: Instant) {
        self.role = Role::Follower { election_deadline: fresh_deadline };
    }

    /// Whether this server is leader.
    pub(crate) fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader { .. })
    }

    /// When an election will begin; `None` for a leader.
    pub(crate) fn election_deadline(&self) -> Option<Instant> {
        match self.role {
            Role::Follower { election_deadline } | Role::Candidate { election_deadline, .. } => {
                Some(election_deadline)
            }
            Role::Leader { .. } => None,
        }
    }

    /// All servers but this one.
    pub(crate) fn others(&self) -> impl Iterator<Item = PeerId> {
        (0..self.servers).filter(|&peer| peer != self.me)
    }

    /// How many servers are more than half of them.
    pub(crate) fn majority(&self) -> usize {
        self.servers / 2 + 1
    }

    /// The requests that this server has to send now, and to whom.
    pub(crate) fn take_messages(&mut self) -> Vec<(PeerId, Message)> {
        match self.role {
            Role::Follower { .. } => Vec::new(),
            Role::Candidate { .. } => self.take_vote_requests(),
            Role::Leader { .. } => self.take_replication(),
        }
    }
}

/// `S2@5`: server 2 in term 5.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S{}@{}", self.me, self.current_term)
    }
}

#[cfg(test)]
pub(crate) mod tests;
