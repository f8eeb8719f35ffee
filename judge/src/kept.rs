//! Copies of built tests and programs, which no later build changes.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The copies of one build, shared by all processes that use it.
#[derive(Debug)]
pub(crate) struct Kept {
    /// `<builds>/<hash>`.
    directory: PathBuf,
    /// Locked while the copies are in use: by several users at a time, or by one process that
    /// removes them.
    lock: File,
    /// The copies as they were made.
    files: Vec<(PathBuf, Fingerprint)>,
}

/// What changes whenever a file is replaced or written to: device, inode, size, and the time of the
/// last change, which no program can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fingerprint(u64, u64, u64, i64, i64);

impl Fingerprint {
    /// The fingerprint of the file at `path`.
    fn of(path: &Path) -> io::Result<Self> {
        let data = fs::metadata(path)?;
        Ok(Self(data.dev(), data.ino(), data.len(), data.ctime(), data.ctime_nsec()))
    }
}

impl Kept {
    /// Copies the tests and the programs, unless another process has copied them already. It does
    /// not link them, because cargo overwrites its files in place.
    pub(crate) fn new(builds: &Path, tests: &Path, programs: &[PathBuf]) -> Result<Self, Error> {
        let builds = std::path::absolute(builds).map_err(Error::file("find", builds))?;
        let _only_one = lock(&builds)?;
        remove_unused(&builds);
        let originals = || std::iter::once(tests).chain(programs.iter().map(|path| &**path));
        let hash = hash_of(originals())?;
        let directory = builds.join(&hash);
        fs::create_dir_all(&directory).map_err(Error::file("create", &directory))?;
        let lock_path = directory.join(LOCK);
        let lock = File::create(&lock_path).map_err(Error::file("create", &lock_path))?;
        lock.lock_shared().map_err(Error::file("lock", &lock_path))?;
        let mut files = Vec::new();
        for file in originals() {
            let copy = directory.join(file_name(file));
            if !copy.exists() {
                copy_whole(file, &copy).map_err(Error::file("copy", file))?;
            }
            let fingerprint = Fingerprint::of(&copy).map_err(Error::file("read", &copy))?;
            files.push((copy, fingerprint));
        }
        if hash_of(files.iter().map(|(copy, _)| &**copy))? != hash {
            let directory = directory.display();
            return Err(Error::harness(format!(
                "{directory} is not a copy of what was built: was there another build at the same \
                 time? remove it and try again"
            )));
        }
        Ok(Self { directory, lock, files })
    }

    /// The directory of the copies.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The copy of the tests.
    pub(crate) fn tests(&self) -> &Path {
        &self.files[0].0
    }

    /// The hash of tests and programs.
    pub(crate) fn hash(&self) -> &str {
        let name = self.directory.file_name();
        name.and_then(|name| name.to_str()).expect("the directory is named by the hash")
    }

    /// Whether all copies are as they were made. A run that replaces one could answer for all later
    /// ones.
    pub(crate) fn is_intact(&self) -> bool {
        let is_same = |(copy, before): &(PathBuf, Fingerprint)| {
            Fingerprint::of(copy).is_ok_and(|now| now == *before)
        };
        self.files.iter().all(is_same)
    }
}

/// Copies a file; it gets its name when it is complete.
fn copy_whole(file: &Path, copy: &Path) -> io::Result<()> {
    let unfinished = copy.with_file_name(".unfinished");
    let copied = fs::copy(file, &unfinished).and_then(|_| fs::rename(&unfinished, copy));
    if copied.is_err() {
        fs::remove_file(&unfinished).ok(); // A full disk gets its room back.
    }
    copied
}

impl Drop for Kept {
    fn drop(&mut self) {
        let Some(builds) = self.directory.parent() else { return };
        let Ok(only_one) = lock(builds) else { return };
        self.lock.unlock().ok(); // If it is still locked, the next build removes it.
        remove_unused(builds);
        fs::remove_file(builds.join(LOCK)).ok(); // While it is held: see `lock`.
        fs::remove_dir(builds).ok(); // Succeeds only if it is empty.
        drop(only_one);
    }
}

/// The file in a directory whose lock protects the directory.
const LOCK: &str = ".lock";

/// Creates the directory of all builds, and waits until no other process changes it.
fn lock(builds: &Path) -> Result<File, Error> {
    let path = builds.join(LOCK);
    loop {
        fs::create_dir_all(builds).map_err(Error::file("create", builds))?;
        let lock = File::create(&path).and_then(|file| file.lock().map(|()| file));
        let lock = match lock {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue, // Just removed.
            lock => lock.map_err(Error::file("lock", &path))?,
        };
        // Another process may have removed the file while we waited for its lock.
        let id = |data: fs::Metadata| (data.dev(), data.ino());
        let locked = lock.metadata().map(id).map_err(Error::file("lock", &path))?;
        if fs::metadata(&path).map(id).is_ok_and(|there| there == locked) {
            return Ok(lock);
        }
    }
}

/// Removes copies that no process uses, including those of killed processes.
fn remove_unused(builds: &Path) {
    for entry in fs::read_dir(builds).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(lock) = File::open(path.join(LOCK)) else { continue };
        if lock.try_lock().is_ok() {
            fs::remove_dir_all(&path).ok(); // The next call tries again.
        }
    }
}

/// The name of a program.
fn file_name(path: &Path) -> &Path {
    path.file_name().map_or(path, Path::new)
}

/// A hash of files and their names that distinguishes builds.
fn hash_of<'a>(files: impl Iterator<Item = &'a Path>) -> Result<String, Error> {
    let mut hasher = DefaultHasher::new();
    let mut block = vec![0; 1 << 16];
    for path in files {
        hasher.write(file_name(path).as_os_str().as_encoded_bytes());
        let mut file = File::open(path).map_err(Error::file("read", path))?;
        loop {
            match file.read(&mut block).map_err(Error::file("read", path))? {
                0 => break,
                n => hasher.write(&block[..n]),
            }
        }
    }
    Ok(format!("{:016x}", hasher.finish()))
}
