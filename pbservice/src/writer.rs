//! The one task that writes to the disk, without the server's lock.

use std::sync::Arc;

use crate::server::{End, Server};
use crate::storage::{Storage, StorageError};
use crate::version::Version;
use crate::writes::Write;

impl Server {
    /// Carries out what was decided, in order, until the server ends. What gathers during one sync
    /// shares the next. When the disk fails, the server ends: it must not acknowledge anything more.
    pub(crate) fn write_all(self: &Arc<Self>, storage: &Storage) {
        while let Some((writes, ticket, last)) = self.wait_for_writes() {
            if let Err(error) = carry_out(storage, writes) {
                return self.end(End::DiskFailed(error.to_string()));
            }
            self.update(|state| state.note_synced(ticket, last)).ok(); // The loop sees the end.
            self.has_written.notify_all();
        }
    }

    /// Waits for something to write; `None` when the server has ended. With it comes the ticket of the
    /// last write, and the version that the log on disk will have.
    fn wait_for_writes(&self) -> Option<(Vec<Write>, u64, Version)> {
        let inner = self.inner.lock();
        let mut inner = self
            .has_writes
            .wait_while(inner, |inner| inner.end.is_none() && inner.state.writes.is_empty());
        if inner.end.is_some() {
            return None;
        }
        let last = inner.state.tail.version();
        let (writes, ticket) = inner.state.writes.take();
        Some((writes, ticket, last))
    }
}

/// Brings some writes to disk, all of them or fails.
fn carry_out(storage: &Storage, writes: Vec<Write>) -> Result<(), StorageError> {
    let mut is_dirty = false;
    for write in writes {
        match write {
            Write::Promise(epoch) => storage.save_promise(epoch)?,
            Write::Append(records) => {
                storage.append(&records)?;
                is_dirty = true;
            }
            Write::CutOffFrom(order) => storage.truncate_from(order)?,
            Write::Snapshot(snapshot) => storage.save_snapshot(&snapshot)?,
            Write::Install(snapshot) => storage.install_snapshot(&snapshot)?,
            Write::Repair(snapshot) => {
                storage.install_snapshot(&snapshot)?;
                storage.declare_repaired()?;
            }
        }
    }
    if is_dirty { storage.sync() } else { Ok(()) }
}
