//! What a disk promises, one claim per test: both kinds of disk, then power failures, then faults.

mod both;
mod faults;
mod power;

use labrpc::{Disk, Simulation};

/// Runs `body` under many seeds, in none of which it may fail; returns what it returned.
fn under_seeds<T: Send + 'static>(seeds: u64, body: fn() -> T) -> Vec<T> {
    let run = |seed| Simulation::new(seed).run(body);
    (0..seeds).map(|seed| run(seed).result.unwrap_or_else(|failure| panic!("{failure}"))).collect()
}

/// What is in the file `log`, which must be there.
fn log(disk: &Disk) -> Vec<u8> {
    disk.read("log").expect("nothing fails here").expect("there is a log")
}

/// A disk with a log of which `synced` was synced and `unsynced` was not.
fn disk_with(synced: &[u8], unsynced: &[u8]) -> Disk {
    let disk = Disk::new();
    disk.append("log", synced).expect("nothing fails here");
    disk.sync("log").expect("nothing fails here");
    disk.append("log", unsynced).expect("nothing fails here");
    disk
}
