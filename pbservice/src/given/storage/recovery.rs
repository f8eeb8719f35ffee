//! What a server does with what it finds on its disk when it starts.
//!
//! What is found is *written anew*, though it is there: it can be read, but that does not mean that
//! it is durable. The last process may have been killed before it could sync. It may even have
//! stopped because a sync had failed: then the system still shows what it could not save, and a
//! second sync succeeds without saving it. Only another file is free of that. The snapshot is the
//! exception: it was synced before it got its name, and until the name is durable the log still has
//! the records that are in it.

use labrpc::Disk;
use log::{error, warn};

use super::found::{Damage, Found, damaged_name};
use super::promise::{Promise, Standing};
use super::wal::{Rest, Scan};
use super::{Identity, LOG, Log, SNAPSHOT, Storage, StorageError};
use crate::given::record::Record;
use crate::given::snapshot::Snapshot;
use crate::given::version::Epoch;
use crate::given::version::Version;
use crate::given::version::{Chain, Prefix};

/// What a server knows when it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The epoch that it promised last.
    pub promise: Epoch,
    /// The table that it saved; empty if there is none.
    pub snapshot: Snapshot,
    /// The record before the first one that is left from before the snapshot.
    pub before: Version,
    /// The checksum of all records up to that one.
    pub(crate) chain: Chain,
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
    /// The directory was empty, and the server is not new: it may have promised later epochs than
    /// [`Recovered::promise`].
    pub forgot_promise: bool,
}

impl Storage {
    /// Opens the storage of a server: a new one, or what its last life has left.
    ///
    /// A torn tail of the log is cut off, with a warning. Corrupt files are set aside, with an
    /// error in the log of the program, and the storage opens with [`Recovered::damage`]; so it
    /// does if the directory is empty, and the server is not new.
    ///
    /// # Errors
    /// If the directory is another server's, or was written with another list of servers or by a
    /// program with another format, if the promise is lost, or if the disk fails. Nothing was
    /// changed then, unless the disk has failed.
    pub fn open(disk: Disk, identity: &Identity) -> Result<(Self, Recovered), StorageError> {
        let mut found = Found::read(&disk, Some(identity))?;
        for file in &found.incomplete {
            disk.remove(file).map_err(|error| StorageError::disk("remove", file, &error))?;
        }
        let promise = found.promise(identity);
        let mut storage = Self {
            disk,
            server: identity.address,
            promise: promise.clone(),
            snapshot: Version::default(),
            log: Log::default(),
            failure: None,
        };
        // From now on a promise that is missing is one that was lost. And from now on the damage is
        // known, whatever happens.
        storage.write_promise()?;
        if let Some(damage) = &found.damage {
            error!(target: "DISK", "{damage}; it is set aside until the log was replaced");
            storage.set_aside(&mut found)?;
        }
        let snapshot = found.snapshot.unwrap_or_default();
        let (before, mut records) = storage.recover_log(found.log, snapshot.prefix())?;
        let is_kept = |record: &Record| record.order <= snapshot.last.order;
        let kept = records.drain(..records.partition_point(is_kept)).collect();
        let recovered = Recovered {
            promise: promise.epoch,
            before: before.last,
            chain: before.chain,
            kept,
            records,
            snapshot,
            committed: storage.log.committed,
            damage: found.damage.or_else(|| promise.standing.damage()),
            forgot_promise: promise.standing == Standing::AllLost,
        };
        Ok((storage, recovered))
    }

    /// Gives damaged files other names. A log without its snapshot is of no use; a snapshot without
    /// its log is.
    fn set_aside(&mut self, found: &mut Found) -> Result<(), StorageError> {
        found.log = None;
        let files = if found.snapshot.is_none() { &[LOG, SNAPSHOT][..] } else { &[LOG] };
        for file in files {
            let result = match self.disk.len(file) {
                Ok(Some(_)) => self.disk.rename(file, &damaged_name(file)),
                other => other.map(drop),
            };
            self.check("rename", file, result)?;
        }
        Ok(())
    }

    /// Takes over the log, or begins a new one after the snapshot. Returns where it starts, and its
    /// records.
    fn recover_log(
        &mut self,
        found: Option<Scan>,
        snapshot: Prefix,
    ) -> Result<(Prefix, Vec<Record>), StorageError> {
        self.snapshot = snapshot.last;
        // A log that does not lead to the snapshot is older: the server was stopped after it had
        // got the snapshot from the primary, and before the log was replaced.
        let scan = found
            .filter(|log| log.prefix_at(snapshot.last.order) == Some(snapshot))
            .unwrap_or_else(|| Scan { before: snapshot, ..Scan::default() });
        if scan.rest == Rest::TornTail {
            let (end, last) = (scan.end, scan.last());
            warn!(target: "DISK", "the log ends torn: cut off at byte {end}, after {last}");
        }
        self.log.committed = scan.committed.min(scan.last().order).max(snapshot.last.order);
        self.replace_log(scan.before, &scan.records)?;
        Ok((scan.before, scan.records))
    }
}

impl Found {
    /// What the promise file will say: what it says, and what was found out about the server now.
    fn promise(&self, identity: &Identity) -> Promise {
        let found = self.promise.as_ref();
        let epoch = found.map_or(0, |found| found.promise.epoch);
        if found.is_some_and(|found| found.needs_repair) {
            warn!(target: "DISK", "one copy of the promise is corrupt; the other one says {epoch}");
        }
        let standing = match self.standing {
            None if identity.is_new => Standing::Sound,
            None | Some(Standing::AllLost) => Standing::AllLost,
            Some(_) if self.damage.is_some() => Standing::LogLost,
            Some(standing) => standing,
        };
        Promise { epoch, servers: identity.servers.clone(), standing }
    }
}
