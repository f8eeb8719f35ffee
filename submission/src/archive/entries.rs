//! The entries of an archive, and the rules for their names.

use std::collections::BTreeMap;
use std::io::Read;

use crate::error::Error;
use crate::lint::limits::MAX_FILE;

/// The largest number of entries, whether they belong to a submission or not.
const MAX_ENTRIES: usize = 10_000;

/// The longest name, in bytes, and the longest part of one.
const MAX_NAME: usize = 240;

/// The entries that were read so far.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    /// Every file's name in parts, with its contents if it may belong to a submission.
    pub(crate) files: Vec<(Vec<String>, Option<Vec<u8>>)>,
    /// Entries that were not read: what a directory contains besides files, and what macOS adds.
    pub(crate) skipped: Vec<String>,
    /// Every name and every directory of a name, by its lower case.
    names: BTreeMap<String, (String, Kind)>,
    count: usize,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Directory,
    File,
}

impl Entries {
    /// Adds an entry. `contents` are read only if the entry may belong to a submission.
    ///
    /// # Errors
    /// If its name breaks a rule, or if it cannot be read.
    pub(crate) fn add(
        &mut self,
        name: &[u8],
        kind: Kind,
        contents: impl Read,
    ) -> Result<(), Error> {
        self.count += 1;
        if self.count > MAX_ENTRIES {
            let problem = format!("it has more than {MAX_ENTRIES} entries: leave out `target`");
            return Err(Error::Refused(problem));
        }
        let parts = parts(name)?;
        if parts.is_empty() {
            return Ok(()); // `./`
        }
        self.check_clash(name, &parts, kind)?;
        // What macOS adds to an archive: its own data about each file.
        let is_of_mac = parts.iter().any(|part| part == "__MACOSX" || part.starts_with("._"));
        if kind == Kind::File && is_of_mac {
            self.skipped.push(parts.join("/"));
        } else if kind == Kind::File {
            let is_source = parts.iter().any(|part| part == "src")
                && parts.last().is_some_and(|last| last.ends_with(".rs"));
            let contents = is_source.then(|| read(name, contents)).transpose()?;
            self.files.push((parts, contents));
        }
        Ok(())
    }

    /// Checks that no other entry has the same name, or one that a file system may confuse with it.
    fn check_clash(&mut self, name: &[u8], parts: &[String], kind: Kind) -> Result<(), Error> {
        for end in 1..=parts.len() {
            let path = parts[..end].join("/");
            let kind = if end == parts.len() { kind } else { Kind::Directory };
            let entry = self.names.entry(path.to_lowercase());
            let known = match entry {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert((path, kind));
                    continue;
                }
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            };
            if known.0 != path {
                let rule = format!("differs from '{}' only by case", known.0.escape_debug());
                return Err(Error::entry(path, &rule));
            }
            if kind == Kind::File || known.1 == Kind::File {
                return Err(Error::entry(name, "is in the archive twice"));
            }
        }
        Ok(())
    }
}

/// Reads a source, up to its limit.
fn read(name: &[u8], contents: impl Read) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let result = contents.take(MAX_FILE + 1).read_to_end(&mut bytes);
    result.map_err(|error| Error::entry(name, &format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Error::entry(name, &format!("is larger than {} KiB", MAX_FILE >> 10)));
    }
    Ok(bytes)
}

/// The parts of a name.
///
/// # Errors
/// If it breaks a rule.
fn parts(name: &[u8]) -> Result<Vec<String>, Error> {
    let refuse = |rule: &str| Err(Error::entry(name, rule));
    let Ok(text) = std::str::from_utf8(name) else { return refuse("is not UTF-8") };
    if text.starts_with('/') {
        return refuse("is an absolute path");
    }
    if text.contains('\\') {
        return refuse("contains a backslash");
    }
    if text.chars().any(char::is_control) {
        return refuse("contains a control character");
    }
    if name.len() > MAX_NAME {
        return refuse(&format!("is longer than {MAX_NAME} bytes"));
    }
    let parts = text.split('/').filter(|part| !part.is_empty() && *part != ".");
    let parts: Vec<String> = parts.map(str::to_string).collect();
    if parts.iter().any(|part| part == "..") {
        return refuse("contains '..'");
    }
    Ok(parts)
}
