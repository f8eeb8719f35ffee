//! What a server finds on its disk when it starts.
//!
//! Nothing is changed before every file was looked at, so that a directory that is refused stays as
//! it is.
//!
//! What is found is *written anew*, though it is there: it can be read, but that does not mean that
//! it is durable. The last process may have been killed before it could sync. It may even have
//! stopped because a sync had failed: then the system still shows what it could not save, and a second
//! sync succeeds without saving it. Only another file is free of that.

use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;

use labrpc::{Condvar, Disk, Mutex};
use log::{error, warn};

use super::compaction::NewLog;
use super::format::{FORMAT_VERSION, HeaderError, Kind, read_frame, read_header};
use super::promise::{self, Promise};
use super::wal::{self, Rest, Scan};
use super::{Inner, KEPT_RECORDS, LOG, Log, PROMISE, SNAPSHOT, Storage, StorageError};
use crate::{Record, Snapshot, Version};

/// Files that are not complete.
const INCOMPLETE: [&str; 3] = ["log.new", "snapshot.new", "promise.new"];

/// What a server knows when it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The epoch that it promised last.
    pub promise: u64,
    /// The table that it saved; empty if there is none.
    pub snapshot: Snapshot,
    /// The records after the snapshot. Those that are not [`Recovered::committed`] must not be
    /// applied before the primary says so.
    pub records: Vec<Record>,
    /// The order of the last record known to be committed.
    pub committed: u64,
    /// What is wrong: records may be missing. See [`Storage::damage`].
    pub damage: Option<Damage>,
}

/// A corrupt file. Displays as one line: `the file "log" is corrupt at byte 1234: bad record`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: String,
    /// Where it is corrupt, in bytes from the file's beginning.
    pub offset: u64,
    /// What is wrong there.
    pub problem: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, offset, problem } = self;
        write!(f, "the file {file:?} is corrupt at byte {offset}: {problem}")
    }
}

/// What the files say.
#[derive(Debug, Default)]
struct Found {
    /// Whose directory it is.
    server: Option<SocketAddr>,
    promise: Option<Promise>,
    snapshot: Option<Snapshot>,
    log: Option<Scan>,
    /// What is wrong.
    damage: Option<Damage>,
    /// Damaged files were set aside at an earlier start.
    in_repair: bool,
    /// Names of files that were never completed.
    incomplete: Vec<String>,
}

impl Storage {
    /// Opens the storage of the server with this address: a new one, or what its last life has left.
    ///
    /// A torn tail of the log is cut off, with a warning. Corrupt files are set aside, with an
    /// error in the log of the program, and the storage opens with [`Recovered::damage`].
    ///
    /// # Errors
    /// If the directory is another server's or of a newer program, if the promise is lost, or if the
    /// disk fails.
    pub fn open(disk: Disk, server: SocketAddr) -> Result<(Self, Recovered), StorageError> {
        let mut found = Found::read(&disk, Some(server))?;
        for file in &found.incomplete {
            disk.remove(file).map_err(|error| StorageError::disk("remove", file, &error))?;
        }
        let storage = Self::empty(disk, server);
        storage.recover_promise(found.promise.as_ref())?;
        if let Some(damage) = &found.damage {
            error!(target: "DISK", "{damage}; it is set aside until the log was replaced");
            storage.set_aside(&mut found)?;
        }
        let snapshot = found.snapshot.unwrap_or_default();
        storage.recover_log(found.log, snapshot.last)?;
        let mut log = storage.0.log.lock();
        log.damage = found.damage.or_else(|| found.in_repair.then(Damage::of_earlier_start));
        let recovered = Recovered {
            promise: storage.promise(),
            records: log
                .records
                .iter()
                .filter(|r| r.order > snapshot.last.order)
                .cloned()
                .collect(),
            snapshot,
            committed: log.committed,
            damage: log.damage.clone(),
        };
        drop(log);
        Ok((storage, recovered))
    }

    /// A storage that knows nothing.
    fn empty(disk: Disk, server: SocketAddr) -> Self {
        Self(Arc::new(Inner {
            disk,
            server,
            log: Mutex::new(Log { kept: KEPT_RECORDS, ..Log::default() }),
            changed: Condvar::new(),
            promise: Mutex::new(0),
            snapshots: Mutex::new(()),
        }))
    }

    /// Takes over the promise; of a new server, promises epoch 0, so that from now on a promise that
    /// is missing is one that was lost.
    fn recover_promise(&self, promise: Option<&Promise>) -> Result<(), StorageError> {
        let epoch = promise.map_or(0, |promise| promise.epoch);
        if promise.is_some_and(|promise| promise.needs_repair) {
            warn!(target: "DISK", "one copy of the promise is corrupt; the other one says {epoch}");
        }
        *self.0.promise.lock() = epoch;
        self.write_promise(epoch)
    }

    /// Gives damaged files other names. As long as these exist, the server is in repair.
    ///
    /// The log goes first, and leaves its other name behind even if it is missing: from then on the
    /// damage is known, whatever happens. A log without its snapshot is of no use; a snapshot without
    /// its log is.
    fn set_aside(&self, found: &mut Found) -> Result<(), StorageError> {
        let disk = &self.0.disk;
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

    /// Takes over the log, or begins a new one after the snapshot.
    fn recover_log(&self, found: Option<Scan>, snapshot: Version) -> Result<(), StorageError> {
        // A log that does not lead to the snapshot is older: the server was stopped after it had got
        // the snapshot from the primary, and before the log was replaced.
        let Some(scan) = found.filter(|log| log.contains(snapshot)) else {
            let new = NewLog::starting(self.log_header(), snapshot, snapshot.order, 0);
            return self.write_log(new, snapshot);
        };
        if scan.rest == Rest::TornTail {
            let (end, last) = (scan.end, scan.last());
            warn!(target: "DISK", "the log has a torn tail: it is cut off at byte {end}, after {last}");
        }
        let committed = scan.committed.min(scan.last().order).max(snapshot.order);
        let mut new = NewLog::starting(self.log_header(), scan.before, committed, 0);
        new.push(scan.records.iter());
        self.write_log(new, snapshot)
    }
}

impl Found {
    /// Looks at every file, and changes none. `server` is who wants to use them, if anybody does.
    fn read(disk: &Disk, server: Option<SocketAddr>) -> Result<Self, StorageError> {
        let names = disk.list().map_err(|error| StorageError::disk("list", ".", &error))?;
        let mut found = Self {
            in_repair: [LOG, SNAPSHOT].iter().any(|file| names.contains(&damaged_name(file))),
            incomplete: INCOMPLETE
                .map(String::from)
                .into_iter()
                .filter(|n| names.contains(n))
                .collect(),
            ..Self::default()
        };
        let read =
            |file: &str| disk.read(file).map_err(|error| StorageError::disk("read", file, &error));
        // The log comes before the snapshot: a server that works meanwhile may take a snapshot and
        // shorten its log, and a snapshot that is newer than the log is ordinary.
        let (promise, log, snapshot) = (read(PROMISE)?, read(LOG)?, read(SNAPSHOT)?);
        let is_new = snapshot.is_none() && log.is_none() && !found.in_repair;
        // Whose files they are comes first: those of others are none of our business.
        let mut promise_is_lost = promise.is_none() && !is_new;
        match promise.map(|bytes| promise::decode(&bytes)) {
            None => {}
            Some(Ok(promise)) => {
                found.check_owner(PROMISE, promise.server, server)?;
                found.promise = Some(promise);
            }
            Some(Err(error)) => {
                error.refuse_newer(PROMISE)?;
                promise_is_lost = true;
            }
        }
        // A server has a log before it promises any epoch but the first, 0.
        let has_promised = found.promise.as_ref().is_some_and(|promise| promise.epoch > 0);
        let log_is_missing =
            log.is_none() && !found.in_repair && (snapshot.is_some() || has_promised);
        if let Some(bytes) = snapshot {
            found.read_snapshot(&bytes, server)?;
        }
        if let Some(bytes) = log {
            found.read_log(&bytes, server)?;
        }
        if log_is_missing {
            found.report(LOG, 0, "it is missing");
        }
        // A program that only reads does not mind.
        if promise_is_lost && server.is_some() {
            return Err(StorageError::PromiseLost);
        }
        Ok(found)
    }

    /// Reads the snapshot.
    fn read_snapshot(
        &mut self,
        bytes: &[u8],
        server: Option<SocketAddr>,
    ) -> Result<(), StorageError> {
        match read_snapshot(bytes) {
            Ok((owner, snapshot)) => {
                self.check_owner(SNAPSHOT, owner, server)?;
                self.snapshot = Some(snapshot);
            }
            Err(error) => {
                error.refuse_newer(SNAPSHOT)?;
                self.report(SNAPSHOT, 0, "the checksum of the snapshot is wrong");
            }
        }
        Ok(())
    }

    /// Reads the log, and looks whether it fits the snapshot.
    fn read_log(&mut self, bytes: &[u8], server: Option<SocketAddr>) -> Result<(), StorageError> {
        let (owner, start) = match read_header(Kind::Log, bytes) {
            Ok(header) => header,
            Err(error) => {
                error.refuse_newer(LOG)?;
                self.report(LOG, 0, "the header is not that of a log");
                return Ok(());
            }
        };
        self.check_owner(LOG, owner, server)?;
        let scan = wal::scan(bytes, start);
        if let Rest::Damage(problem) = &scan.rest {
            self.report(LOG, scan.end, problem);
        }
        let covered = self.snapshot.as_ref().map_or(0, |snapshot| snapshot.last.order);
        if scan.before.order > covered {
            let first = scan.before.order + 1;
            let problem =
                format!("it starts with record {first}, and the snapshot ends with {covered}");
            self.report(LOG, start as u64, &problem);
        }
        self.log = Some(scan);
        Ok(())
    }

    /// Refuses files of another server.
    fn check_owner(
        &mut self,
        file: &str,
        owner: SocketAddr,
        server: Option<SocketAddr>,
    ) -> Result<(), StorageError> {
        match server {
            Some(server) if server != owner => {
                Err(StorageError::OtherServer { file: file.to_string(), owner, server })
            }
            _ => {
                self.server = Some(owner);
                Ok(())
            }
        }
    }

    /// Notes that a file is corrupt. The first one that is noted is the cause.
    fn report(&mut self, file: &str, offset: u64, problem: &str) {
        let damage = Damage { file: file.to_string(), offset, problem: problem.to_string() };
        self.damage.get_or_insert(damage);
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

impl HeaderError {
    /// Fails if a newer program has written the file.
    fn refuse_newer(self, file: &str) -> Result<(), StorageError> {
        match self {
            Self::Corrupt => Ok(()),
            Self::Newer(found) => {
                let (file, known) = (file.to_string(), FORMAT_VERSION);
                Err(StorageError::NewerFormat { file, found, known })
            }
        }
    }
}

impl Damage {
    /// What is known of damage that was found at an earlier start.
    fn of_earlier_start() -> Self {
        let problem = "found at an earlier start, and the log has not been replaced since";
        Self { file: damaged_name(LOG), offset: 0, problem: problem.to_string() }
    }
}

/// The name of a damaged file that was set aside.
pub(super) fn damaged_name(file: &str) -> String {
    format!("{file}.damaged")
}

/// Reads a snapshot file.
pub(super) fn read_snapshot(bytes: &[u8]) -> Result<(SocketAddr, Snapshot), HeaderError> {
    let (server, start) = read_header(Kind::Snapshot, bytes)?;
    match read_frame(bytes, start) {
        Some((snapshot, end)) if end == bytes.len() => Ok((server, snapshot)),
        _ => Err(HeaderError::Corrupt),
    }
}

/// What can be said of a directory that a server may be using: nothing in it is changed.
pub(crate) struct Inspection {
    /// Whose directory it is.
    pub(crate) server: Option<SocketAddr>,
    /// The last record in the snapshot.
    pub(crate) snapshot: Version,
    /// The records in the log.
    pub(crate) records: Vec<Record>,
    /// The order of the last record known to be committed.
    pub(crate) committed: u64,
    /// What is not as it should be, in sentences.
    pub(crate) remarks: Vec<String>,
}

/// Looks at a server's directory.
pub(crate) fn inspect(disk: &Disk) -> Result<Inspection, StorageError> {
    let found = Found::read(disk, None)?;
    let (snapshot, log) = (found.snapshot.unwrap_or_default(), found.log.unwrap_or_default());
    let mut remarks: Vec<String> = found.damage.iter().map(Damage::to_string).collect();
    if found.in_repair {
        remarks.push(Damage::of_earlier_start().to_string());
    }
    if log.rest == Rest::TornTail {
        remarks
            .push(format!("the log has a torn tail, or is being written to, at byte {}", log.end));
    }
    Ok(Inspection {
        server: found.server,
        snapshot: snapshot.last,
        committed: log.committed.max(snapshot.last.order),
        records: log.records,
        remarks,
    })
}
