//! Snapshots, and the log that becomes shorter by them.
//!
//! The order of the steps is what makes a crash between any two harmless: first the snapshot gets
//! its name, then the log loses what is in it. In between, the log has records that it does not
//! need.

use std::io;

use super::format::{Kind, header, push_frame, read_header};
use super::found::damaged_name;
use super::promise::Standing;
use super::wal::{self, Entry, Rest, Scan, push_entry};
use super::{LOG, Log, SNAPSHOT, Storage, StorageError};
use crate::given::record::Record;
use crate::given::snapshot::Snapshot;
use crate::given::version::Order;
use crate::given::version::Prefix;

impl Storage {
    /// Saves a snapshot of this server's own table, and drops the records that the snapshot before
    /// it has already. Those in between stay for backups that lack only them. Nothing happens if
    /// the snapshot on the disk is as new.
    ///
    /// # Errors
    /// If the disk fails, or an earlier operation has failed. The server must stop.
    ///
    /// # Panics
    /// If its last record is not in the log.
    pub fn save_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StorageError> {
        self.check_working()?;
        let (last, previous) = (snapshot.last, self.snapshot);
        if last.order <= previous.order {
            return Ok(());
        }
        let known = self.log.version_at(last.order);
        assert_eq!(known, Some(last), "a snapshot of this log ends with one of its records");
        self.write_snapshot(snapshot)?;
        self.drop_up_to(previous.order)
    }

    /// Replaces the log and the snapshot by a snapshot from the primary. If the log contains its
    /// last record, the log stays. Nothing happens if the snapshot on the disk is as new. Durable
    /// when it returns.
    ///
    /// # Errors
    /// If the disk fails, or an earlier operation has failed. The server must stop.
    pub fn install_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StorageError> {
        self.check_working()?;
        let last = snapshot.last;
        if last.order <= self.snapshot.order {
            return Ok(());
        }
        self.write_snapshot(snapshot)?;
        match self.log.version_at(last.order) == Some(last) {
            true => Ok(()),
            false => self.replace_log(snapshot.prefix(), &[]),
        }
    }

    /// Says that the server has all that it ever acknowledged, see
    /// [`Recovered::damage`](super::Recovered::damage). Syncs the log first. Damaged files that were
    /// kept are removed.
    ///
    /// # Errors
    /// If the disk fails, or an earlier operation has failed. The server must stop.
    pub fn declare_repaired(&mut self) -> Result<(), StorageError> {
        self.sync()?;
        self.promise.standing = Standing::Sound;
        self.write_promise()?;
        for file in [SNAPSHOT, LOG].map(damaged_name) {
            let result = match self.disk.len(&file) {
                Ok(Some(_)) => self.disk.remove(&file),
                other => other.map(drop),
            };
            self.check("remove", &file, result)?;
        }
        Ok(())
    }

    /// Replaces the snapshot file.
    fn write_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StorageError> {
        let mut bytes = header(Kind::Snapshot, self.server);
        push_frame(&mut bytes, 0, snapshot);
        self.replace(SNAPSHOT, &bytes)?;
        self.snapshot = snapshot.last;
        self.log.committed = self.log.committed.max(snapshot.last.order);
        Ok(())
    }

    /// Drops the records up to this one from the log.
    fn drop_up_to(&mut self, order: Order) -> Result<(), StorageError> {
        let dropped = order.saturating_sub(self.log.before.order) as usize;
        if dropped == 0 {
            return Ok(());
        }
        let result = self.read_log();
        let scan = self.check("read", LOG, result)?;
        let before = scan.prefix_at(order).expect("the log has the last record of each snapshot");
        self.replace_log(before, &scan.records[dropped..])
    }

    /// What is in the log file, which must be what was written.
    fn read_log(&self) -> io::Result<Scan> {
        let bytes = self.disk.read(LOG)?.ok_or_else(|| io::Error::other("it is missing"))?;
        let start = read_header(Kind::Log, &bytes).map(|(_, start)| start);
        let scan = start.map(|start| wal::scan(&bytes, start)).unwrap_or_default();
        if scan.rest == Rest::Nothing && scan.last() == self.log.last() {
            return Ok(scan);
        }
        Err(io::Error::other(format!("it is corrupt at byte {}", scan.end)))
    }

    /// Replaces the log by one with these records.
    pub(super) fn replace_log(
        &mut self,
        before: Prefix,
        records: &[Record],
    ) -> Result<(), StorageError> {
        let committed = self.log.committed;
        let mut log = Log { before: before.last, committed, marked: committed, ..Log::default() };
        let mut bytes = header(Kind::Log, self.server);
        push_entry(&mut bytes, 0, 0, Entry::Start { before, committed });
        records.iter().for_each(|record| log.push(&mut bytes, 0, record));
        log.synced = bytes.len() as u64;
        let result = self.write_new(LOG, &bytes).and_then(|()| {
            // A mark, though it may say nothing new: the first frame that says that those before it
            // are synced.
            let mut mark = Vec::new();
            push_entry(&mut mark, log.synced, log.synced, Entry::Committed(committed));
            log.len = log.synced + mark.len() as u64;
            self.disk.append(&new_name(LOG), &mark)?;
            self.disk.rename(&new_name(LOG), LOG)
        });
        self.check("replace", LOG, result)?;
        self.log = log;
        Ok(())
    }

    /// Writes a file that is there as a whole or not at all.
    pub(super) fn replace(&mut self, file: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let result =
            self.write_new(file, bytes).and_then(|()| self.disk.rename(&new_name(file), file));
        self.check("replace", file, result)
    }

    /// Writes and syncs a file that will get its name later.
    fn write_new(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let new = new_name(file);
        self.disk.append(&new, bytes)?;
        self.disk.sync(&new)
    }
}

/// The name of a file that is not complete.
fn new_name(file: &str) -> String {
    format!("{file}.new")
}
