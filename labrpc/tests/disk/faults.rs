//! Failures on demand.

use std::collections::BTreeSet;
use std::io;
use std::io::ErrorKind;

use labrpc::{Disk, FaultDuration};

use crate::{disk_with, log, under_seeds};

/// Does one operation of each kind that counts; returns which succeeded.
fn one_of_each(disk: &Disk) -> Vec<bool> {
    let results: Vec<io::Result<()>> = vec![
        disk.append("a", b"one"),
        disk.sync("a"),
        disk.truncate("a", 1),
        disk.append("b", b"two"),
        disk.rename("b", "c"),
        disk.append("d", b"three"),
        disk.remove("d"),
    ];
    results.iter().map(Result::is_ok).collect()
}

#[test]
fn every_operation_that_changes_the_disk_counts() {
    under_seeds(1, || {
        let disk = Disk::new();
        assert_eq!(one_of_each(&disk), [true; 7]);
        disk.read("a").unwrap();
        disk.list().unwrap();
        disk.len("a").unwrap();
        assert_eq!(disk.operations(), 7);
    });
}

#[test]
fn a_fault_strikes_once_or_for_good() {
    under_seeds(5, || {
        for k in 1..=7 {
            let disk = Disk::new();
            disk.fail_at(k, FaultDuration::FromThenOn);
            let expected: Vec<bool> = (1..=7).map(|i| i < k).collect();
            assert_eq!(one_of_each(&disk), expected);
            assert_eq!(disk.operations(), 7);
        }
        let disk = Disk::new();
        disk.fail_at(2, FaultDuration::Once);
        assert_eq!(one_of_each(&disk), [true, false, true, true, true, true, true]);
        assert_eq!(one_of_each(&disk.copy()), [true; 7], "a copy has no faults");
    });
}

#[test]
fn an_append_that_fails_may_be_short() {
    let left: BTreeSet<usize> = under_seeds(100, || {
        let disk = disk_with(b"one", b"");
        disk.fail_at(disk.operations() + 1, FaultDuration::Once);
        disk.append("log", b"two").unwrap_err();
        assert!(b"onetwo".starts_with(&log(&disk)));
        log(&disk).len()
    })
    .into_iter()
    .collect();
    assert_eq!(left, (3..=6).collect());
}

/// After a sync that failed, what it has not saved can be read, and is never saved.
#[test]
fn a_second_sync_does_not_mend_the_first() {
    let left = under_seeds(100, || {
        let disk = disk_with(b"one", b" two");
        disk.fail_at(disk.operations() + 1, FaultDuration::Once);
        disk.sync("log").unwrap_err();
        disk.sync("log").unwrap();
        assert_eq!(log(&disk), b"one two");
        // Another process finds the same.
        let disk = disk.copy();
        disk.sync("log").unwrap();
        log(&disk.crash())
    });
    assert!(left.iter().any(|left| left == b"one"), "lost");
    assert!(left.iter().any(|left| left == b"one two"), "not lost");
}

#[test]
fn what_follows_lost_data_has_a_hole_before_it() {
    let left = under_seeds(50, || {
        let disk = disk_with(b"one", b" two");
        disk.fail_at(disk.operations() + 1, FaultDuration::Once);
        disk.sync("log").unwrap_err();
        disk.append("log", b" three").unwrap();
        disk.sync("log").unwrap();
        log(&disk.crash())
    });
    assert!(left.iter().any(|left| left == b"one\0\0\0\0 three"));
}

#[test]
fn a_full_disk_takes_what_fits() {
    under_seeds(1, || {
        let disk = disk_with(b"one", b"");
        disk.set_capacity(5);
        let error = disk.append("log", b"two").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        assert_eq!(log(&disk), b"onetw");
        disk.truncate("log", 1).unwrap();
        disk.append("log", b"four").unwrap();
        assert!(disk.append("other", b"x").is_err(), "files share the room");
    });
}

#[test]
fn a_test_can_corrupt_what_is_synced() {
    under_seeds(1, || {
        let disk = disk_with(b"one two", b"");
        disk.flip("log", 1, 0x01);
        disk.flip("log", 700, 0xff);
        assert_eq!(log(&disk), b"ooe two");
        disk.cut("log", 2);
        assert_eq!(log(&disk), b"oo");
        assert_eq!(log(&disk.crash()), b"oo");
    });
}

#[test]
#[should_panic(expected = "only a simulated disk")]
fn a_real_disk_cannot_be_made_to_fail() {
    let directory = tempfile::tempdir().unwrap();
    Disk::at(directory.path()).unwrap().fail_at(1, FaultDuration::Once);
}
