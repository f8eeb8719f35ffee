//! Archives that are made to do harm.

use tar::EntryType::{Block, Char, Directory, Fifo, Link, Regular, Symlink};

use crate::{Entry, Fixture, gzip, sources, tar};

/// An entry that belongs to a submission.
const GOOD: Entry<'static> = (b"raft/src/lib.rs", Regular, b"//\n");

#[test]
fn names_and_kinds() {
    let rows: &[(&str, Entry<'_>, &str)] = &[
        ("absolute", (b"/etc/cron.d/x", Regular, b""), "'/etc/cron.d/x' is an absolute path"),
        ("upwards", (b"raft/src/../../../x.rs", Regular, b""), "contains '..'"),
        ("upwards at the end", (b"raft/..", Directory, b""), "contains '..'"),
        ("backslash", (b"raft\\src\\x.rs", Regular, b""), "contains a backslash"),
        ("symbolic link", (b"raft/src/x.rs", Symlink, b""), "'raft/src/x.rs' is a link"),
        ("link elsewhere", (b"lab-runs/latest", Symlink, b""), "is a link"),
        ("hard link", (b"raft/src/x.rs", Link, b""), "is a link"),
        ("block device", (b"raft/src/x.rs", Block, b""), "is neither a file nor a directory"),
        ("character device", (b"x", Char, b""), "is neither a file nor a directory"),
        ("pipe", (b"raft/src/x.rs", Fifo, b""), "is neither a file nor a directory"),
        ("not UTF-8", (b"raft/src/\xff.rs", Regular, b""), "is not UTF-8"),
        ("escape sequence", (b"raft/src/\x1b[2J.rs", Regular, b""), "contains a control character"),
        ("twice", GOOD, "'raft/src/lib.rs' is in the archive twice"),
        ("twice, with dots", (b"./raft//src/./lib.rs", Regular, b""), "is in the archive twice"),
        ("file and directory", (b"raft/src/lib.rs/x.rs", Regular, b""), "is in the archive twice"),
        (
            "directory named like a source",
            (b"raft/src/raft.rs/x.rs", Regular, b""),
            "'raft/src/raft.rs/x.rs' is in a directory whose name ends with '.rs'",
        ),
        (
            "the same deeper",
            (b"raft/src/a/b.rs/x.rs", Regular, b""),
            "is in a directory whose name ends with '.rs'",
        ),
        ("directory and file", (b"raft/src", Regular, b""), "is in the archive twice"),
        ("case", (b"raft/src/LIB.rs", Regular, b""), "differs from 'raft/src/lib.rs' only by case"),
        (
            "case of a directory",
            (b"Raft/src/x.rs", Regular, b""),
            "differs from 'raft' only by case",
        ),
    ];
    for (name, entry, expected) in rows {
        println!("{name}");
        Fixture::new("x.tar", &tar(&[GOOD, *entry])).refused(expected);
        Fixture::new("x.tgz", &gzip(&tar(&[GOOD, *entry]))).refused(expected);
    }
}

#[test]
fn long_names() {
    let name = format!("raft/src/{}.rs", "x".repeat(300));
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    builder.append_data(&mut header, &name, &b""[..]).unwrap();
    Fixture::new("x.tar", &builder.into_inner().unwrap()).refused("is longer than 240 bytes");
}

#[test]
fn bombs() {
    let zeros = vec![0; 80 << 20];
    let bomb = gzip(&tar(&[GOOD, (b"zeros", Regular, &zeros)]));
    assert!(bomb.len() < 1 << 20);
    Fixture::new("x.tgz", &bomb).refused("it unpacks to far more than a submission has");
    // Only zeros, and no tar file at all.
    Fixture::new("x.tgz", &gzip(&zeros)).refused("");
    let large = vec![b' '; 600 << 10];
    let bytes = tar(&[GOOD, (b"raft/src/x.rs", Regular, &large)]);
    Fixture::new("x.tar", &bytes).refused("'raft/src/x.rs' is larger than 512 KiB");
}

#[test]
fn too_many() {
    let names: Vec<String> = (0..10_001).map(|number| format!("x/{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Fixture::new("x.tar", &sources(&names)).refused("it has more than 10000 entries");
    let names: Vec<String> = (0..501).map(|number| format!("raft/src/x{number}.rs")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Fixture::new("x.tar", &sources(&names)).refused("it has 501 files; the limit is 500");
}

#[test]
fn what_is_no_submission() {
    Fixture::new("x.tar", &sources(&["notes.txt"]))
        .refused("it contains no <lab>/src of the labs raft, kvraft");
    Fixture::new("x.tar", &sources(&["a/raft/src/x.rs", "b/raft/src/x.rs"]))
        .refused("it has labs in 'a' and in 'b'");
    Fixture::new("x.tar", b"hello").refused("");
    Fixture::new("x.tgz", b"hello").refused("it is not a tar file that can be read");
    Fixture::new("x.tgz", &gzip(&sources(&["raft/src/x.rs"]))[..40])
        .refused("it is not a tar file that can be read");
    Fixture::new("x.rar", b"hello").refused("it is neither a directory nor a .tar.gz");
}
