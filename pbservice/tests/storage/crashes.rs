//! Crashes at every point of everything that a storage does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use labrpc::{Disk, FaultDuration, Node, rng, sleep};
use pbservice::StorageError;
use rand::RngExt as _;
use testkit::lab_test;

use super::script::{EVERYTHING, Model, Step};
use super::{open, try_open};

/// Does steps until one fails; returns what is known then.
fn run(disk: &Disk, steps: &[Step]) -> (Model, Result<(), StorageError>) {
    let mut model = Model::default();
    let result = try_open(disk).and_then(|(mut storage, _)| {
        steps.iter().try_for_each(|step| model.step(&mut storage, *step))
    });
    (model, result)
}

/// How many operations of the disk the whole script takes.
fn operations() -> u64 {
    let disk = Disk::new();
    let (_, result) = run(&disk, &EVERYTHING);
    result.unwrap_or_else(|error| panic!("nothing fails here: {error}"));
    disk.operations()
}

/// Opens a disk, checks what is there, and goes on with it.
fn check_and_use(disk: &Disk, mut model: Model, when: &str) {
    let (mut storage, found) = open(disk);
    model.check(&found, when);
    model.go_on(&found);
    let more = [Step::Append(2, model.epoch()), Step::Sync, Step::Append(1, model.epoch())];
    for step in more {
        model.step(&mut storage, step).unwrap_or_else(|error| panic!("{when}: {error}"));
    }
    let (_, found) = open(&disk.crash());
    model.check(&found, &format!("{when}, later"));
}

/// What was acknowledged is there, whichever write or sync it was that the power failed at.
#[test]
fn storage_crash_at_every_write() {
    lab_test("storage_crash_at_every_write", |_| {
        for k in 1..=operations() {
            let disk = Disk::new();
            disk.fail_at(k, FaultDuration::FromThenOn);
            let (model, result) = run(&disk, &EVERYTHING);
            assert!(result.is_err(), "operation {k} fails");
            check_and_use(&disk.crash(), model, &format!("after operation {k} of the disk"));
        }
    });
}

/// The power also fails while the server recovers, at every write of that, and nothing is lost.
#[test]
fn storage_crash_during_recovery() {
    lab_test("storage_crash_during_recovery", |_| {
        for k in 1..=operations() {
            let disk = Disk::new();
            disk.fail_at(k, FaultDuration::FromThenOn);
            let (model, _) = run(&disk, &EVERYTHING);
            let mut disk = disk.crash();
            let mut again = 1;
            loop {
                disk.fail_at(again, FaultDuration::FromThenOn);
                let opened = try_open(&disk);
                disk = disk.crash();
                if opened.is_ok() {
                    break;
                }
                again += 1;
            }
            check_and_use(&disk, model, &format!("after operation {k}, and {again} of recovery"));
        }
    });
}

/// One write or sync fails, and the disk works again: the storage acknowledges nothing any more,
/// and the process that is started next believes nothing that is only in the system's memory.
#[test]
fn storage_failure_at_every_write() {
    lab_test("storage_failure_at_every_write", |_| {
        for k in 1..=operations() {
            let disk = Disk::new();
            let Ok((mut storage, _)) = try_open(&disk) else { continue };
            disk.fail_at(disk.operations() + k, FaultDuration::Once);
            let mut model = Model::default();
            if EVERYTHING.iter().try_for_each(|step| model.step(&mut storage, *step)).is_ok() {
                continue; // The script was over before.
            }
            assert!(storage.sync().is_err() && storage.write_mark().is_err());
            assert!(storage.append(&[]).is_err() && storage.save_promise(99).is_err());
            let when = format!("after operation {k} failed");
            // No power failure: the next process finds what this one could read.
            let disk = disk.copy();
            let (_, found) = open(&disk);
            model.check(&found, &when);
            model.go_on(&found);
            check_and_use(&disk.crash(), model, &format!("{when}, and the power later"));
        }
    });
}

/// A disk that fills up, wherever that is, loses nothing that was acknowledged.
#[test]
fn storage_on_a_full_disk() {
    lab_test("storage_on_a_full_disk", |_| {
        let mut capacity = 0;
        loop {
            let disk = Disk::new();
            disk.set_capacity(capacity);
            let (model, result) = run(&disk, &EVERYTHING);
            if result.is_ok() {
                break;
            }
            check_and_use(&disk.crash(), model, &format!("with room for {capacity} bytes"));
            capacity += 97;
        }
        assert!(capacity > 8_192, "the promise alone takes two blocks while it is replaced");
    });
}

/// What was acknowledged is there, at whatever moment the node crashes, again and again, in the
/// middle of a sync or a rename too.
#[test]
fn storage_crash_at_any_time() {
    lab_test("storage_crash_at_any_time", |sim| {
        if sim.is_real() {
            return; // Nothing crashes there.
        }
        let mut disk = Disk::new();
        let mut known = Model::default();
        for round in 0..30 {
            let node = Node::new("S0");
            // Written before and after each step; no other task looks before the node is dead.
            let shared = Arc::new(Mutex::new(known.clone()));
            let (theirs, mine) = (disk.clone(), Arc::clone(&shared));
            node.spawn(move || {
                let (mut storage, _) = open(&theirs);
                let keep = |model: &Model| mine.lock().expect("nobody panics").clone_from(model);
                let mut model = mine.lock().expect("nobody panics").clone();
                loop {
                    let step = model.draw();
                    let mut after = model.clone();
                    after.begin(step);
                    keep(&after);
                    model.step(&mut storage, step).unwrap_or_else(|error| panic!("{error}"));
                    keep(&model);
                }
            });
            sleep(Duration::from_micros(rng().random_range(0..60_000)));
            node.crash();
            disk = disk.crash();
            known = shared.lock().expect("nobody panics").clone();
            let (_, found) = open(&disk);
            known.check(&found, &format!("in round {round}"));
            known.go_on(&found);
        }
    });
}
