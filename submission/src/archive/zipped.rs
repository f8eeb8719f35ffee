//! Reads the entries of zip files.

use std::fs;
use std::io::{Cursor, Read as _};
use std::path::Path;

use zip::ZipArchive;

use crate::archive::entries::{Entries, Kind};
use crate::archive::limited::{Limited, MAX_RATIO, MAX_UNPACKED};
use crate::error::Error;

/// The bits of a Unix mode that tell what a file is, and their value for a link, a file and a
/// directory.
const FORMAT: u32 = 0o170_000;
const LINK: u32 = 0o120_000;
const FILE: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;

/// Reads a zip file of `size` bytes.
pub(crate) fn read(from: &Path, size: u64, entries: &mut Entries) -> Result<(), Error> {
    let bytes = fs::read(from).map_err(Error::io("read", from))?;
    let broken = |error| Error::Refused(format!("it is not a zip file that can be read: {error}"));
    let mut archive = ZipArchive::new(Cursor::new(&bytes)).map_err(broken)?;
    check_names(&bytes, archive.central_directory_start(), archive.len())?;
    let mut left = MAX_UNPACKED.min((size * MAX_RATIO).max(1 << 20));
    for number in 0..archive.len() {
        let file = archive.by_index(number).map_err(broken)?;
        let name = file.name_raw().to_vec();
        let kind = match file.unix_mode().unwrap_or_default() & FORMAT {
            LINK => return Err(Error::entry(name, "is a link")),
            0 | FILE | DIRECTORY if file.is_dir() => Kind::Directory,
            0 | FILE => Kind::File,
            _ => return Err(Error::entry(name, "is neither a file nor a directory")),
        };
        // The sizes that the archive states may be wrong, so the bytes are counted.
        let mut reader = Limited { reader: file, left };
        entries.add(&name, kind, &mut reader)?;
        let rest = std::io::copy(&mut reader.by_ref(), &mut std::io::sink());
        rest.map_err(|error| Error::entry(&name, &format!("cannot be read: {error}")))?;
        left = reader.left;
    }
    Ok(())
}

/// Checks that the archive lists as many entries as were found: of two with the same name, the
/// library keeps one.
fn check_names(bytes: &[u8], start: u64, found: usize) -> Result<(), Error> {
    let mut at = usize::try_from(start).unwrap_or(usize::MAX);
    let mut names = std::collections::BTreeSet::new();
    let mut count = 0;
    let word = |at: usize| {
        let bytes = bytes.get(at..at + 2)?;
        Some(usize::from(u16::from_le_bytes([bytes[0], bytes[1]])))
    };
    while bytes.get(at..).is_some_and(|rest| rest.starts_with(b"PK\x01\x02")) {
        // Lengths of the name, of the extra fields and of the comment.
        let lengths = (word(at + 28), word(at + 30), word(at + 32));
        let (Some(name), Some(extra), Some(comment)) = lengths else { break };
        let text = bytes.get(at + 46..at + 46 + name).unwrap_or_default();
        if !names.insert(text) {
            return Err(Error::entry(text, "is in the archive twice"));
        }
        at += 46 + name + extra + comment;
        count += 1;
    }
    if count != found {
        return Err(Error::Refused(format!("it lists {count} entries, but {found} were found")));
    }
    Ok(())
}
