//! Archives: what is accepted, and what is refused with one clear line.

#![allow(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod accepted;
mod hostile;
mod tree;
#[cfg(feature = "zip")]
mod zipped;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use submission::archive::{Unpacked, unpack};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

/// The labs of the tests.
const LABS: &[&str] = &["raft", "kvraft"];

/// A directory with an archive.
struct Fixture {
    directory: TempDir,
    archive: PathBuf,
}

impl Fixture {
    /// An archive with this name and these bytes.
    fn new(name: &str, bytes: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let archive = directory.path().join(name);
        fs::write(&archive, bytes).unwrap();
        Self { directory, archive }
    }

    fn output(&self) -> PathBuf {
        self.directory.path().join("output")
    }

    /// Unpacks the archive; `Err` has the line that a person sees.
    fn unpack(&self, single: Option<&str>) -> Result<Unpacked, String> {
        let result = unpack(&self.archive, LABS, single, &self.output());
        result.map_err(|error| error.to_string())
    }

    /// Checks that the archive is refused with a line that contains `text`, and that nothing was
    /// written.
    #[track_caller]
    fn refused(&self, text: &str) {
        let problem = self.unpack(Some("raft")).unwrap_err();
        assert!(problem.contains(text), "'{problem}' lacks '{text}'");
        assert_eq!(problem.lines().count(), 1, "{problem}");
        assert!(!problem.contains(char::is_control), "{problem:?}");
        assert!(!self.output().exists());
    }
}

/// A tar entry: name, type, contents.
type Entry<'a> = (&'a [u8], EntryType, &'a [u8]);

/// A tar file with names that the library would refuse to write.
fn tar(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, contents) in entries {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        if matches!(kind, EntryType::Symlink | EntryType::Link) {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_size(contents.len() as u64);
        header.set_cksum();
        builder.append(&header, *contents).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A tar file with these sources.
fn sources(names: &[&str]) -> Vec<u8> {
    let entries: Vec<Entry<'_>> =
        names.iter().map(|name| (name.as_bytes(), EntryType::Regular, &b"// x\n"[..])).collect();
    tar(&entries)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The files below a directory, sorted.
fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![root.to_path_buf()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_string());
            }
        }
    }
    found.sort();
    found
}
