//! Snapshots, and the log that becomes shorter by them.
//!
//! The order of the steps is what makes a crash between any two harmless: first the snapshot gets
//! its name, then the log loses what is in it. In between, the log has records that it does not need.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::format::{Kind, header, push_frame};
use super::recovery::{damaged_name, read_snapshot};
use super::wal::{Entry, push_entry};
use super::{LOG, Log, SNAPSHOT, Storage, StorageError};
use crate::{Record, Snapshot, Version};

/// The beginning of a new log file.
pub(super) struct NewLog {
    before: Version,
    records: VecDeque<Record>,
    offsets: VecDeque<u64>,
    bytes: Vec<u8>,
    /// The commit mark in it.
    committed: u64,
    /// How many appends to the old log it contains.
    appends: u64,
}

impl Storage {
    /// Saves a snapshot of this server's own table, and drops the records before it from the log,
    /// but for the last [`KEPT_RECORDS`](super::KEPT_RECORDS). Nothing happens if the snapshot on the
    /// disk is as new. Takes as long as the disk; call it without the server's lock.
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

    /// Replaces the log and the snapshot by a snapshot from the primary. Records that follow
    /// it stay if the log contains its last record. Nothing happens if the snapshot on the disk is as
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
        let contained = log.version_at(last.order) == Some(last);
        drop(log);
        self.write_snapshot(snapshot)?;
        if contained {
            return self.shorten_log(last);
        }
        // Whatever is appended meanwhile does not follow the snapshot, so the lock is held.
        let mut log = self.idle_log()?;
        let new = NewLog::empty(&log, self.new_log_header(), last);
        let result =
            self.write_new(LOG, &new.bytes).and_then(|()| self.0.disk.rename(&new_name(LOG), LOG));
        self.check(&mut log, "replace", LOG, result)?;
        let len = new.bytes.len() as u64;
        log.take_over(new, last, len);
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
            let bytes = bytes.ok_or_else(|| std::io::Error::other("it is missing"))?;
            read_snapshot(&bytes).map_err(|_| std::io::Error::other("it is corrupt"))
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
        let mut new = NewLog::shorter(&log, self.new_log_header(), snapshot);
        drop(log);
        let result = self.write_new(LOG, &new.bytes);
        let synced = new.bytes.len() as u64;
        let mut log = self.0.log.lock();
        log.busy = false;
        self.0.changed.notify_all();
        self.check(&mut log, "write", &new_name(LOG), result)?;
        let newer = log.records.len() - (new.last().order - log.before.order) as usize;
        let newer = log.records.range(log.records.len() - newer..).cloned().collect::<Vec<_>>();
        new.push(&newer, synced);
        // A mark, although nothing may be new: the first frame that says that those before are
        // synced.
        new.committed = log.committed;
        push_entry(&mut new.bytes, 0, synced, Entry::Committed(log.committed));
        let disk = &self.0.disk;
        let result = disk
            .append(&new_name(LOG), &new.bytes[synced as usize..])
            .and_then(|()| disk.rename(&new_name(LOG), LOG));
        self.check(&mut log, "replace", LOG, result)?;
        log.take_over(new, snapshot, synced);
        Ok(())
    }

    /// The header of a log.
    pub(super) fn new_log_header(&self) -> Vec<u8> {
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
    fn write_new(&self, file: &str, bytes: &[u8]) -> std::io::Result<()> {
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
    /// A log that starts after the snapshot.
    fn empty(log: &Log, header: Vec<u8>, snapshot: Version) -> Self {
        let committed = log.committed.max(snapshot.order);
        Self::starting(header, snapshot, committed, log.appends)
    }

    /// The log without the records that are not worth keeping.
    fn shorter(log: &Log, header: Vec<u8>, snapshot: Version) -> Self {
        let order = snapshot.order.saturating_sub(log.kept).max(log.before.order);
        let before = log.version_at(order).expect("it lies between the first record and the last");
        let committed = log.committed.max(snapshot.order);
        let mut new = Self::starting(header, before, committed, log.appends);
        let kept = log.records.range((order - log.before.order) as usize..);
        new.push(&kept.cloned().collect::<Vec<_>>(), 0);
        new
    }

    /// A log without records.
    pub(super) fn starting(
        mut bytes: Vec<u8>,
        before: Version,
        committed: u64,
        appends: u64,
    ) -> Self {
        push_entry(&mut bytes, 0, 0, Entry::Start { before, committed });
        let (records, offsets) = Default::default();
        Self { before, records, offsets, bytes, committed, appends }
    }

    /// What is in the file.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds records.
    fn push(&mut self, records: &[Record], synced: u64) {
        for record in records {
            self.offsets.push_back(self.bytes.len() as u64);
            push_entry(&mut self.bytes, 0, synced, Entry::Record(Cow::Borrowed(record)));
            self.records.push_back(record.clone());
        }
    }

    /// The last record.
    fn last(&self) -> Version {
        self.records.back().map_or(self.before, Record::version)
    }
}

impl Log {
    /// The new file has replaced the old one, and its first `synced` bytes are durable.
    pub(super) fn take_over(&mut self, new: NewLog, snapshot: Version, synced: u64) {
        self.before = new.before;
        self.records = new.records;
        self.offsets = new.offsets;
        self.len = new.bytes.len() as u64;
        self.synced = synced;
        self.durable_appends = self.durable_appends.max(new.appends);
        self.committed = self.committed.max(new.committed);
        self.marked = self.committed;
        self.snapshot = snapshot;
    }
}
