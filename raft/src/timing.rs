//! How long things take, and why.

use std::time::Duration;

use labrpc::{Instant, rng};
use rand::RngExt;

/// How often a leader contacts each follower. The handout allows about ten heartbeats a second.
pub(crate) const HEARTBEAT: Duration = Duration::from_millis(100);

/// The shortest election timeout, 4 x heartbeat: a follower survives three lost heartbeats. The
/// paper's 150-300 ms (§5.2) leave no room for a lost one at ten a second.
const ELECTION_TIMEOUT_MIN: Duration = Duration::from_millis(400);

/// The longest election timeout, 2 x the shortest: wide enough that two candidates rarely collide,
/// and a new leader is there well within the five seconds that the handout grants.
const ELECTION_TIMEOUT_MAX: Duration = Duration::from_millis(800);

/// The end of an election timeout that begins now. Random, so that votes are rarely split (§5.2).
pub(crate) fn fresh_election_deadline() -> Instant {
    Instant::now() + rng().random_range(ELECTION_TIMEOUT_MIN..ELECTION_TIMEOUT_MAX)
}
