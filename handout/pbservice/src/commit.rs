//! What is done, and who is told.

use labrpc::your_code_here;

use crate::{Version, server::Locked, state::State};

impl State {
    /// PB1. This server's own log is on its disk up to `last`. On how many disks must a record be
    /// before a client may hear of it? PB2: and which record of a new primary is the first that it
    /// may count? See Figure 8 of the extended Raft paper.
    ///
    /// A record that is done is applied to `table`, in order. PB3: when `snapshot_every` more
    /// records are done, `Write::Snapshot` saves the table, and `tail` can become shorter.
    pub fn note_synced(&mut self, last: Version) {
        your_code_here("State::note_synced", (self, last))
    }
}

impl Locked {
    /// PB1. Something may have changed: tell those clients in `waiting` whose turn it is. What
    /// becomes of them if this server is not primary any more?
    ///
    /// PB2: whether the tasks that copy should look again what their backups lack; see
    /// `Shell::wait_for`.
    pub fn tell_clients(&mut self) -> bool {
        your_code_here("Locked::tell_clients", self)
    }
}
