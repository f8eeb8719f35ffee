//! The files that make up a submission: the Rust sources in `<lab>/src` of its labs, and nothing
//! else.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::lint::limits::MAX_FILE;

/// The largest number of files of a submission.
pub const MAX_FILES: usize = 500;

/// The largest size of all files of a submission, in bytes.
pub const MAX_TOTAL: u64 = 8 << 20;

/// Directories below `<lab>/src` that may be nested in one another.
const MAX_DEPTH: usize = 16;

/// The submission in a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The files that belong to it, sorted by path.
    pub files: Vec<File>,
    /// Paths in the `src` directories that do not belong to it: other files, links, programs that
    /// cargo finds by itself, directories that are nested too deeply or named like a source. A
    /// directory ends with a slash.
    pub ignored: Vec<String>,
}

/// A file of a submission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    /// The path from the root, with slashes: `raft/src/log.rs`.
    pub path: String,
    /// The size in bytes.
    pub size: u64,
}

impl Tree {
    /// Finds the files of these labs in the tree at `root`. A lab without `src` has no files.
    ///
    /// # Errors
    /// If a directory cannot be read.
    pub fn read(root: &Path, labs: &[&str]) -> io::Result<Self> {
        let mut tree = Tree::default();
        for lab in labs {
            let src = format!("{lab}/src");
            // A link could lead out of the submission.
            if fs::symlink_metadata(root.join(lab)).is_ok_and(|data| data.is_dir())
                && fs::symlink_metadata(root.join(&src)).is_ok_and(|data| data.is_dir())
            {
                tree.read_directory(root, &src, 0)?;
            }
        }
        tree.files.sort();
        tree.ignored.sort();
        Ok(tree)
    }

    /// A submission that consists of these files.
    pub(crate) fn of<'a>(files: impl Iterator<Item = (&'a String, usize)>) -> Self {
        let file = |(path, size): (&String, usize)| File { path: path.clone(), size: size as u64 };
        let mut files: Vec<File> = files.map(file).collect();
        files.sort();
        Self { files, ignored: Vec::new() }
    }

    fn read_directory(&mut self, root: &Path, directory: &str, depth: usize) -> io::Result<()> {
        for entry in fs::read_dir(root.join(directory))? {
            let entry = entry?;
            let data = fs::symlink_metadata(entry.path())?;
            let name = entry.file_name();
            let path = format!("{directory}/{}", name.to_string_lossy());
            let is_plain = name.to_str().is_some_and(is_plain);
            let inside = path.split_once("/src/").map_or("", |(_, inside)| inside);
            let is_source = path.ends_with(".rs");
            if data.is_dir() && is_plain && !is_source && inside != "bin" && depth < MAX_DEPTH {
                self.read_directory(root, &path, depth + 1)?;
            } else if data.is_file() && is_plain && is_source && !is_target(inside) {
                self.files.push(File { path, size: data.len() });
            } else {
                self.ignored.push(if data.is_dir() { path + "/" } else { path });
            }
        }
        Ok(())
    }

    /// The size of all files, in bytes.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Checks the limits on number and size.
    ///
    /// # Errors
    /// If there are no files, or if the submission is too large.
    pub fn check_limits(&self) -> Result<(), Error> {
        let refuse = |problem: String| Err(Error::Refused(problem));
        if self.files.is_empty() {
            return refuse("it contains no Rust source in <lab>/src".to_string());
        }
        if self.files.len() > MAX_FILES {
            return refuse(format!("it has {} files; the limit is {MAX_FILES}", self.files.len()));
        }
        if let Some(file) = self.files.iter().find(|file| file.size > MAX_FILE) {
            let (path, limit) = (&file.path, MAX_FILE >> 10);
            return refuse(format!("{path} has {} bytes; the limit is {limit} KiB", file.size));
        }
        if self.size() > MAX_TOTAL {
            let limit = MAX_TOTAL >> 20;
            return refuse(format!("it has {} bytes; the limit is {limit} MiB", self.size()));
        }
        Ok(())
    }

    /// The hash that names the submission: SHA-256 over the sorted paths and contents, each with its
    /// length, as 64 hexadecimal digits. See [`short`].
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn hash(&self, root: &Path) -> io::Result<String> {
        let mut hash = Sha256::new();
        for file in &self.files {
            let contents = fs::read(root.join(&file.path))?;
            for part in [file.path.as_bytes(), &contents] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        Ok(hex(&hash.finalize()))
    }
}

/// The start of a hash, for people: 12 hexadecimal digits.
pub fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// Whether a name is one that a Rust source or its directory has: it looks and sorts the same
/// everywhere.
pub(crate) fn is_plain(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain)
}

/// Whether cargo finds a program in this file below `<lab>/src` by itself. A lab's own programs stand
/// in its manifest.
pub(crate) fn is_target(inside: &str) -> bool {
    inside == "main.rs" || inside.starts_with("bin/")
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
