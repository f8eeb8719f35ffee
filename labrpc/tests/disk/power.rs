//! What a power failure leaves of a simulated disk.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::time::Duration;

use labrpc::{Disk, Instant, Node, SYNC_TIME, rng, sleep};
use rand::RngExt;

use crate::{disk_with, log, under_seeds};

#[test]
fn what_was_synced_survives() {
    for left in under_seeds(100, || log(&disk_with(b"synced", b" and not").crash())) {
        assert!(left.starts_with(b"synced") && left.len() <= b"synced and not".len());
    }
}

/// All lengths of the rest occur, and garbage does.
#[test]
fn of_the_rest_any_prefix_may_survive() {
    let left = under_seeds(300, || log(&disk_with(b"s", b"abcd").crash()));
    let lengths: BTreeSet<usize> =
        left.iter().filter(|left| b"sabcd".starts_with(left)).map(Vec::len).collect();
    assert_eq!(lengths, (1..=5).collect());
    assert!(left.iter().any(|left| !b"sabcd".starts_with(left)), "garbage");
}

#[test]
fn a_file_never_synced_may_be_gone() {
    let outcomes = under_seeds(100, || {
        let disk = Disk::new();
        disk.append("log", b"x").unwrap();
        disk.crash().read("log").unwrap()
    });
    assert!(outcomes.contains(&None) && outcomes.contains(&Some(b"x".to_vec())));
}

#[test]
fn a_truncation_counts_when_it_is_synced() {
    let left: BTreeSet<usize> = under_seeds(100, || {
        let disk = disk_with(b"one two", b"");
        disk.truncate("log", 3).unwrap();
        log(&disk.crash()).len()
    })
    .into_iter()
    .collect();
    assert_eq!(left, [3, 7].into());
    let left = under_seeds(50, || {
        let disk = disk_with(b"one two", b"");
        disk.truncate("log", 3).unwrap();
        disk.sync("log").unwrap();
        log(&disk.crash())
    });
    assert!(left.iter().all(|left| left == b"one"));
}

#[test]
fn names_survive_but_not_what_was_not_synced() {
    let left = under_seeds(100, || {
        let disk = disk_with(b"old", b"");
        disk.append("new", b"fresh").unwrap();
        disk.rename("new", "log").unwrap();
        let disk = disk.crash();
        assert_eq!(disk.list().unwrap(), ["log"]);
        log(&disk)
    });
    assert!(left.iter().all(|left| left != b"old"));
    assert!(left.iter().any(|left| left == b"fresh") && left.iter().any(|left| left.is_empty()));
}

#[test]
fn what_was_removed_stays_so() {
    under_seeds(20, || {
        let disk = disk_with(b"old", b"");
        disk.remove("log").unwrap();
        assert_eq!(disk.crash().read("log").unwrap(), None);
    });
}

/// A crash in the middle of a rename: one or the other, never both and never neither.
#[test]
fn a_rename_happens_or_not() {
    let left: BTreeSet<Vec<u8>> = under_seeds(50, || {
        let disk = disk_with(b"old", b"");
        disk.append("new", b"fresh").unwrap();
        disk.sync("new").unwrap();
        let (node, theirs) = (Node::new("S0"), disk.clone());
        node.spawn(move || theirs.rename("new", "log"));
        sleep(SYNC_TIME.mul_f64(f64::from(rng().random_range(10..90_u32)) / 100.0));
        node.crash();
        log(&disk.crash())
    })
    .into_iter()
    .collect();
    assert_eq!(left, [b"fresh".to_vec(), b"old".to_vec()].into());
}

#[test]
fn a_sync_saves_what_was_there_when_it_began() {
    let left = under_seeds(50, || {
        let disk = disk_with(b"", b"first ");
        let (node, theirs) = (Node::new("S0"), disk.clone());
        let sync = node.spawn(move || theirs.sync("log"));
        sleep(SYNC_TIME / 4);
        disk.append("log", b"second").unwrap();
        sync.join().unwrap().unwrap();
        log(&disk.crash())
    });
    assert!(left.iter().all(|left| left.starts_with(b"first ")));
    assert!(left.iter().any(|left| left == b"first "));
}

#[test]
fn handles_of_the_dead_reach_nothing() {
    under_seeds(5, || {
        let old = disk_with(b"one", b"");
        let new = old.crash();
        for result in [old.append("log", b"x"), old.sync("log"), old.remove("log")] {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::BrokenPipe);
        }
        assert!(old.read("log").is_err() && old.list().is_err());
        assert_eq!(log(&new), b"one");
    });
}

#[test]
fn a_dead_task_writes_nothing() {
    /// Writes when it is dropped.
    struct LastWords(Disk);
    impl Drop for LastWords {
        fn drop(&mut self) {
            assert!(self.0.append("log", b"x").is_err());
        }
    }
    under_seeds(5, || {
        let disk = disk_with(b"one", b"");
        let (node, words) = (Node::new("S0"), LastWords(disk.clone()));
        node.spawn(move || {
            let _words = words;
            sleep(Duration::from_secs(9));
        });
        sleep(SYNC_TIME);
        node.crash();
        assert_eq!(log(&disk), b"one");
    });
}

/// A process that is killed on a machine that stays up loses nothing, but saves nothing either.
#[test]
fn a_copy_has_everything_and_is_another_disk() {
    let left = under_seeds(50, || {
        let old = disk_with(b"one", b" two");
        let new = old.copy();
        old.append("log", b" zombie").unwrap();
        assert_eq!(log(&new), b"one two");
        log(&new.crash())
    });
    assert!(left.iter().any(|left| left == b"one"));
}

#[test]
fn a_test_can_choose_how_much_survives() {
    under_seeds(1, || {
        for keep in 0..9 {
            let left = log(&disk_with(b"one", b" two").crash_keeping(keep));
            assert_eq!(left, &b"one two"[..(3 + keep as usize).min(7)]);
        }
        let disk = Disk::new();
        disk.append("log", b"x").unwrap();
        assert_eq!(disk.crash_keeping(0).read("log").unwrap(), None);
    });
}

#[test]
fn durable_operations_take_time_and_others_none() {
    under_seeds(1, || {
        let disk = Disk::new();
        let timed = |f: &dyn Fn()| {
            let begin = Instant::now();
            f();
            begin.elapsed()
        };
        let moment = SYNC_TIME / 100;
        assert!(timed(&|| disk.append("log", &[1; 1_000_000]).unwrap()) < moment);
        for durable in [
            timed(&|| disk.sync("log").unwrap()),
            timed(&|| disk.rename("log", "old").unwrap()),
            timed(&|| disk.remove("old").unwrap()),
        ] {
            assert!(durable >= SYNC_TIME && durable < SYNC_TIME + moment, "{durable:?}");
        }
    });
}

#[test]
fn the_seed_decides_what_survives() {
    let program = || {
        let disk = disk_with(b"", &[7; 1000]);
        (log(&disk.crash()), disk.operations())
    };
    assert_eq!(under_seeds(20, program), under_seeds(20, program));
    // Outside a simulation there is no seed, and it is the same every time.
    let outside = || log(&disk_with(b"", &[7; 1000]).crash());
    assert_eq!(outside(), outside());
}
