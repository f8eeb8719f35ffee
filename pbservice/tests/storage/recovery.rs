//! What a server that restarts finds.

use labrpc::Disk;
use pbservice::{Identity, Recovered, Snapshot, Storage, StorageError, Version};
use testkit::lab_test;

use super::{last_of, log_len, open, record, records, save, server_of, snapshot_of};

/// Calls `body` with a simulated disk, and with one in a real directory.
fn on_both(body: impl Fn(&Disk)) {
    body(&Disk::new());
    let directory = tempfile::tempdir().expect("there is room for a directory");
    body(&Disk::at(directory.path()).expect("it can be opened"));
}

/// Everything that was saved is found, again and again.
#[test]
fn recovery_equality() {
    lab_test("recovery_equality", |_| {
        on_both(|disk| {
            let (mut storage, found) = open(disk);
            assert_eq!(found, Recovered::default());
            storage.save_promise(4).expect("no fault");
            storage.save_promise(3).expect("no fault");
            save(&mut storage, &records(1..=10, 2));
            save(&mut storage, &records(11..=20, 4));
            storage.mark_committed(15);
            storage.save_snapshot(&snapshot_of(&records(1..=8, 2))).expect("no fault");
            storage.save_snapshot(&snapshot_of(&records(1..=10, 2))).expect("no fault");
            storage.truncate_from(19).expect("no fault");
            save(&mut storage, &[record(19, 5)]);
            let mut expected = records(11..=18, 4);
            expected.push(record(19, 5));
            for _ in 0..3 {
                let (_, found) = open(disk);
                assert_eq!((found.promise, found.committed), (4, 15));
                assert_eq!(found.snapshot, snapshot_of(&records(1..=10, 2)));
                assert_eq!(last_of(&found), Version { epoch: 5, order: 19 });
                assert_eq!((found.records, found.damage), (expected.clone(), None));
            }
        });
    });
}

/// The log keeps some records from before the snapshot, for those who lack only them.
#[test]
fn records_for_catching_up() {
    lab_test("records_for_catching_up", |_| {
        on_both(|disk| {
            let (mut storage, _) = open(disk);
            save(&mut storage, &records(1..=10, 1));
            storage.save_snapshot(&snapshot_of(&records(1..=5, 1))).expect("no fault");
            assert_eq!(open(&disk.clone()).1.kept, records(1..=5, 1));
            let long = log_len(disk);
            storage.save_snapshot(&snapshot_of(&records(1..=8, 1))).expect("no fault");
            assert!(log_len(disk) < long, "the log has become shorter");
            for _ in 0..2 {
                let (_, found) = open(disk);
                assert_eq!(found.before, Version { epoch: 1, order: 5 });
                assert_eq!(found.kept, records(6..=8, 1));
                assert_eq!(found.records, records(9..=10, 1));
                assert_eq!(found.snapshot, snapshot_of(&records(1..=8, 1)));
            }
        });
    });
}

/// A snapshot from the primary replaces a log that does not lead to it, and only such a log.
#[test]
fn installed_snapshots() {
    lab_test("installed_snapshots", |_| {
        on_both(|disk| {
            let (mut storage, _) = open(disk);
            save(&mut storage, &records(1..=5, 1));
            let mut install = |snapshot: &Snapshot| {
                storage.install_snapshot(snapshot).expect("no fault");
                let (_, found) = open(&disk.clone());
                (last_of(&found), found.snapshot.last.order, found.records.len())
            };
            let at = |order, epoch| Version { epoch, order };
            // Contained: what follows it stays.
            let snapshot = snapshot_of(&records(1..=3, 1));
            assert_eq!(install(&snapshot), (at(5, 1), 3, 2));
            // Older than what we have.
            assert_eq!(install(&snapshot_of(&records(1..=2, 1))), (at(5, 1), 3, 2));
            // Of another history: ours from there on was never acknowledged.
            let mut theirs = records(1..=3, 1);
            theirs.push(record(4, 2));
            assert_eq!(install(&snapshot_of(&theirs)), (at(4, 2), 4, 0));
            // Far ahead.
            assert_eq!(install(&snapshot_of(&records(1..=100, 3))), (at(100, 3), 100, 0));
            save(&mut storage, &[record(101, 3)]);
            assert_eq!(open(disk).1.records, [record(101, 3)]);
        });
    });
}

/// A directory of another server is refused, in one line, and left as it is.
#[test]
fn directory_of_another_server() {
    lab_test("directory_of_another_server", |_| {
        on_both(|disk| {
            let (mut storage, _) = open(disk);
            save(&mut storage, &records(1..=3, 1));
            storage.save_snapshot(&snapshot_of(&records(1..=3, 1))).expect("no fault");
            let contents = |disk: &Disk| {
                let names = disk.list().expect("no fault");
                names.iter().map(|name| disk.read(name).expect("no fault")).collect::<Vec<_>>()
            };
            let before = contents(disk);
            let address = "10.0.0.2:7001".parse().expect("an address");
            let other = Identity { address, ..server_of(disk) };
            let error = Storage::open(disk.clone(), &other).expect_err("it is another server's");
            assert!(matches!(error, StorageError::OtherServer { .. }));
            let text =
                "the file \"promise\" belongs to the server 10.0.0.1:7001, not to 10.0.0.2:7001";
            assert_eq!(error.to_string(), text);
            assert_eq!(contents(disk), before);
        });
    });
}

/// A server that has lost its promise, but not its log, must not vote.
#[test]
fn lost_promise() {
    lab_test("lost_promise", |_| {
        on_both(|disk| {
            drop(open(disk));
            disk.remove("promise").expect("no fault");
            let restarted = Identity { is_new: false, ..server_of(disk) };
            let error = Storage::open(disk.clone(), &restarted).expect_err("the promise is lost");
            assert_eq!(error, StorageError::PromiseLost);
        });
    });
}

/// A log that somebody has removed is reported; what was in the snapshot is there.
#[test]
fn lost_log() {
    lab_test("lost_log", |_| {
        on_both(|disk| {
            let (mut storage, _) = open(disk);
            save(&mut storage, &records(1..=3, 1));
            storage.save_snapshot(&snapshot_of(&records(1..=2, 1))).expect("no fault");
            disk.remove("log").expect("no fault");
            let (_, found) = open(disk);
            let damage = found.damage.expect("the log is missing");
            assert_eq!(damage.to_string(), "the file \"log\" is corrupt at byte 0: it is missing");
            assert_eq!(found.snapshot, snapshot_of(&records(1..=2, 1)));
            let (_, again) = open(disk);
            assert!(again.damage.is_some(), "a restart repairs nothing");
        });
    });
}

/// The same before the first snapshot: a server that has promised an epoch had a log.
#[test]
fn lost_log_without_snapshot() {
    lab_test("lost_log_without_snapshot", |_| {
        on_both(|disk| {
            let (mut storage, _) = open(disk);
            storage.save_promise(1).expect("no fault");
            save(&mut storage, &records(1..=3, 1));
            disk.remove("log").expect("no fault");
            for _ in 0..2 {
                let (_, found) = open(disk);
                assert!(found.damage.is_some(), "the log is missing");
            }
        });
    });
}
