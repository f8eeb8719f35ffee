//! What holds on simulated disks and on real ones.

use std::io::ErrorKind;

use labrpc::{Disk, run};

/// Calls `body` with a simulated disk in a simulation, with one outside, and with a real directory.
fn on_both(body: fn(&Disk)) {
    run(move || body(&Disk::new()));
    body(&Disk::new());
    let directory = tempfile::tempdir().expect("nothing fails here");
    body(&Disk::at(directory.path().join("not").join("there")).expect("nothing fails here"));
}

#[test]
fn what_is_written_can_be_read_at_once() {
    on_both(|disk| {
        assert_eq!(disk.read("log").unwrap(), None);
        assert_eq!(disk.len("log").unwrap(), None);
        disk.append("log", b"one").unwrap();
        disk.append("log", b"").unwrap();
        disk.clone().append("log", b" two").unwrap();
        assert_eq!(disk.read("log").unwrap().unwrap(), b"one two");
        disk.sync("log").unwrap();
        assert_eq!(disk.len("log").unwrap(), Some(7));
    });
}

#[test]
fn appends_go_on_where_a_file_was_cut_off() {
    on_both(|disk| {
        disk.append("log", b"one two").unwrap();
        disk.truncate("log", 4).unwrap();
        disk.append("log", b"2").unwrap();
        disk.sync("log").unwrap();
        assert_eq!(disk.read("log").unwrap().unwrap(), b"one 2");
        let error = disk.truncate("log", 6).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert_eq!(disk.len("log").unwrap(), Some(5));
    });
}

#[test]
fn a_file_renamed_replaces_the_other_one() {
    on_both(|disk| {
        disk.append("a", b"old").unwrap();
        disk.append("b", b"new").unwrap();
        disk.sync("b").unwrap();
        disk.rename("b", "a").unwrap();
        assert_eq!(disk.list().unwrap(), ["a"]);
        disk.append("a", b"er").unwrap();
        disk.append("b", b"another").unwrap();
        assert_eq!(disk.read("a").unwrap().unwrap(), b"newer");
        assert_eq!(disk.read("b").unwrap().unwrap(), b"another");
    });
}

#[test]
fn a_file_removed_is_gone_and_can_come_again() {
    on_both(|disk| {
        disk.append("a", b"old").unwrap();
        disk.remove("a").unwrap();
        assert_eq!(disk.read("a").unwrap(), None);
        disk.append("a", b"new").unwrap();
        assert_eq!(disk.read("a").unwrap().unwrap(), b"new");
    });
}

#[test]
fn files_are_listed_in_order() {
    on_both(|disk| {
        assert!(disk.list().unwrap().is_empty());
        ["b", "c", "a"].iter().for_each(|file| disk.append(file, b"x").unwrap());
        assert_eq!(disk.list().unwrap(), ["a", "b", "c"]);
    });
}

#[test]
fn missing_files_are_errors_for_those_who_change_them() {
    on_both(|disk| {
        for result in [
            disk.sync("log"),
            disk.truncate("log", 0),
            disk.remove("log"),
            disk.rename("log", "old"),
        ] {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
        }
        assert!(disk.list().unwrap().is_empty(), "and none is created");
    });
}

#[test]
fn names_are_flat() {
    on_both(|disk| {
        for name in ["", ".", "..", "a/b", "/a", "a\\b", "a\0"] {
            let error = disk.append(name, b"x").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name:?}");
            assert!(disk.rename("log", name).is_err() && disk.read(name).is_err());
        }
    });
}

#[test]
fn a_directory_can_be_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("a directory")).unwrap();
    let disk = Disk::at(directory.path()).unwrap();
    disk.append("log", b"one").unwrap();
    drop(disk);
    let disk = Disk::at(directory.path()).unwrap();
    disk.append("log", b" two").unwrap();
    assert_eq!(disk.read("log").unwrap().unwrap(), b"one two");
    assert_eq!(disk.list().unwrap(), ["log"]);
}

#[test]
fn a_path_that_is_no_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "x").unwrap();
    assert!(Disk::at(&file).is_err());
}

#[test]
fn threads_append_whole_pieces() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::at(directory.path()).unwrap();
    std::thread::scope(|scope| {
        for byte in 0..4_u8 {
            let disk = disk.clone();
            scope.spawn(move || {
                for _ in 0..50 {
                    disk.append("log", &[byte; 100]).unwrap();
                    disk.sync("log").unwrap();
                }
            });
        }
    });
    let log = disk.read("log").unwrap().unwrap();
    assert_eq!(log.len(), 4 * 50 * 100);
    assert!(log.chunks(100).all(|piece| piece.iter().all(|byte| *byte == piece[0])));
}
