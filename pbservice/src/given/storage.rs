//! What a server has on its disk: its promise, its log, and a snapshot.
//!
//! | file | what is in it |
//! |---|---|
//! | `log` | records, and marks up to where they are committed |
//! | `snapshot` | the table after one of the records, which stands for all before it |
//! | `promise` | the epoch that the server has promised, the list of servers, and whether the server may count: twice |
//! | `*.new` | a file that was not complete when the server stopped; removed at the next start |
//! | `*.damaged` | a file that was corrupt, kept until the server is repaired |
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
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;

use labrpc::Disk;

pub use self::error::StorageError;
pub use self::found::Damage;
pub(crate) use self::found::inspect;
use self::promise::Promise;
pub use self::recovery::Recovered;
use self::wal::{Entry, push_entry};
use crate::given::record::Record;
use crate::given::version::Version;
use crate::given::version::{Epoch, Order};

/// Names of files.
const LOG: &str = "log";
const SNAPSHOT: &str = "snapshot";
const PROMISE: &str = "promise";

/// What a server is, as it is told when it starts. [`Storage::open`] compares this with its files.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its address.
    pub address: SocketAddr,
    /// The addresses of all servers, its own included. The list must not change.
    pub servers: BTreeSet<SocketAddr>,
    /// That the server has never run before. Otherwise an empty directory is one that was emptied:
    /// the server may have forgotten what it had acknowledged or promised.
    pub is_new: bool,
}

/// A server's files. They have one owner, the task that writes.
///
/// The records themselves are in the files, and in the memory of the server that decides about
/// them. Here is only where each of them is in the log, so that the log can be cut off there.
///
/// # Group commit
///
/// [`Storage::append`] is quick, and [`Storage::sync`] takes as long as the disk. One sync serves
/// all records that were appended before it: the owner appends what has gathered during one sync,
/// and syncs once for all of it.
///
/// # Failures
///
/// After a write or a sync has failed, the contents of the disk are unknown. Every operation fails
/// from then on, that one included; the server must stop and be restarted, which reads what is
/// there.
///
/// # Damage
///
/// If the log turns out to be corrupt, [`Storage::open`] sets it aside and starts with an empty one
/// after the snapshot; if the snapshot is, it sets both aside. See [`Recovered::damage`].
///
/// Invariants:
/// * orders count up without a gap, epochs never decrease;
/// * every record up to the snapshot's last is in the snapshot, and every record after it in the
///   log;
/// * a committed record is never cut off.
#[derive(Debug)]
pub struct Storage {
    disk: Disk,
    server: SocketAddr,
    /// What the promise file says.
    promise: Promise,
    /// The last record in the snapshot.
    snapshot: Version,
    log: Log,
    /// The first error of the disk.
    failure: Option<StorageError>,
}

/// What is in the log file.
#[derive(Debug, Default)]
struct Log {
    /// The record before the first one.
    before: Version,
    records: Vec<Place>,
    /// Length of the file.
    len: u64,
    /// The number of bytes of the file that are known to be durable.
    synced: u64,
    /// The order of the last record known to be committed.
    committed: Order,
    /// The last commit mark in the file.
    marked: Order,
}

/// Where a record is.
#[derive(Debug)]
struct Place {
    epoch: Epoch,
    /// Where it begins in the file.
    offset: u64,
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
    pub fn append(&mut self, records: &[Record]) -> Result<(), StorageError> {
        self.check_working()?;
        let log = &mut self.log;
        let (origin, mut bytes) = (log.len, Vec::new());
        log.push_mark(&mut bytes);
        records.iter().for_each(|record| log.push(&mut bytes, origin, record));
        if bytes.is_empty() {
            return Ok(());
        }
        let result = self.disk.append(LOG, &bytes);
        self.check("append to", LOG, result)?;
        self.log.len += bytes.len() as u64;
        Ok(())
    }

    /// Makes everything durable that was appended.
    ///
    /// # Errors
    /// If the disk fails, or an earlier operation has failed: then nothing may be acknowledged any
    /// more. The server must stop.
    pub fn sync(&mut self) -> Result<(), StorageError> {
        self.check_working()?;
        if self.log.synced < self.log.len {
            let result = self.disk.sync(LOG);
            self.check("sync", LOG, result)?;
            self.log.synced = self.log.len;
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
    pub fn truncate_from(&mut self, order: Order) -> Result<(), StorageError> {
        self.check_working()?;
        let log = &mut self.log;
        if order > log.last().order {
            return Ok(());
        }
        let committed = log.committed.max(self.snapshot.order);
        assert!(order > committed, "record {order} is cut off, but {committed} are committed");
        let keep = (order - log.before.order - 1) as usize;
        log.len = log.records[keep].offset;
        log.records.truncate(keep);
        // Synced at once: what is appended next must not mingle with what is cut off but may still
        // be on the disk. This happens only when a primary has been replaced.
        let result = self.disk.truncate(LOG, self.log.len).and_then(|()| self.disk.sync(LOG));
        self.check("truncate", LOG, result)?;
        self.log.synced = self.log.len;
        // Marks may have been cut off too.
        self.log.marked = 0;
        Ok(())
    }

    /// Remembers that the records up to this one are committed. This is a hint: it reaches the disk
    /// together with the next append, or by [`Storage::write_mark`]. It never goes back.
    pub fn mark_committed(&mut self, order: Order) {
        let log = &mut self.log;
        log.committed = order.min(log.last().order).max(log.committed);
    }

    /// Appends the commit mark, if there is a new one. Called now and then when nothing else is
    /// written, it also lets [`Storage::open`] notice if the last records have rotted.
    ///
    /// # Errors
    /// If it cannot be written, or an earlier operation has failed. The server must stop.
    pub fn write_mark(&mut self) -> Result<(), StorageError> {
        self.append(&[])
    }

    /// Fails if an operation has failed.
    fn check_working(&self) -> Result<(), StorageError> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    /// If an operation of the disk has failed, remembers that for good.
    fn check<T>(
        &mut self,
        operation: &'static str,
        file: &str,
        result: io::Result<T>,
    ) -> Result<T, StorageError> {
        result.map_err(|error| {
            let error = StorageError::disk(operation, file, &error);
            self.failure.get_or_insert(error).clone()
        })
    }
}

impl Log {
    /// The last record; of an empty log, the place where it starts.
    fn last(&self) -> Version {
        let order = self.before.order + self.records.len() as Order;
        Version { order, epoch: self.records.last().map_or(self.before.epoch, |last| last.epoch) }
    }

    /// The version of the record with this order; `None` if it is not in the log, or no longer.
    fn version_at(&self, order: Order) -> Option<Version> {
        match order.checked_sub(self.before.order)? {
            0 => Some(self.before),
            n => {
                self.records.get(n as usize - 1).map(|place| Version { order, epoch: place.epoch })
            }
        }
    }

    /// Adds a record, and its bytes to those that are about to be written at offset `origin`.
    fn push(&mut self, bytes: &mut Vec<u8>, origin: u64, record: &Record) {
        let last = self.last();
        let follows = record.order == last.order + 1 && record.epoch >= last.epoch;
        assert!(follows, "{} cannot follow {last}", record.version());
        let offset = origin + bytes.len() as u64;
        self.records.push(Place { epoch: record.epoch, offset });
        push_entry(bytes, origin, self.synced, Entry::Record(Cow::Borrowed(record)));
    }

    /// Adds the commit mark to bytes that are about to be appended, if the file does not have it.
    fn push_mark(&mut self, bytes: &mut Vec<u8>) {
        if self.committed > self.marked {
            self.marked = self.committed;
            push_entry(bytes, self.len, self.synced, Entry::Committed(self.committed));
        }
    }
}
