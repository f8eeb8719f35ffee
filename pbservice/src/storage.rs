//! What a server has on its disk: its promise, its log, and a snapshot.
//!
//! | file | what is in it |
//! |---|---|
//! | `log` | records, and marks up to where they are committed |
//! | `snapshot` | the table after one of the records, which stands for all before it |
//! | `promise` | the epoch that the server has promised, twice |
//! | `*.new` | a file that was not complete when the server stopped; removed at the next start |
//! | `*.damaged` | a file that was corrupt: while there is one, the server is not to be trusted |
//!
//! All but the log are written under another name, synced, and renamed: they are there as a whole
//! or not at all. The log is appended to; when a snapshot has made its beginning superfluous, a
//! shorter one replaces it in the same way.

mod compaction;
mod error;
mod format;
mod found;
mod promise;
mod recovery;
mod wal;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use labrpc::{Condvar, Disk, Mutex, MutexGuard};

pub use self::error::StorageError;
pub use self::found::Damage;
pub(crate) use self::found::inspect;
pub use self::recovery::Recovered;
use self::wal::{Entry, push_entry};
use crate::{Record, Version};

/// How many records before the snapshot's last one stay in the log, for backups that lack only
/// them. A thousand records are about the size of a table of a thousand keys: whoever lacks more is
/// better off with the snapshot.
pub const KEPT_RECORDS: u64 = 1_000;

/// Names of files.
const LOG: &str = "log";
const SNAPSHOT: &str = "snapshot";
const PROMISE: &str = "promise";

/// A server's files. Clones are the same.
///
/// # Group commit
///
/// [`Storage::append`] is quick, and may be called with the server's lock held, so that the log has
/// the order in which the server decided. [`Storage::sync`] takes as long as the disk; call it
/// without the lock. One call of the disk serves everybody who had appended before it began; who
/// comes later waits, and shares the next one.
///
/// While a task waits in [`Storage::sync`], a record that it appended may be cut off again by a
/// newer primary. Before it acknowledges the record, it must look, with the server's lock held,
/// whether its epoch is still the promised one, or ask [`Storage::version_at`].
///
/// # Failures
///
/// After a write or a sync has failed, nobody knows what is on the disk. Every operation fails from
/// then on, that one included; the server must stop and be restarted, which reads what is there. So
/// must those that wait in [`Storage::sync`].
///
/// # Damage
///
/// If the log turns out to be corrupt, [`Storage::open`] sets it aside and starts with an empty one
/// after the snapshot; if the snapshot is, it sets both aside. See [`Storage::damage`].
///
/// Invariants:
/// * orders count up without a gap, epochs never decrease;
/// * every record up to the snapshot's last is in the snapshot, and every record after it in the
///   log;
/// * a committed record is never cut off.
#[derive(Clone)]
pub struct Storage(Arc<Inner>);

/// What clones share.
struct Inner {
    disk: Disk,
    server: SocketAddr,
    log: Mutex<Log>,
    /// Something that tasks wait for may have come: the end of a sync, or a failure.
    changed: Condvar,
    /// The promised epoch. Held while it is saved, so that promises are saved one after the other.
    promise: Mutex<u64>,
    /// Held while a snapshot is saved or installed: one at a time.
    snapshots: Mutex<()>,
}

/// The log, in memory and on the disk.
#[derive(Default)]
struct Log {
    /// The record before the first one.
    before: Version,
    /// The records.
    records: VecDeque<Record>,
    /// Where each of them begins in the file.
    offsets: VecDeque<u64>,
    /// Length of the file.
    len: u64,
    /// So many bytes of the file are known to be durable.
    synced: u64,
    /// How often something was appended.
    appends: u64,
    /// So many of the appends are durable.
    durable_appends: u64,
    /// Somebody syncs or replaces the file. Only that task changes the file in any other way than
    /// by appending.
    busy: bool,
    /// The order of the last record known to be committed.
    committed: u64,
    /// What of that the file says.
    marked: u64,
    /// The last record in the snapshot.
    snapshot: Version,
    /// See [`Storage::keep_records`].
    kept: u64,
    damage: Option<Damage>,
    failure: Option<StorageError>,
}

/// The log.
impl Storage {
    /// Appends records. They are durable after the next [`Storage::sync`].
    ///
    /// # Errors
    /// If they cannot be written, or an earlier operation has failed. The server must stop.
    ///
    /// # Panics
    /// If they do not follow the last record: orders must go on without a gap, and epochs not fall.
    pub fn append(&self, records: &[Record]) -> Result<(), StorageError> {
        let mut log = self.working_log()?;
        let (origin, mut bytes, synced) = (log.len, Vec::new(), log.synced);
        log.push_mark(&mut bytes);
        for record in records {
            let last = log.last();
            let follows = record.order == last.order + 1 && record.epoch >= last.epoch;
            assert!(follows, "{} cannot follow {last}", record.version());
            log.offsets.push_back(origin + bytes.len() as u64);
            log.records.push_back(record.clone());
            push_entry(&mut bytes, origin, synced, Entry::Record(Cow::Borrowed(record)));
        }
        self.write(&mut log, &bytes)
    }

    /// Makes everything durable that was appended before this call. See [`Storage`] for how tasks
    /// share this.
    ///
    /// # Errors
    /// If the disk fails, or an earlier operation has failed: then nothing must be acknowledged any
    /// more. The server must stop.
    pub fn sync(&self) -> Result<(), StorageError> {
        let mut log = self.working_log()?;
        let mine = log.appends;
        while log.durable_appends < mine {
            if log.busy {
                log = self.0.changed.wait(log);
                log.check()?;
                continue;
            }
            let (appends, len) = (log.appends, log.len);
            log.busy = true;
            drop(log);
            let result = self.0.disk.sync(LOG);
            log = self.0.log.lock();
            log.busy = false;
            self.0.changed.notify_all();
            self.check(&mut log, "sync", LOG, result)?;
            log.durable_appends = appends;
            log.synced = len;
        }
        Ok(())
    }

    /// Cuts off the record with this order and all after it, because the primary does not have
    /// them. Durable when it returns.
    ///
    /// # Errors
    /// If the disk fails, or an earlier operation has failed. The server must stop.
    ///
    /// # Panics
    /// If one of them is known to be committed.
    pub fn truncate_from(&self, order: u64) -> Result<(), StorageError> {
        let mut log = self.idle_log()?;
        if order > log.last().order {
            return Ok(());
        }
        let committed = log.committed.max(log.snapshot.order);
        assert!(order > committed, "record {order} is cut off, but {committed} are committed");
        let keep = (order - log.before.order - 1) as usize;
        let len = log.offsets[keep];
        log.records.truncate(keep);
        log.offsets.truncate(keep);
        log.len = len;
        // With the lock held, though that takes time: what is appended must not mingle with what is
        // cut off but may still be on the disk. This happens only when a primary has been replaced.
        let result = self.0.disk.truncate(LOG, len).and_then(|()| self.0.disk.sync(LOG));
        self.check(&mut log, "truncate", LOG, result)?;
        log.synced = len;
        log.durable_appends = log.appends;
        // Marks may have been cut off too.
        log.marked = 0;
        Ok(())
    }

    /// Remembers that the records up to this one are committed. This is a hint: it reaches the disk
    /// together with the next append, or by [`Storage::write_mark`]. It never goes back.
    pub fn mark_committed(&self, order: u64) {
        let mut log = self.0.log.lock();
        log.committed = order.min(log.last().order).max(log.committed);
    }

    /// Appends the commit mark, if there is a new one. Called now and then when nothing else is
    /// written, it also lets [`Storage::open`] notice if the last records have rotted.
    ///
    /// # Errors
    /// If it cannot be written, or an earlier operation has failed. The server must stop.
    pub fn write_mark(&self) -> Result<(), StorageError> {
        let mut log = self.working_log()?;
        let mut bytes = Vec::new();
        log.push_mark(&mut bytes);
        self.write(&mut log, &bytes)
    }

    /// The last record; of an empty log, the place where it starts.
    pub fn last(&self) -> Version {
        self.0.log.lock().last()
    }

    /// The order of the last record known to be committed.
    pub fn committed(&self) -> u64 {
        self.0.log.lock().committed
    }

    /// The version of the record with this order; `None` if it is not in the log, or no longer.
    pub fn version_at(&self, order: u64) -> Option<Version> {
        self.0.log.lock().version_at(order)
    }

    /// The records after this order, of which there may be none; `None` if the log does not go back
    /// so far: then a snapshot is needed.
    pub fn records_after(&self, order: u64) -> Option<Vec<Record>> {
        let log = self.0.log.lock();
        let dropped = order.checked_sub(log.before.order)? as usize;
        Some(log.records.iter().skip(dropped).cloned().collect())
    }

    /// How many records before a snapshot stay in the log from now on; [`KEPT_RECORDS`] unless
    /// said.
    pub fn keep_records(&self, count: u64) {
        self.0.log.lock().kept = count;
    }

    /// What is wrong with the log; `None` if nothing is.
    ///
    /// As long as there is something, records that this server had acknowledged may be missing: it
    /// must neither vote, nor count for a majority, nor serve. It may take records and snapshots
    /// from a primary. When its log holds all records that were in the primary's *at the time when
    /// it asked*, and they are synced, [`Storage::declare_repaired`] ends this. It survives
    /// restarts.
    pub fn damage(&self) -> Option<Damage> {
        self.0.log.lock().damage.clone()
    }

    /// Appends bytes to the file.
    fn write(&self, log: &mut Log, bytes: &[u8]) -> Result<(), StorageError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let result = self.0.disk.append(LOG, bytes);
        self.check(log, "append to", LOG, result)?;
        log.len += bytes.len() as u64;
        log.appends += 1;
        Ok(())
    }

    /// The log, unless an operation has failed.
    fn working_log(&self) -> Result<MutexGuard<'_, Log>, StorageError> {
        let log = self.0.log.lock();
        log.check()?;
        Ok(log)
    }

    /// The log, while nobody syncs or replaces the file.
    fn idle_log(&self) -> Result<MutexGuard<'_, Log>, StorageError> {
        let mut log = self.working_log()?;
        while log.busy {
            log = self.0.changed.wait(log);
            log.check()?;
        }
        Ok(log)
    }

    /// If an operation of the disk has failed, remembers that for good and tells those who wait.
    fn check<T>(
        &self,
        log: &mut Log,
        operation: &'static str,
        file: &str,
        result: std::io::Result<T>,
    ) -> Result<T, StorageError> {
        result.map_err(|error| {
            let error = StorageError::disk(operation, file, &error);
            self.0.changed.notify_all();
            log.failure.get_or_insert(error).clone()
        })
    }
}

impl Log {
    /// Fails if an operation has failed.
    fn check(&self) -> Result<(), StorageError> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    /// The last record.
    fn last(&self) -> Version {
        self.records.back().map_or(self.before, Record::version)
    }

    /// See [`Storage::version_at`].
    fn version_at(&self, order: u64) -> Option<Version> {
        match order.checked_sub(self.before.order)? {
            0 => Some(self.before),
            place => self.records.get(place as usize - 1).map(Record::version),
        }
    }

    /// Adds the commit mark to bytes that are about to be appended, if the file does not have it.
    fn push_mark(&mut self, bytes: &mut Vec<u8>) {
        if self.committed > self.marked {
            self.marked = self.committed;
            push_entry(bytes, self.len, self.synced, Entry::Committed(self.committed));
        }
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Storage({}, {:?})", self.0.server, self.0.disk)
    }
}
