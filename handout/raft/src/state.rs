//! What a server knows: Figure 2, "State". All of it is behind one lock.

use labrpc::your_code_here;
// In place of the clocks and random numbers of `std` and `rand`.
#[allow(unused_imports, reason = "you will need them for election timers")]
use labrpc::{Instant, rng};
#[allow(unused_imports, reason = "`rng().random_range(0..100)` needs it")]
use rand::RngExt as _;

use crate::{Index, Term};

/// The state of one server.
pub struct State {
    /// Whether `kill` was called.
    pub killed: bool,
    /// The latest term that this server has seen.
    pub current_term: Term,
    /// The last entry that is known to be committed.
    pub commit_index: Index,
    /// The last entry that `take_unapplied` has returned.
    pub last_applied: Index,
    /// Leader, candidate, or follower.
    pub role: Role,
    // 2A and 2B: your fields here. Figure 2 lists what else a server must remember. The election
    // timer belongs here too: an `Instant` of labrpc at which this server will stand for election.
}

/// What a server is at the moment (§5.1).
pub enum Role {
    /// Waits to hear from a leader.
    Follower,
    // 2A: the other roles. A variant can have fields, for what only this role must remember. The
    // compiler will show you each `match` that does not know a new role yet.
}

impl Role {
    /// Whether this server believes that it leads.
    pub fn is_leader(&self) -> bool {
        match self {
            Role::Follower => false,
        }
    }
}

impl State {
    /// The state of a server that starts for the first time.
    pub fn new() -> Self {
        State {
            killed: false,
            current_term: 0,
            commit_index: 0,
            last_applied: 0,
            role: Role::Follower,
        }
    }

    /// 2C. The state of a server that starts again: `saved` is what `Raft::persist` saved last.
    /// 2D: and `snapshot` is the service's state, which the service has restored already.
    pub fn restore(saved: &[u8], snapshot: Vec<u8>) -> Self {
        your_code_here("State::restore", (saved, snapshot))
    }
}
