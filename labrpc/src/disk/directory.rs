//! The real disk: a directory of the operating system.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::missing;

/// A directory, and its files that have been written to, which stay open.
pub(super) struct Directory {
    path: PathBuf,
    open: Mutex<BTreeMap<String, Arc<Opened>>>,
}

/// A file that is open for appending.
struct Opened {
    file: File,
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
        fs::create_dir_all(path)?;
        let directory = Self { path: path.to_path_buf(), open: Mutex::default() };
        directory.sync_names()?;
        Ok(directory)
    }

    /// See [`super::Disk::append`].
    pub(super) fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let opened = self.opened(name, Missing::Create)?;
        let _one_at_a_time = lock(&opened.unsaved);
        (&opened.file).write_all(bytes)
    }

    /// See [`super::Disk::sync`].
    pub(super) fn sync(&self, name: &str) -> io::Result<()> {
        let opened = self.opened(name, Missing::Fail)?;
        let unsaved = std::mem::take(&mut *lock(&opened.unsaved));
        // No lock is held while the disk works: appends go on.
        let saved = match unsaved.truncation {
            true => opened.file.sync_all(),
            false => opened.file.sync_data(),
        };
        saved.and_then(|()| if unsaved.name { self.sync_names() } else { Ok(()) })
    }

    /// See [`super::Disk::read`].
    pub(super) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        none_if_missing(fs::read(self.path.join(name)))
    }

    /// See [`super::Disk::len`].
    pub(super) fn len(&self, name: &str) -> io::Result<Option<u64>> {
        none_if_missing(fs::metadata(self.path.join(name)).map(|metadata| metadata.len()))
    }

    /// See [`super::Disk::truncate`].
    pub(super) fn truncate(&self, name: &str, len: u64) -> io::Result<()> {
        let opened = self.opened(name, Missing::Fail)?;
        let mut unsaved = lock(&opened.unsaved);
        if len > opened.file.metadata()?.len() {
            let problem = format!("{name:?} is shorter than {len} bytes");
            return Err(io::Error::new(ErrorKind::InvalidInput, problem));
        }
        unsaved.truncation = true;
        opened.file.set_len(len)
    }

    /// See [`super::Disk::rename`].
    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut open = lock(&self.open);
        fs::rename(self.path.join(from), self.path.join(to))?;
        open.remove(to);
        if let Some(opened) = open.remove(from) {
            open.insert(to.to_string(), opened);
        }
        drop(open);
        self.sync_names()
    }

    /// See [`super::Disk::remove`].
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        let mut open = lock(&self.open);
        fs::remove_file(self.path.join(name))?;
        open.remove(name);
        drop(open);
        self.sync_names()
    }

    /// See [`super::Disk::list`].
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
        let mut open = lock(&self.open);
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
        let opened = Arc::new(Opened { file, unsaved });
        open.insert(name.to_string(), Arc::clone(&opened));
        Ok(opened)
    }

    /// Makes the names of the files durable.
    fn sync_names(&self) -> io::Result<()> {
        // Windows does not open directories as files, and writes their changes by itself.
        if cfg!(windows) { Ok(()) } else { File::open(&self.path)?.sync_all() }
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

/// Locks, whatever became of the last owner.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Disk({})", self.path.display())
    }
}
