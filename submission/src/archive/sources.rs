//! Reads the entries of directories and tar files.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

use crate::archive::entries::{Entries, Kind};
use crate::archive::limited::{BOMB, Limited, MAX_ARCHIVE, MAX_RATIO, MAX_UNPACKED, TooLarge};
use crate::error::Error;

/// Directories that may be nested in one another.
const MAX_DEPTH: usize = 24;

/// Reads the entries of a submission.
pub(crate) fn read(from: &Path, entries: &mut Entries) -> Result<(), Error> {
    let data = fs::metadata(from).map_err(Error::io("read", from))?;
    if data.is_dir() {
        return read_directory(from, String::new(), 0, entries);
    }
    if data.len() > MAX_ARCHIVE {
        let (size, limit) = (data.len(), MAX_ARCHIVE >> 20);
        return Err(Error::Refused(format!("it has {size} bytes; the limit is {limit} MiB")));
    }
    let name = from.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let file = || File::open(from).map(BufReader::new).map_err(Error::io("read", from));
    if name.ends_with(".tar.gz") || name.ends_with(".tgz") {
        let limit = MAX_UNPACKED.min((data.len() * MAX_RATIO).max(1 << 20));
        read_tar(GzDecoder::new(file()?), limit, entries)
    } else if name.ends_with(".tar") {
        read_tar(file()?, MAX_UNPACKED, entries)
    } else if name.ends_with(".zip") {
        #[cfg(feature = "zip")]
        return crate::archive::zipped::read(from, data.len(), entries);
        #[cfg(not(feature = "zip"))]
        return Err(Error::Io("this program does not read zip files; use a .tar.gz".to_string()));
    } else {
        let problem = "it is neither a directory nor a .tar.gz, .tgz, .tar or .zip file";
        Err(Error::Refused(problem.to_string()))
    }
}

/// Reads a directory. It follows no links.
fn read_directory(
    directory: &Path,
    name: String,
    depth: usize,
    entries: &mut Entries,
) -> Result<(), Error> {
    for entry in fs::read_dir(directory).map_err(Error::io("read", directory))? {
        let path = entry.map_err(Error::io("read", directory))?.path();
        let data = fs::symlink_metadata(&path).map_err(Error::io("read", &path))?;
        let own = path.file_name().unwrap_or_default();
        let full = format!("{name}{}", own.to_string_lossy());
        // Not part of any submission, and large.
        let is_known = matches!(own.to_str(), Some("target" | ".git" | "lab-runs"));
        if data.is_dir() && !is_known && depth < MAX_DEPTH {
            read_directory(&path, full + "/", depth + 1, entries)?;
        } else if data.is_file() && own.to_str().is_some() {
            let file = File::open(&path).map_err(Error::io("read", &path))?;
            entries.add(full.as_bytes(), Kind::File, file)?;
        } else {
            entries.skipped.push(if data.is_dir() { full + "/" } else { full });
        }
    }
    Ok(())
}

/// Reads a tar file of at most `limit` bytes.
fn read_tar(reader: impl Read, limit: u64, entries: &mut Entries) -> Result<(), Error> {
    let mut archive = Archive::new(Limited { reader, left: limit });
    let broken = |error: io::Error| match error.get_ref().is_some_and(|it| it.is::<TooLarge>())
        || error.to_string().contains(BOMB)
    {
        true => Error::Refused(BOMB.to_string()),
        false => Error::Refused(format!("it is not a tar file that can be read: {error}")),
    };
    for entry in archive.entries().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        let name = entry.path_bytes().into_owned();
        let kind = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => Kind::File,
            EntryType::Directory => Kind::Directory,
            // What `git archive` writes about the commit.
            EntryType::XGlobalHeader => continue,
            EntryType::Symlink | EntryType::Link => {
                return Err(Error::entry(name, "is a link"));
            }
            _ => return Err(Error::entry(name, "is neither a file nor a directory")),
        };
        entries.add(&name, kind, entry)?;
    }
    Ok(())
}
