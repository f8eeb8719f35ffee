//! What a disk promises, one claim per test: both kinds of disk, then power failures, then faults.

#![expect(clippy::unwrap_used, reason = "helpers of tests, in a crate of its own")]

mod both;
mod faults;
mod power;

use labrpc::{Disk, Simulation};

/// Runs `body` under many seeds, in none of which it may fail; returns what it returned.
fn under_seeds<T: Send + 'static>(seeds: u64, body: fn() -> T) -> Vec<T> {
    let run = |seed| match Simulation::new(seed).run(body).result {
        Ok(result) => result,
        Err(failure) => panic!("{failure}"),
    };
    (0..seeds).map(run).collect()
}

/// What is in the file `log`, which must be there.
fn log(disk: &Disk) -> Vec<u8> {
    disk.read("log").unwrap().expect("there is a log")
}

/// A disk with a log of which `synced` was synced and `unsynced` was not.
fn disk_with(synced: &[u8], unsynced: &[u8]) -> Disk {
    let disk = Disk::new();
    disk.append("log", synced).unwrap();
    disk.sync("log").unwrap();
    disk.append("log", unsynced).unwrap();
    disk
}
