//! Bytes of the log that are missing or wrong, at every place where they can be.

use labrpc::Disk;
use pbservice::{Record, Storage, Version};
use testkit::lab_test;

use super::{last_of, log_len, open, record, records, save, snapshot_of, try_open, with_file};

/// Six records, the last two of which are as the closures leave them; returns the disk, and where
/// in the log these two and its end are.
fn six_records(last_two: impl Fn(&mut Storage)) -> (Disk, [u64; 3]) {
    let disk = Disk::new();
    let (mut storage, _) = open(&disk);
    (1..=4).for_each(|order| save(&mut storage, &[record(order, 1)]));
    let fifth = log_len(&disk);
    storage.append(&[record(5, 1)]).expect("nothing fails here");
    let sixth = log_len(&disk);
    storage.append(&[record(6, 2)]).expect("nothing fails here");
    let end = log_len(&disk);
    last_two(&mut storage);
    (disk, [fifth, sixth, end])
}

/// The log that [`six_records`] has written.
fn log() -> Vec<Record> {
    let mut log = records(1..=5, 1);
    log.push(record(6, 2));
    log
}

/// A disk must open without damage and with the first records only; then it must work.
fn check_torn(disk: &Disk, count: usize, what: &str) {
    let (mut storage, recovered) = open(disk);
    assert_eq!(recovered.damage, None, "{what}: a crash can do this");
    assert_eq!(recovered.records, log()[..count], "{what}");
    let next = record(count as u64 + 1, 3);
    save(&mut storage, std::slice::from_ref(&next));
    let (_, recovered) = open(&disk.crash());
    assert_eq!(recovered.records.split_last(), Some((&next, &log()[..count])), "{what}, later");
}

/// A disk must open as damaged, with the place where it is, and with nothing that may be wrong.
fn check_damaged(disk: &Disk, offset: u64, what: &str) {
    let (_, recovered) = open(disk);
    let damage = recovered.damage.unwrap_or_else(|| panic!("{what}: no crash can do this"));
    assert_eq!((damage.file.as_str(), damage.offset), ("log", offset), "{what}: {damage}");
    assert!(recovered.records.is_empty(), "{what}");
    let (_, again) = open(&disk.crash());
    assert!(again.damage.is_some() && again.records.is_empty(), "{what}: a restart mends nothing");
}

/// Every flipped bit of the bytes in a range; the disks are as that flip leaves them.
fn flips(disk: &Disk, range: std::ops::Range<u64>) -> impl Iterator<Item = (Disk, u64)> {
    range.flat_map(move |offset| {
        (0..8).map(move |bit| {
            let disk = disk.copy();
            disk.flip("log", offset, 1 << bit);
            (disk, offset)
        })
    })
}

/// What was not synced may be cut off or wrong anywhere: it is cut off after the last whole record.
#[test]
fn torn_tail() {
    lab_test("torn_tail", |_| {
        let (disk, [fifth, sixth, end]) = six_records(|_| ());
        let whole = |cut: u64| 4 + usize::from(cut >= sixth) + usize::from(cut >= end);
        for cut in fifth..=end {
            check_torn(&disk.copy().crash_keeping(cut - fifth), whole(cut), "a short write");
            let cut_off = disk.copy();
            cut_off.cut("log", cut);
            check_torn(&cut_off, whole(cut), "a file cut off");
        }
        for (flipped, offset) in flips(&disk, fifth..end) {
            // The sixth may be whole: blocks are written in any order.
            check_torn(&flipped, whole(offset), &format!("byte {offset} is wrong"));
        }
        // Synced, but nothing on the disk says so yet: the same.
        let (disk, [fifth, _, end]) = six_records(|storage| storage.sync().expect("no fault"));
        for cut in fifth..=end {
            let cut_off = disk.copy();
            cut_off.cut("log", cut);
            check_torn(&cut_off, whole(cut), "a synced file cut off");
        }
        for (flipped, offset) in flips(&disk, sixth..end) {
            check_torn(&flipped, 5, &format!("byte {offset} is wrong"));
        }
    });
}

/// Whatever lies behind the torn tail, such as garbage or an older log, it is not taken for
/// records.
#[test]
fn torn_tail_with_garbage() {
    lab_test("torn_tail_with_garbage", |_| {
        let (disk, [fifth, sixth, end]) = six_records(|_| ());
        let bytes = disk.read("log").expect("no fault").expect("there is a log");
        let (before, tail) = bytes.split_at(fifth as usize);
        let with_tail = |tail: &[u8]| with_file(&disk, "log", &[before, tail].concat());
        check_torn(&with_tail(&[0; 5000]), 4, "zeros");
        check_torn(&with_tail(&[0xff; 5000]), 4, "ones");
        check_torn(&with_tail(b"any text, such as a value of a key"), 4, "text");
        check_torn(&with_tail(&[&[7], tail].concat()), 4, "the records, but one byte later");
        check_torn(&with_tail(&tail[(sixth - fifth) as usize..]), 4, "the wrong record");
        check_torn(&with_tail(&bytes), 4, "the log again");
        assert_eq!(before.len() + tail.len(), end as usize);
    });
}

/// A record that was surely synced is wrong: that is damage, and the report says where.
#[test]
fn corrupt_middle() {
    lab_test("corrupt_middle", |_| {
        let disk = Disk::new();
        let (mut storage, _) = open(&disk);
        save(&mut storage, &records(1..=2, 1));
        let start = log_len(&disk);
        save(&mut storage, &[record(3, 1)]);
        let end = log_len(&disk);
        (4..=5).for_each(|order| save(&mut storage, &[record(order, 1)]));
        for (flipped, offset) in flips(&disk, start..end) {
            check_damaged(&flipped, start, &format!("byte {offset} is wrong"));
        }
        for (middle, rest) in (start..end).map(|cut| (cut, end)) {
            // Bytes are overwritten up to the record's end.
            let mut bytes = disk.read("log").expect("no fault").expect("there is a log");
            bytes[middle as usize..rest as usize].fill(0);
            check_damaged(&with_file(&disk, "log", &bytes), start, "zeros in the middle");
        }
    });
}

/// A mark that is written later protects the last record as well.
#[test]
fn corrupt_end() {
    lab_test("corrupt_end", |_| {
        let (disk, [fifth, sixth, end]) = six_records(|storage| {
            storage.sync().expect("no fault");
            storage.mark_committed(6);
            storage.write_mark().expect("no fault");
        });
        for (flipped, offset) in flips(&disk, fifth..end) {
            let bad = if offset < sixth { fifth } else { sixth };
            check_damaged(&flipped, bad, &format!("byte {offset} is wrong"));
        }
    });
}

/// Any bit of any file may be wrong: nothing panics, and what is found is right or reported.
#[test]
fn corrupt_anything() {
    lab_test("corrupt_anything", |_| {
        let disk = Disk::new();
        let (mut storage, _) = open(&disk);
        storage.save_promise(2).expect("no fault");
        save(&mut storage, &log());
        storage.mark_committed(4);
        // The second snapshot drops what is in the first one.
        storage.save_snapshot(&snapshot_of(&log()[..2])).expect("no fault");
        storage.save_snapshot(&snapshot_of(&log()[..4])).expect("no fault");
        save(&mut storage, &[record(7, 2)]);
        for file in disk.list().expect("no fault") {
            let bytes = disk.read(&file).expect("no fault").expect("it is listed");
            for offset in 0..bytes.len() as u64 {
                let flipped = disk.copy();
                flipped.flip(&file, offset, 0x10);
                check_nothing_wrong(&flipped, &format!("byte {offset} of {file} is wrong"));
                let cut = disk.copy();
                cut.cut(&file, offset);
                check_nothing_wrong(&cut, &format!("{file} ends at byte {offset}"));
            }
        }
    });
}

/// What is found on this disk must be part of what was written, or be reported, or be refused.
fn check_nothing_wrong(disk: &Disk, what: &str) {
    let Ok((_, recovered)) = try_open(disk) else { return };
    assert_eq!(recovered.promise, 2, "{what}");
    let mut log = log();
    log.push(record(7, 2));
    let known = recovered.snapshot.last.order as usize;
    assert_eq!(recovered.snapshot, snapshot_of(&log[..known]), "{what}");
    let end = known + recovered.records.len();
    assert_eq!(recovered.records, log[known..end], "{what}");
    assert!(recovered.damage.is_some() || known == 4, "{what}: there was a snapshot");
}

/// A log that is damaged stays so, whatever happens, until the primary has replaced it.
#[test]
fn damage_lasts_until_repaired() {
    lab_test("damage_lasts_until_repaired", |_| {
        let (disk, [fifth, ..]) = six_records(|storage| {
            storage.sync().expect("no fault");
            storage.mark_committed(6);
            storage.write_mark().expect("no fault");
        });
        disk.flip("log", fifth, 1);
        let restart = |disk: &Disk| {
            let disk = disk.crash();
            let (storage, recovered) = open(&disk);
            assert!(recovered.damage.is_some());
            (disk, storage, recovered)
        };
        let (disk, mut storage, found) = restart(&disk);
        assert_eq!(last_of(&found), Version::default());
        storage.install_snapshot(&snapshot_of(&log()[..3])).expect("no fault");
        let (disk, mut storage, recovered) = restart(&disk);
        assert_eq!(recovered.snapshot, snapshot_of(&log()[..3]));
        storage.append(&log()[3..]).expect("no fault");
        storage.declare_repaired().expect("no fault");
        let (_, recovered) = open(&disk.crash());
        assert_eq!((recovered.damage, recovered.records), (None, log()[3..].to_vec()));
    });
}
