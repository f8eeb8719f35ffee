//! Snapshots, and the log that becomes shorter by them.
//!
//! The order of the steps is what makes a crash between any two harmless: first the snapshot gets
//! its name, then the log loses what is in it. In between, the log has records that it does not
//! need.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;

use super::format::{Kind, header, push_frame};
use super::found::{damaged_name, read_snapshot};
use super::wal::{Entry, push_entry};
use super::{LOG, Log, SNAPSHOT, Storage, StorageError};
use crate::{Record, Snapshot, Version};

/// The beginning of a new log file.
pub(super) struct NewLog {
    before: Version,
    records: VecDeque<Record>,
    offsets: VecDeque<u64>,
    bytes: Vec<u8>,
    /// So many of the bytes have been written and synced.
    synced: u64,
    /// The commit mark in it.
    committed: u64,
    /// How many appends to the old log it contains.
    appends: u64,
}

impl Storage {
    /// Saves a snapshot of this server's own table, and drops the records before it from the log,
    /// but for the last [`KEPT_RECORDS`](super::KEPT_RECORDS). Nothing happens if the snapshot on
    /// the disk is as new. Takes as long as the disk; call it without the server's lock.
    ///
    /// # Errors
    /// If the disk fails, or an earlier operation has failed. The server must stop.
    ///
    /// # Panics
    /// If its last record is not in the log.
    pub fn save_snapshot(&self, snapshot: &Snapshot) -> Result<(), StorageError> {
        // Held while the disk works, because it is nothing but the order of the snapshots.
        let _one_at_a_time = self.0.snapshots.lock();
        let log = self.working_log()?;
        if snapshot.last.order <= log.snapshot.order {
            return Ok(());
        }
        let known = log.version_at(snapshot.last.order);
        assert_eq!(
            known,
            Some(snapshot.last),
            "a snapshot of this log ends with one of its records"
        );
        drop(log);
        self.write_snapshot(snapshot)?;
        self.shorten_log(snapshot.last)
    }

    /// Replaces the log and the snapshot by a snapshot from the primary. Records that follow it
    /// stay if the log contains its last record. Nothing happens if the snapshot on the disk is as
    /// new. Durable when it returns.
    ///
    /// # Errors
    /// If the disk fails, or an earlier operation has failed. The server must stop.
    pub fn install_snapshot(&self, snapshot: &Snapshot) -> Result<(), StorageError> {
        let _one_at_a_time = self.0.snapshots.lock();
        let log = self.working_log()?;
        let last = snapshot.last;
        if last.order <= log.snapshot.order {
            return Ok(());
        }
        drop(log);
        self.write_snapshot(snapshot)?;
        let mut log = self.idle_log()?;
        if log.version_at(last.order) == Some(last) {
            drop(log);
            return self.shorten_log(last);
        }
        // With the lock held, though that takes time: nothing may be appended to a log that is
        // about to vanish. This happens only to a server that was far behind.
        let mut new = NewLog::starting(self.log_header(), last, last.order, log.appends);
        let result = self.write_new_log(&mut new).and_then(|()| self.rename_log(&mut new));
        self.check(&mut log, "replace", LOG, result)?;
        log.take_over(new, last);
        Ok(())
    }

    /// The snapshot on the disk, to be sent to a backup; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read, or is corrupt. The server must stop.
    pub fn snapshot(&self) -> Result<Option<Snapshot>, StorageError> {
        let mut log = self.working_log()?;
        if log.snapshot.order == 0 {
            return Ok(None);
        }
        let result = self.0.disk.read(SNAPSHOT).and_then(|bytes| {
            let bytes = bytes.ok_or_else(|| io::Error::other("it is missing"))?;
            read_snapshot(&bytes).map_err(|_| io::Error::other("it is corrupt"))
        });
        let (_, snapshot) = self.check(&mut log, "read", SNAPSHOT, result)?;
        Ok(Some(snapshot))
    }

    /// Says that the log is complete again, see [`Storage::damage`]. Syncs it first. Damaged files
    /// that were kept are removed.
    ///
    /// # Errors
    /// If the disk fails, or an earlier operation has failed. The server must stop.
    pub fn declare_repaired(&self) -> Result<(), StorageError> {
        self.sync()?;
        let mut log = self.working_log()?;
        for file in [SNAPSHOT, LOG].map(damaged_name) {
            let result = match self.0.disk.len(&file) {
                Ok(Some(_)) => self.0.disk.remove(&file),
                other => other.map(drop),
            };
            self.check(&mut log, "remove", &file, result)?;
        }
        log.damage = None;
        Ok(())
    }

    /// Replaces the snapshot file.
    fn write_snapshot(&self, snapshot: &Snapshot) -> Result<(), StorageError> {
        let mut bytes = header(Kind::Snapshot, self.0.server);
        push_frame(&mut bytes, 0, snapshot);
        self.replace(SNAPSHOT, &bytes)
    }

    /// Replaces the log by one without the records that the snapshot makes superfluous.
    ///
    /// Most of it is written while others go on appending to the old log; only what they have
    /// appended meanwhile is written with the lock held.
    fn shorten_log(&self, snapshot: Version) -> Result<(), StorageError> {
        let mut log = self.idle_log()?;
        log.busy = true;
        let mut new = NewLog::shorter(&log, self.log_header(), snapshot);
        drop(log);
        let result = self.write_new_log(&mut new);
        let mut log = self.0.log.lock();
        log.busy = false;
        self.0.changed.notify_all();
        self.check(&mut log, "write", &new_name(LOG), result)?;
        let newer = (new.last().order - log.before.order) as usize;
        new.push(log.records.range(newer..));
        new.committed = new.committed.max(log.committed);
        let result = self.rename_log(&mut new);
        self.check(&mut log, "replace", LOG, result)?;
        log.take_over(new, snapshot);
        Ok(())
    }

    /// Writes a whole log, when nobody uses the storage yet.
    pub(super) fn write_log(&self, mut new: NewLog, snapshot: Version) -> Result<(), StorageError> {
        let result = self.write_new_log(&mut new).and_then(|()| self.rename_log(&mut new));
        let mut log = self.0.log.lock();
        self.check(&mut log, "write", LOG, result)?;
        log.take_over(new, snapshot);
        Ok(())
    }

    /// Writes and syncs a new log, which has another name for now.
    fn write_new_log(&self, new: &mut NewLog) -> io::Result<()> {
        new.synced = new.bytes.len() as u64;
        self.write_new(LOG, &new.bytes)
    }

    /// Gives a new log its name, after it has got what was not written and synced with its first
    /// part.
    fn rename_log(&self, new: &mut NewLog) -> io::Result<()> {
        // A mark, though it may say nothing new: the first frame that says that those before it are
        // synced.
        push_entry(&mut new.bytes, 0, new.synced, Entry::Committed(new.committed));
        self.0.disk.append(&new_name(LOG), &new.bytes[new.synced as usize..])?;
        self.0.disk.rename(&new_name(LOG), LOG)
    }

    /// The header of a log.
    pub(super) fn log_header(&self) -> Vec<u8> {
        header(Kind::Log, self.0.server)
    }

    /// Writes a file that is there as a whole or not at all.
    pub(super) fn replace(&self, file: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let result =
            self.write_new(file, bytes).and_then(|()| self.0.disk.rename(&new_name(file), file));
        if result.is_err() {
            self.check(&mut self.0.log.lock(), "replace", file, result)?;
        }
        Ok(())
    }

    /// Writes and syncs a file that will get its name later.
    fn write_new(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let new = new_name(file);
        self.0.disk.append(&new, bytes)?;
        self.0.disk.sync(&new)
    }
}

/// The name of a file that is not complete.
fn new_name(file: &str) -> String {
    format!("{file}.new")
}

impl NewLog {
    /// The log without the records that are not worth keeping.
    fn shorter(log: &Log, header: Vec<u8>, snapshot: Version) -> Self {
        let order = snapshot.order.saturating_sub(log.kept).max(log.before.order);
        let before = log.version_at(order).expect("it lies between the first record and the last");
        let committed = log.committed.max(snapshot.order);
        let mut new = Self::starting(header, before, committed, log.appends);
        new.push(log.records.range((order - log.before.order) as usize..));
        new
    }

    /// A log without records, after as many appends as the old one has had.
    pub(super) fn starting(header: Vec<u8>, before: Version, committed: u64, appends: u64) -> Self {
        let (records, offsets) = (VecDeque::new(), VecDeque::new());
        let mut bytes = header;
        push_entry(&mut bytes, 0, 0, Entry::Start { before, committed });
        Self { before, records, offsets, bytes, synced: 0, committed, appends }
    }

    /// Adds records.
    pub(super) fn push<'a>(&mut self, records: impl Iterator<Item = &'a Record>) {
        for record in records {
            self.offsets.push_back(self.bytes.len() as u64);
            let entry = Entry::Record(Cow::Borrowed(record));
            push_entry(&mut self.bytes, 0, self.synced, entry);
            self.records.push_back(record.clone());
        }
    }

    /// The last record.
    fn last(&self) -> Version {
        self.records.back().map_or(self.before, Record::version)
    }
}

impl Log {
    /// The new file has replaced the old one.
    fn take_over(&mut self, new: NewLog, snapshot: Version) {
        self.before = new.before;
        self.records = new.records;
        self.offsets = new.offsets;
        self.len = new.bytes.len() as u64;
        self.synced = new.synced;
        self.durable_appends = self.durable_appends.max(new.appends);
        self.committed = self.committed.max(new.committed);
        self.marked = new.committed;
        self.snapshot = snapshot;
    }
}
