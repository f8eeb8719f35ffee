//! Waiting for a leader.

use std::time::Duration;

use super::Cluster;
use crate::poll::poll;

/// How long tests wait for an election. Twice to four times what a good solution takes: tests are
/// patient, and demand no particular timeout.
pub const ELECTION_TIMEOUT: Duration = Duration::from_secs(1);

impl<S: Send + Sync + 'static> Cluster<S> {
    /// Waits until a server says that it leads, for about five election timeouts; returns the first
    /// that does. `leads` asks a server.
    #[track_caller]
    pub fn leader(&self, leads: fn(&S) -> bool) -> usize {
        let leader = poll(5 * ELECTION_TIMEOUT, ELECTION_TIMEOUT / 10, || {
            (0..self.len()).find(|&server| self.call(server, leads) == Some(true))
        });
        match leader {
            Some(leader) => leader,
            None => {
                let property = "a majority that is connected elects a leader";
                self.sim().violated(property, "expected one leader, got none")
            }
        }
    }
}
