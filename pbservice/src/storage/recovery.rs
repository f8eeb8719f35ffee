//! What a server does with what it finds on its disk when it starts.
//!
//! What is found is *written anew*, though it is there: it can be read, but that does not mean that
//! it is durable. The last process may have been killed before it could sync. It may even have
//! stopped because a sync had failed: then the system still shows what it could not save, and a
//! second sync succeeds without saving it. Only another file is free of that. The snapshot is the
//! exception: it was synced before it got its name, and until the name is durable the log still has
//! the records that are in it.

use std::io::ErrorKind;
use std::net::SocketAddr;

use labrpc::Disk;
use log::{error, warn};

use super::found::{Damage, Found, damaged_name};
use super::promise::Promise;
use super::wal::{Rest, Scan};
use super::{LOG, Log, SNAPSHOT, Storage, StorageError};
use crate::state::Epoch;
use crate::{Record, Snapshot, Version};

/// What a server knows when it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The epoch that it promised last.
    pub promise: Epoch,
    /// The table that it saved; empty if there is none.
    pub snapshot: Snapshot,
    /// The record before the first one that is left from before the snapshot.
    pub before: Version,
    /// Records from before the snapshot, its last one included, for backups that lack only them.
    pub kept: Vec<Record>,
    /// The records after the snapshot. Those that are not [`Recovered::committed`] must not be
    /// applied before the primary says so.
    pub records: Vec<Record>,
    /// The order of the last record known to be committed.
    pub committed: u64,
    /// What is wrong with the log; `None` if nothing is.
    ///
    /// As long as there is something, records that this server had acknowledged may be missing: it
    /// must neither vote, nor count for a majority, nor serve. It may take records and snapshots
    /// from a primary. When its log holds all records that were in the primary's *at the time when
    /// it asked*, and they are synced, [`Storage::declare_repaired`] ends this. It survives
    /// restarts.
    pub damage: Option<Damage>,
}

impl Storage {
    /// Opens the storage of the server with this address: a new one, or what its last life has
    /// left.
    ///
    /// A torn tail of the log is cut off, with a warning. Corrupt files are set aside, with an
    /// error in the log of the program, and the storage opens with [`Recovered::damage`].
    ///
    /// # Errors
    /// If the directory is another server's or of a newer program, if the promise is lost, or if
    /// the disk fails.
    pub fn open(disk: Disk, server: SocketAddr) -> Result<(Self, Recovered), StorageError> {
        let mut found = Found::read(&disk, Some(server))?;
        for file in &found.incomplete {
            disk.remove(file).map_err(|error| StorageError::disk("remove", file, &error))?;
        }
        let mut storage = Self {
            disk,
            server,
            promise: 0,
            snapshot: Version::default(),
            log: Log::default(),
            failure: None,
        };
        storage.recover_promise(found.promise.as_ref())?;
        if let Some(damage) = &found.damage {
            error!(target: "DISK", "{damage}; it is set aside until the log was replaced");
            storage.set_aside(&mut found)?;
        }
        let damage = found.damage.or_else(|| found.in_repair.then(Damage::of_earlier_start));
        let snapshot = found.snapshot.unwrap_or_default();
        let mut records = storage.recover_log(found.log, snapshot.last)?;
        let is_kept = |record: &Record| record.order <= snapshot.last.order;
        let kept = records.drain(..records.partition_point(is_kept)).collect();
        let recovered = Recovered {
            promise: storage.promise,
            before: storage.log.before,
            kept,
            records,
            snapshot,
            committed: storage.log.committed,
            damage,
        };
        Ok((storage, recovered))
    }

    /// Takes over the promise; of a new server, promises epoch 0, so that from now on a promise
    /// that is missing is one that was lost.
    fn recover_promise(&mut self, promise: Option<&Promise>) -> Result<(), StorageError> {
        let epoch = promise.map_or(0, |promise| promise.epoch);
        if promise.is_some_and(|promise| promise.needs_repair) {
            warn!(target: "DISK", "one copy of the promise is corrupt; the other one says {epoch}");
        }
        self.write_promise(epoch)
    }

    /// Gives damaged files other names. As long as these exist, the server is in repair.
    ///
    /// The log goes first, and leaves its other name behind even if it is missing: from then on the
    /// damage is known, whatever happens. A log without its snapshot is of no use; a snapshot
    /// without its log is.
    fn set_aside(&self, found: &mut Found) -> Result<(), StorageError> {
        let disk = &self.disk;
        let set_aside = |file: &str| {
            let result = disk.rename(file, &damaged_name(file));
            result.map_err(|error| (error.kind(), StorageError::disk("rename", file, &error)))
        };
        match set_aside(LOG) {
            Ok(()) => {}
            Err((ErrorKind::NotFound, _)) => {
                let marker = damaged_name(LOG);
                let made = disk.append(&marker, b"").and_then(|()| disk.sync(&marker));
                made.map_err(|error| StorageError::disk("create", &marker, &error))?;
            }
            Err((_, error)) => return Err(error),
        }
        found.log = None;
        if found.snapshot.is_none() {
            match set_aside(SNAPSHOT) {
                Ok(()) | Err((ErrorKind::NotFound, _)) => {}
                Err((_, error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes over the log, or begins a new one after the snapshot. Returns its records.
    fn recover_log(
        &mut self,
        found: Option<Scan>,
        snapshot: Version,
    ) -> Result<Vec<Record>, StorageError> {
        self.snapshot = snapshot;
        // A log that does not lead to the snapshot is older: the server was stopped after it had
        // got the snapshot from the primary, and before the log was replaced.
        let scan = found
            .filter(|log| log.contains(snapshot))
            .unwrap_or_else(|| Scan { before: snapshot, ..Scan::default() });
        if scan.rest == Rest::TornTail {
            let (end, last) = (scan.end, scan.last());
            warn!(target: "DISK", "the log ends torn: cut off at byte {end}, after {last}");
        }
        self.log.committed = scan.committed.min(scan.last().order).max(snapshot.order);
        self.replace_log(scan.before, &scan.records)?;
        Ok(scan.records)
    }
}

impl Scan {
    /// The last record.
    pub(super) fn last(&self) -> Version {
        self.records.last().map_or(self.before, Record::version)
    }

    /// Whether the log leads to this place.
    fn contains(&self, place: Version) -> bool {
        match place.order.checked_sub(self.before.order) {
            None => false,
            Some(0) => self.before == place,
            Some(n) => self.records.get(n as usize - 1).is_some_and(|r| r.version() == place),
        }
    }
}
