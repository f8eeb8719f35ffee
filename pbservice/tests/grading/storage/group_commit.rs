//! Many tasks share one sync, and none of them is told too early.

use std::sync::Arc;
use std::time::Duration;

use labrpc::{Disk, Instant, Mutex, SYNC_TIME, sleep, spawn};
use pbservice::Storage;
use testkit::lab_test;

use super::{open, record, records, save, snapshot_of};

/// Appends a record, in the order in which the lock is got, and syncs it without the lock. Returns
/// its order.
fn put(storage: &Storage, server: &Mutex<u64>) -> u64 {
    let mut last = server.lock();
    *last += 1;
    let order = *last;
    storage.append(&[record(order, 1)]).expect("nothing fails here");
    drop(last);
    storage.sync().expect("nothing fails here");
    order
}

/// A hundred clients at once take the time of a few syncs, not of a hundred.
#[test]
fn group_commit() {
    lab_test("group_commit", |_| {
        let disk = Disk::new();
        let (storage, _) = open(&disk);
        let server = Arc::new(Mutex::new(0));
        let (begin, before) = (Instant::now(), disk.operations());
        let clients: Vec<_> = (0..100)
            .map(|_| {
                let (storage, server) = (storage.clone(), Arc::clone(&server));
                spawn(move || put(&storage, &server))
            })
            .collect();
        for client in clients {
            client.join().expect("nobody dies");
        }
        let syncs = disk.operations() - before - 100;
        assert!(syncs <= 10, "{syncs} syncs for 100 records");
        assert!(begin.elapsed() < 20 * SYNC_TIME, "it took {:?}", begin.elapsed());
        let (_, recovered) = open(&disk.crash());
        assert_eq!(recovered.records, records(1..=100, 1));
    });
}

/// A client that was told that its record is durable finds it, whenever the power fails; also while
/// the log is being replaced by a shorter one.
#[test]
fn nobody_is_told_too_early() {
    lab_test("nobody_is_told_too_early", |_| {
        let disk = Disk::new();
        let (storage, _) = open(&disk);
        storage.keep_records(2);
        save(&storage, &records(1..=3, 1));
        let server = Arc::new(Mutex::new(3));
        let told = Arc::new(Mutex::new(0));
        for _ in 0..5 {
            let (storage, disk) = (storage.clone(), disk.clone());
            let (server, told) = (Arc::clone(&server), Arc::clone(&told));
            spawn(move || {
                loop {
                    let order = put(&storage, &server);
                    *told.lock() += 1;
                    check_crash_now(&disk, order);
                }
            });
        }
        let snapshots = storage.clone();
        spawn(move || {
            loop {
                let last = snapshots.last().order;
                snapshots.save_snapshot(&snapshot_of(&records(1..=last, 1))).expect("no fault");
                sleep(Duration::from_micros(100));
            }
        });
        sleep(100 * SYNC_TIME);
        assert!(*told.lock() > 50, "{}", told.lock());
    });
}

/// Looks at what a crash at this moment would leave, though nothing crashes: there are at least so
/// many records, and all are right.
fn check_crash_now(disk: &Disk, at_least: u64) {
    let (_, recovered) = open(&disk.copy().crash());
    let first = recovered.snapshot.last.order;
    let last = first + recovered.records.len() as u64;
    assert!(last >= at_least, "{last} of {at_least} records");
    let all = records(1..=last, 1);
    assert_eq!(recovered.snapshot, snapshot_of(&all[..first as usize]));
    assert_eq!(recovered.records, all[first as usize..]);
}
