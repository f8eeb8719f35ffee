//! The real disk: a directory of the operating system.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::name::missing;
use crate::runtime::port::unpoisoned;

/// A directory, and its files that have been written to, which stay open.
pub(super) struct Directory {
    path: PathBuf,
    open: Mutex<BTreeMap<String, Arc<Opened>>>,
}

/// A file that is open for appending.
struct Opened {
    file: File,
    /// Held during a sync. The second caller must not return before the first one, which may have
    /// taken upon itself what the second one's caller relies on.
    syncing: Mutex<()>,
    /// What the next sync must do besides saving the file's data. Appends lock it too, so that two
    /// of them do not mingle.
    unsaved: Mutex<Unsaved>,
}

/// What besides data was not synced yet.
#[derive(Clone, Copy, Default)]
struct Unsaved {
    /// The file was created: its name is not durable.
    name: bool,
    /// The file was cut off, which `fdatasync` need not save.
    truncation: bool,
}

impl Directory {
    /// Opens a directory, or creates it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let created: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
        fs::create_dir_all(path)?;
        for directory in &created {
            sync_directory(parent(directory))?;
        }
        if created.is_empty() {
            // It may have been created just before a crash. Where it cannot be looked into, it was
            // not created by us.
            sync_directory(parent(path)).or_else(|error| match error.kind() {
                ErrorKind::PermissionDenied => Ok(()),
                _ => Err(error),
            })?;
        }
        sync_directory(path)?;
        Ok(Self { path: path.to_path_buf(), open: Mutex::default() })
    }

    pub(super) fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let opened = self.opened(name, Missing::Create)?;
        let _one_at_a_time = unpoisoned(opened.unsaved.lock());
        (&opened.file).write_all(bytes)
    }

    pub(super) fn sync(&self, name: &str) -> io::Result<()> {
        let opened = self.opened(name, Missing::Fail)?;
        let _one_at_a_time = unpoisoned(opened.syncing.lock());
        let unsaved = std::mem::take(&mut *unpoisoned(opened.unsaved.lock()));
        // Appends go on while the disk works.
        let saved = match unsaved.truncation {
            true => opened.file.sync_all(),
            false => opened.file.sync_data(),
        };
        saved.and_then(|()| if unsaved.name { sync_directory(&self.path) } else { Ok(()) })
    }

    pub(super) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        none_if_missing(fs::read(self.path.join(name)))
    }

    pub(super) fn len(&self, name: &str) -> io::Result<Option<u64>> {
        none_if_missing(fs::metadata(self.path.join(name)).map(|metadata| metadata.len()))
    }

    pub(super) fn truncate(&self, name: &str, len: u64) -> io::Result<()> {
        let opened = self.opened(name, Missing::Fail)?;
        let mut unsaved = unpoisoned(opened.unsaved.lock());
        if len > opened.file.metadata()?.len() {
            let problem = format!("{name:?} is shorter than {len} bytes");
            return Err(io::Error::new(ErrorKind::InvalidInput, problem));
        }
        unsaved.truncation = true;
        opened.file.set_len(len)
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut open = unpoisoned(self.open.lock());
        fs::rename(self.path.join(from), self.path.join(to))?;
        open.remove(to);
        if let Some(opened) = open.remove(from) {
            open.insert(to.to_string(), opened);
        }
        drop(open);
        sync_directory(&self.path)
    }

    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        let mut open = unpoisoned(self.open.lock());
        fs::remove_file(self.path.join(name))?;
        open.remove(name);
        drop(open);
        sync_directory(&self.path)
    }

    pub(super) fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_type()?.is_file()
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The open file with this name.
    fn opened(&self, name: &str, if_missing: Missing) -> io::Result<Arc<Opened>> {
        let mut open = unpoisoned(self.open.lock());
        if let Some(opened) = open.get(name) {
            return Ok(Arc::clone(opened));
        }
        let path = self.path.join(name);
        let existed = path.try_exists()?;
        if !existed && matches!(if_missing, Missing::Fail) {
            return Err(missing(name));
        }
        let file = OpenOptions::new().append(true).create(!existed).open(path)?;
        let unsaved = Mutex::new(Unsaved { name: !existed, truncation: false });
        let opened = Arc::new(Opened { file, syncing: Mutex::new(()), unsaved });
        open.insert(name.to_string(), Arc::clone(&opened));
        Ok(opened)
    }
}

/// Makes the names in a directory durable.
fn sync_directory(path: &Path) -> io::Result<()> {
    // Windows does not open directories as files, and writes their changes by itself.
    if cfg!(windows) { Ok(()) } else { File::open(path)?.sync_all() }
}

/// The directory in which a directory is.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path, // The root.
    }
}

/// What becomes of an operation on a file that is missing.
#[derive(Clone, Copy)]
enum Missing {
    /// The file is created.
    Create,
    /// The operation fails.
    Fail,
}

/// Turns the error that a file is missing into `None`.
fn none_if_missing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Disk({})", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_directory_is_in_another_one() {
        let parents = [("/a/b", "/a"), ("/a", "/"), ("/", "/"), ("a/b", "a"), ("a", "."), ("", "")];
        for (path, expected) in parents {
            assert_eq!(parent(Path::new(path)), Path::new(expected), "{path:?}");
        }
    }
}
