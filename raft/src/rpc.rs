//! Arguments and replies of the three RPCs, in the order of Figures 2 and 13.

use serde::{Deserialize, Serialize};

use crate::log::{Entry, LogPos};
use crate::{Index, PeerId, Term};

/// Invoked by candidates to gather votes (§5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestVoteArgs {
    /// Candidate's term.
    pub(crate) term: Term,
    /// Candidate requesting the vote.
    pub(crate) candidate_id: PeerId,
    /// Index and term of the candidate's last log entry (§5.4).
    pub(crate) last_log: LogPos,
}

/// Answer to [`RequestVoteArgs`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestVoteReply {
    /// The voter's term, for the candidate to update itself.
    pub(crate) term: Term,
    /// True means that the candidate received the vote.
    pub(crate) vote_granted: bool,
}

/// Invoked by the leader to replicate log entries (§5.3); also used as heartbeat (§5.2).
///
/// There is no leader's id: clients of this lab find the leader by asking each server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AppendEntriesArgs {
    /// Leader's term.
    pub(crate) term: Term,
    /// The entry immediately preceding the new ones.
    pub(crate) prev_log: LogPos,
    /// Entries to store: all from the follower's next index on, for efficiency. A heartbeat is the
    /// same request, and empty only if there are none.
    pub(crate) entries: Vec<Entry>,
    /// Leader's commit index.
    pub(crate) leader_commit: Index,
}

impl AppendEntriesArgs {
    /// The index of the last new entry. Once the entries are stored, the follower's log is equal to
    /// the leader's up to there.
    pub(crate) fn last_index(&self) -> Index {
        self.prev_log.index + self.entries.len() as Index
    }
}

/// Answer to [`AppendEntriesArgs`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AppendEntriesReply {
    /// The follower's term, for the leader to update itself.
    pub(crate) term: Term,
    /// What became of the entries.
    pub(crate) outcome: AppendOutcome,
}

/// What a follower did with the entries of a leader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AppendOutcome {
    /// They are stored: the follower's log contained `prev_log`.
    Stored,
    /// The sender is no longer leader: its term is old.
    StaleTerm,
    /// The follower's log does not contain `prev_log`; see [`Conflict`].
    Conflict(Conflict),
}

/// Lets the leader skip a whole term of conflicting entries with one RPC (end of §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conflict {
    /// The term of the follower's entry at `prev_log.index`; `None` if its log is shorter.
    pub(crate) term: Option<Term>,
    /// The first index that the follower stores for that term, or the one after its last entry.
    pub(crate) first_index: Index,
}

/// Invoked by the leader to send a snapshot to a follower that lags behind the leader's log (§7).
/// It comes in one piece, as in the handout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstallSnapshotArgs {
    /// Leader's term.
    pub(crate) term: Term,
    /// The snapshot replaces all entries up to and including this one.
    pub(crate) last_included: LogPos,
    /// The service's state.
    #[serde(with = "serde_bytes")]
    pub(crate) data: Vec<u8>,
}

/// Answer to [`InstallSnapshotArgs`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstallSnapshotReply {
    /// The follower's term, for the leader to update itself.
    pub(crate) term: Term,
}

/// A request that a server wants to send to another. It is kept until the reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// Asks for a vote.
    RequestVote(RequestVoteArgs),
    /// Replicates entries, or is a heartbeat. The number counts the leader's calls to the
    /// follower.
    AppendEntries(AppendEntriesArgs, u64),
    /// Sends a snapshot in place of entries that are gone. It counts as one of the same calls.
    InstallSnapshot(InstallSnapshotArgs, u64),
}
