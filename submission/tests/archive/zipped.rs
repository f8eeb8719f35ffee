//! Zip files.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::{Fixture, files};

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
}

/// A zip file with these names.
fn zip(names: &[&str]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for name in names {
        writer.start_file(*name, options()).unwrap();
        writer.write_all(b"// x\n").unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Replaces a name by another of the same length, wherever it occurs.
fn renamed(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    for at in 0..bytes.len().saturating_sub(from.len()) {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
    bytes
}

#[test]
fn the_layout_of_a_repository_host_is_accepted() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for directory in ["labs-main", "labs-main/raft", "labs-main/raft/src"] {
        writer.add_directory(directory, options()).unwrap();
    }
    for name in ["labs-main/raft/src/lib.rs", "labs-main/README.md"] {
        writer.start_file(name, options()).unwrap();
        writer.write_all(b"// x\n").unwrap();
    }
    let fixture = Fixture::new("x.zip", &writer.finish().unwrap().into_inner());
    let unpacked = fixture.unpack(None).unwrap();
    assert_eq!(files(&fixture.output()), ["raft/src/lib.rs"]);
    assert_eq!(unpacked.ignored, ["labs-main/README.md"]);
}

#[test]
fn hostile_names() {
    let rows: &[(&[u8], &str)] = &[
        (b"/aft/src/x.rs", "is an absolute path"),
        (b"../t/src/x.rs", "contains '..'"),
        (b"raft\\src/x.rs", "contains a backslash"),
        (b"raft/src/\xff.rs", "is not UTF-8"),
        (b"raft/src/l.rs", "is in the archive twice"),
        (b"raft/src/L.rs", "only by case"),
    ];
    for (name, expected) in rows {
        let bytes = renamed(zip(&["raft/src/l.rs", "raft/src/x.rs"]), b"raft/src/x.rs", name);
        Fixture::new("x.zip", &bytes).refused(expected);
    }
    Fixture::new("x.zip", b"hello").refused("it is not a zip file that can be read");
}

#[test]
fn links_and_bombs() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_symlink("raft/src/x.rs", "/etc/passwd", options()).unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    Fixture::new("x.zip", &bytes).refused("'raft/src/x.rs' is a link");

    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("raft/src/lib.rs", options()).unwrap();
    writer.start_file("zeros", options()).unwrap();
    for _ in 0..80 {
        writer.write_all(&[0; 1 << 20]).unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    assert!(bytes.len() < 1 << 20);
    Fixture::new("x.zip", &bytes).refused("it unpacks to far more than a submission has");
}
