//! What of a server survives when it goes down.

use labrpc::{Disk, Persister};

/// What a server saves. A lab uses one of the two. Clones are the same storage.
#[derive(Clone, Debug, Default)]
pub struct StableStorage {
    /// Raft state and snapshot.
    pub persister: Persister,
    /// Files.
    pub disk: Disk,
}

impl StableStorage {
    /// Another storage with the same contents, which an old incarnation cannot write to.
    pub fn copy(&self) -> Self {
        Self { persister: self.persister.copy(), disk: self.disk.copy() }
    }

    /// What is left after a power failure. From now on, operations of this disk fail.
    pub(super) fn after_power_failure(&self) -> Self {
        Self { persister: self.persister.copy(), disk: self.disk.crash() }
    }
}
