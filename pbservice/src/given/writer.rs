//! The one task that writes to the disk, without the server's lock.

use std::time::Duration;

use crate::given::shell::{End, Guarded, Inner, Shell};
use crate::given::storage::{Storage, StorageError};
use crate::given::version::{Order, Version};
use crate::given::writes::Write;

/// When nothing has been written for so long, the log is told up to where its records are
/// committed, and with that, that they were synced: from then on, if they rot, that is noticed.
/// Otherwise it learns both with the next records.
const MARK_AFTER: Duration = Duration::from_secs(1);

impl<S: Guarded> Shell<S> {
    /// Carries out what was decided, in order, until the server ends. What gathers during one sync
    /// shares the next. When the disk fails, the server ends: it must not acknowledge anything
    /// more.
    pub(super) fn write_all(&self, mut storage: Storage) {
        while let Some(Batch { writes, ticket, last, committed }) = self.wait_for_writes() {
            let is_idle = writes.is_empty();
            let mut result = carry_out(&mut storage, writes);
            storage.mark_committed(committed);
            if is_idle {
                result = storage.write_mark().and_then(|()| storage.sync());
            }
            if let Err(error) = result {
                return self.end(End::DiskFailed(error.to_string()));
            }
            self.note_written(ticket, last);
        }
        // So that a later start can tell records that have rotted from some that were torn.
        storage.mark_committed(self.look(S::committed));
        storage.write_mark().and_then(|()| storage.sync()).ok(); // The disk may have failed.
    }

    /// Waits for something to write, or long enough to write at least what is committed; `None`
    /// when the server has ended.
    fn wait_for_writes(&self) -> Option<Batch> {
        let inner = self.inner.lock();
        let (mut inner, _) = self.has_writes.wait_timeout_while(
            inner,
            MARK_AFTER,
            |Inner { state, end, .. }| end.is_none() && state.writes().is_empty(),
        );
        if inner.end.is_some() {
            return None;
        }
        let state = &mut inner.state;
        let (writes, ticket) = state.writes().take();
        Some(Batch { writes, ticket, last: state.log_end(), committed: state.committed() })
    }
}

/// What is written in one go.
struct Batch {
    /// In this order.
    writes: Vec<Write>,
    /// The ticket of the last of them.
    ticket: u64,
    /// The version that the log on disk will have.
    last: Version,
    /// The last record known to be committed.
    committed: Order,
}

/// Brings some writes to disk, all of them or fails.
fn carry_out(storage: &mut Storage, writes: Vec<Write>) -> Result<(), StorageError> {
    for write in writes {
        match write {
            Write::Promise(epoch) => storage.save_promise(epoch)?,
            Write::Append(records) => storage.append(&records)?,
            Write::CutOffFrom(order) => storage.truncate_from(order)?,
            Write::Snapshot(snapshot) => storage.save_snapshot(&snapshot)?,
            Write::Install(snapshot) => storage.install_snapshot(&snapshot)?,
            Write::Repair(snapshot) => {
                storage.install_snapshot(&snapshot)?;
                storage.declare_repaired()?;
            }
            Write::Begin => storage.declare_repaired()?,
        }
    }
    storage.sync()
}
