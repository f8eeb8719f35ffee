//! What is on a server's disk: looking changes nothing.
//!
//! Every file is looked at before any is touched, so that a directory that is refused stays as it
//! is.

use std::fmt;
use std::net::SocketAddr;

use labrpc::Disk;

use super::format::{FORMAT_VERSION, HeaderError, Kind, read_frame, read_header};
use super::promise::{self, Standing};
use super::wal::{self, Rest, Scan};
use super::{Identity, LOG, PROMISE, SNAPSHOT, StorageError};
use crate::given::record::Record;
use crate::given::snapshot::Snapshot;
use crate::given::version::Version;

/// Files that are not complete.
const INCOMPLETE: [&str; 3] = ["log.new", "snapshot.new", "promise.new"];

/// What the files say.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The server that has written the directory.
    pub(super) server: Option<SocketAddr>,
    pub(super) promise: Option<promise::Found>,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) log: Option<Scan>,
    /// What is wrong.
    pub(super) damage: Option<Damage>,
    /// What the server may do, as its files say.
    pub(super) standing: Option<Standing>,
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
    /// Looks at every file, and changes none. `identity` is that of the server that wants to use
    /// them; a program that only reads them has none.
    pub(super) fn read(disk: &Disk, identity: Option<&Identity>) -> Result<Self, StorageError> {
        let names = disk.list().map_err(|error| StorageError::disk("list", ".", &error))?;
        let is_there = |file: &String| names.contains(file);
        let incomplete = INCOMPLETE.map(String::from).into_iter().filter(is_there).collect();
        let mut found = Self { incomplete, ..Self::default() };
        let read =
            |file: &str| disk.read(file).map_err(|error| StorageError::disk("read", file, &error));
        // The log comes before the snapshot: a server that works meanwhile may take a snapshot and
        // shorten its log, and a snapshot that is newer than the log is ordinary.
        let (promise, log, snapshot) = (read(PROMISE)?, read(LOG)?, read(SNAPSHOT)?);
        let kept = [PROMISE, LOG, SNAPSHOT].map(String::from).into_iter();
        let file = kept.chain([LOG, SNAPSHOT].map(damaged_name)).find(is_there);
        let server = identity.map(|identity| identity.address);
        // Whose files they are comes first: the files of another server are not looked at.
        let mut promise_is_lost = promise.is_none() && file.is_some();
        match promise.map(|bytes| promise::decode(&bytes)) {
            None => {}
            Some(Ok(promise)) => {
                found.check_owner(PROMISE, promise.server, server)?;
                found.standing = Some(promise.promise.standing);
                found.promise = Some(promise);
            }
            Some(Err(error)) => {
                error.refuse_other_version(PROMISE)?;
                promise_is_lost = true;
            }
        }
        // A server has a log before it promises any epoch but the first, 0.
        let has_promised = found.promise.as_ref().is_some_and(|found| found.promise.epoch > 0);
        let is_sound = found.standing == Some(Standing::Sound);
        let log_is_missing = log.is_none() && is_sound && (snapshot.is_some() || has_promised);
        if let Some(bytes) = snapshot {
            found.read_snapshot(&bytes, server)?;
        }
        if let Some(bytes) = log {
            found.read_log(&bytes, server)?;
        }
        if log_is_missing {
            found.report(LOG, 0, "it is missing");
        }
        if let Some(identity) = identity {
            found.check_servers(identity)?;
            // A program that only reads does not mind.
            if promise_is_lost {
                return Err(StorageError::PromiseLost);
            }
            if let Some(file) = file.filter(|_| identity.is_new) {
                return Err(StorageError::NotNew { file });
            }
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
                error.refuse_other_version(SNAPSHOT)?;
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
                error.refuse_other_version(LOG)?;
                self.report(LOG, 0, "the header is not that of a log");
                return Ok(());
            }
        };
        self.check_owner(LOG, owner, server)?;
        let scan = wal::scan(bytes, start);
        if let Rest::Damage(problem) = &scan.rest {
            self.report(LOG, scan.end, problem);
        }
        let snapshot = self.snapshot.as_ref().map(Snapshot::prefix).unwrap_or_default();
        let (first, covered) = (scan.before.last.order + 1, snapshot.last.order);
        if first > covered + 1 {
            let problem =
                format!("it starts with record {first}, and the snapshot ends with {covered}");
            self.report(LOG, start as u64, &problem);
        }
        let prefix = scan.prefix_at(covered);
        if prefix.is_some_and(|log| log.last == snapshot.last && log.chain != snapshot.chain) {
            let problem =
                format!("its records up to {} are not those of the snapshot", snapshot.last);
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

    /// Refuses files of a server that was started with another list of servers.
    fn check_servers(&self, identity: &Identity) -> Result<(), StorageError> {
        let given = &identity.servers;
        match &self.promise {
            Some(found) if found.promise.servers != *given => Err(StorageError::OtherServers {
                file: PROMISE.to_string(),
                known: found.promise.servers.clone(),
                given: given.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Notes that a file is corrupt. The first one that is noted is the cause.
    fn report(&mut self, file: &str, offset: u64, problem: &str) {
        let damage = Damage { file: file.to_string(), offset, problem: problem.to_string() };
        self.damage.get_or_insert(damage);
    }
}

impl HeaderError {
    /// Fails if a program with another format has written the file.
    fn refuse_other_version(self, file: &str) -> Result<(), StorageError> {
        match self {
            Self::Corrupt => Ok(()),
            Self::OtherVersion(found) => {
                let (file, known) = (file.to_string(), FORMAT_VERSION);
                Err(StorageError::OtherFormat { file, found, known })
            }
        }
    }
}

impl Damage {
    /// What is known of damage that was found at an earlier start.
    pub(super) fn of_earlier_start() -> Self {
        let problem = "found at an earlier start, and the log has not been replaced since";
        Self { file: LOG.to_string(), offset: 0, problem: problem.to_string() }
    }

    /// What is known of a server whose directory was empty, now or at an earlier start.
    pub(super) fn of_empty_directory() -> Self {
        let problem = "the directory was empty, and the log has not been replaced since";
        Self { file: LOG.to_string(), offset: 0, problem: problem.to_string() }
    }
}

impl Standing {
    /// What is wrong with a server that may not count.
    pub(super) fn damage(self) -> Option<Damage> {
        match self {
            Self::Sound => None,
            Self::LogLost => Some(Damage::of_earlier_start()),
            Self::AllLost => Some(Damage::of_empty_directory()),
        }
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
    /// The server that has written the directory.
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
    remarks.extend(found.standing.and_then(Standing::damage).map(|damage| damage.to_string()));
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
    fn files_of_another_format_are_refused() {
        let server: SocketAddr = "10.0.0.1:7001".parse().unwrap();
        let mut identity = Identity { address: server, servers: [server].into(), is_new: true };
        for (kind, file) in [(Kind::Promise, PROMISE), (Kind::Snapshot, SNAPSHOT), (Kind::Log, LOG)]
        {
            let disk = Disk::new();
            identity.is_new = true;
            drop(Storage::open(disk.clone(), &identity).unwrap());
            identity.is_new = false;
            if disk.len(file).unwrap().is_some() {
                disk.remove(file).unwrap();
            }
            disk.append(file, &header_of_version(kind, FORMAT_VERSION + 1, server)).unwrap();
            let error = Storage::open(disk.clone(), &identity).unwrap_err().to_string();
            let text = "has format version 3, and this program knows version 2 only";
            assert_eq!(error, format!("the file {file:?} {text}"));
        }
    }

    #[test]
    fn a_log_that_is_not_that_of_the_snapshot_is_damage() {
        let server: SocketAddr = "10.0.0.1:7001".parse().unwrap();
        let identity = Identity { address: server, servers: [server].into(), is_new: true };
        let log = |client: u64| -> Vec<Record> {
            let operation = crate::given::record::Operation::NoOp;
            let record = |order| Record {
                order,
                epoch: 1,
                client,
                sequence: 0,
                operation: operation.clone(),
            };
            (1..=3).map(record).collect()
        };
        let disks = [7, 8].map(|client| {
            let (disk, log) = (Disk::new(), log(client));
            let (mut storage, _) = Storage::open(disk.clone(), &identity).unwrap();
            storage.append(&log).unwrap();
            let mut table = crate::given::table::Table::default();
            log.iter().for_each(|record| table.apply(record));
            storage.save_snapshot(&Snapshot { last: log[2].version(), table }).unwrap();
            disk
        });
        let restarted = Identity { is_new: false, ..identity };
        assert_eq!(Storage::open(disks[0].clone(), &restarted).unwrap().1.damage, None);
        let others = disks[1].read(SNAPSHOT).unwrap().unwrap();
        disks[0].remove(SNAPSHOT).unwrap();
        disks[0].append(SNAPSHOT, &others).unwrap();
        let (_, found) = Storage::open(disks[0].clone(), &restarted).unwrap();
        let damage = found.damage.unwrap().to_string();
        assert!(
            damage.ends_with("its records up to 3@1 are not those of the snapshot"),
            "{damage}"
        );
    }
}
