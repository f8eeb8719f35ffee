//! What a server has on its disk, without the server: whatever was acknowledged is found again, and
//! what is found is right.
//!
//! The storage is given, so these tests have no points and are not part of the handout. The bugs in
//! `tests/storage/bugs` are mistakes in it that no grading test sees. Each must make one of these
//! tests fail:
//!
//! ```sh
//! git apply pbservice/tests/storage/bugs/NAME.patch
//! cargo test -p pbservice --test storage
//! git apply -R pbservice/tests/storage/bugs/NAME.patch
//! ```

mod corruption;
mod crashes;
mod log_table;
mod recovery;
mod script;

use std::net::SocketAddr;

use labrpc::Disk;
use pbservice::{
    Identity, Operation, Record, Recovered, Snapshot, Storage, StorageError, Table, Version,
};

/// The server whose disk it is.
fn address() -> SocketAddr {
    "10.0.0.1:7001".parse().expect("an address")
}

/// A server that is alone. It is new if it was never started on this disk before.
fn server_of(disk: &Disk) -> Identity {
    let is_new = disk.len("promise").expect("nothing fails here").is_none();
    Identity { address: address(), servers: [address()].into(), is_new }
}

/// Opens a disk, unless it is refused.
fn try_open(disk: &Disk) -> Result<(Storage, Recovered), StorageError> {
    Storage::open(disk.clone(), &server_of(disk))
}

/// Opens a disk, which must not be refused.
fn open(disk: &Disk) -> (Storage, Recovered) {
    try_open(disk).unwrap_or_else(|error| panic!("{error}"))
}

/// A record, all of whose fields follow from its place.
fn record(order: u64, epoch: u64) -> Record {
    let key = format!("key {}", order % 3);
    let operation = match order % 4 {
        0 => Operation::NoOp,
        1 => Operation::Put { key, value: format!("value {order} of epoch {epoch}") },
        _ => Operation::Append { key, value: format!(" and {order}") },
    };
    Record { order, epoch, client: order % 2, sequence: order, operation }
}

/// These records of one epoch.
fn records(orders: std::ops::RangeInclusive<u64>, epoch: u64) -> Vec<Record> {
    orders.map(|order| record(order, epoch)).collect()
}

/// The table after these records, and its place.
fn snapshot_of(log: &[Record]) -> Snapshot {
    let mut table = Table::default();
    log.iter().for_each(|record| table.apply(record));
    Snapshot { last: log.last().map(Record::version).unwrap_or_default(), table }
}

/// Appends records and syncs them.
fn save(storage: &mut Storage, records: &[Record]) {
    storage.append(records).expect("nothing fails here");
    storage.sync().expect("nothing fails here");
}

/// The version of a log that was found on a disk.
fn last_of(found: &Recovered) -> Version {
    found.records.last().map_or(found.snapshot.last, Record::version)
}

/// The length of the log file.
fn log_len(disk: &Disk) -> u64 {
    disk.len("log").expect("nothing fails here").expect("there is a log")
}

/// The disk with other bytes in one of its files.
fn with_file(disk: &Disk, file: &str, bytes: &[u8]) -> Disk {
    let disk = disk.copy();
    disk.truncate(file, 0).expect("nothing fails here");
    disk.append(file, bytes).expect("nothing fails here");
    disk
}
