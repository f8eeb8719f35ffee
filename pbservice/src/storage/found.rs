//! What is on a server's disk: looking changes nothing.
//!
//! Every file is looked at before any is touched, so that a directory that is refused stays as it
//! is.

use std::fmt;
use std::net::SocketAddr;

use labrpc::Disk;

use super::format::{FORMAT_VERSION, HeaderError, Kind, read_frame, read_header};
use super::promise::{self, Promise};
use super::wal::{self, Rest, Scan};
use super::{LOG, PROMISE, SNAPSHOT, StorageError};
use crate::{Record, Snapshot, Version};

/// Files that are not complete.
const INCOMPLETE: [&str; 3] = ["log.new", "snapshot.new", "promise.new"];

/// What the files say.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Whose directory it is.
    pub(super) server: Option<SocketAddr>,
    pub(super) promise: Option<Promise>,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) log: Option<Scan>,
    /// What is wrong.
    pub(super) damage: Option<Damage>,
    /// Damaged files were set aside at an earlier start.
    pub(super) in_repair: bool,
    /// Names of files that were never completed.
    pub(super) incomplete: Vec<String>,
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

impl Found {
    /// Looks at every file, and changes none. `server` is who wants to use them, if anybody does.
    pub(super) fn read(disk: &Disk, server: Option<SocketAddr>) -> Result<Self, StorageError> {
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
    pub(super) fn of_earlier_start() -> Self {
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

#[cfg(test)]
mod tests {
    use super::super::Storage;
    use super::super::format::header_of_version;
    use super::*;

    #[test]
    fn files_of_a_newer_program_are_refused() {
        let server = "10.0.0.1:7001".parse().unwrap();
        for (kind, file) in [(Kind::Promise, PROMISE), (Kind::Snapshot, SNAPSHOT), (Kind::Log, LOG)]
        {
            let disk = Disk::new();
            drop(Storage::open(disk.clone(), server).unwrap());
            if disk.len(file).unwrap().is_some() {
                disk.remove(file).unwrap();
            }
            disk.append(file, &header_of_version(kind, FORMAT_VERSION + 1, server)).unwrap();
            let error = Storage::open(disk.clone(), server).unwrap_err().to_string();
            let text = "has format version 2, and this program knows them up to 1";
            assert_eq!(error, format!("the file {file:?} {text}"));
        }
    }
}
