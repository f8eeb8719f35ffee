//! Files that survive a crash, as far as they were synced: what a write-ahead log is written to.

mod contents;
mod directory;
mod name;
mod simulated;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use self::directory::Directory;
use self::name::check;
use self::simulated::Simulated;
pub use self::simulated::{FaultDuration, SYNC_TIME};

/// A directory of files. Clones are the same directory. Names are flat: `log`, not `data/log`.
///
/// A disk is either simulated, in memory, or a real directory; the same code runs on both. The
/// simulated one can lose its power and fail on demand.
///
/// ```
/// use labrpc::{Disk, Node, run};
///
/// run(|| {
///     let disk = Disk::new();
///     let (node, mine) = (Node::new("S0"), disk.clone());
///     node.call(move || -> std::io::Result<()> {
///         mine.append("log", b"one ")?;
///         mine.sync("log")?;
///         mine.append("log", b"two ") // Not synced: this may be lost, or torn.
///     });
///     node.crash();
///     let disk = disk.crash(); // What the next incarnation of the server finds.
///     let log = disk.read("log").expect("nothing fails here").expect("the file is there");
///     assert!(log.starts_with(b"one ") && log.len() <= b"one two ".len());
/// });
/// ```
///
/// # What survives
///
/// Readers see every change at once. Whether a change survives [`Disk::crash`] is another question:
///
/// * What was appended to or truncated from a file before a [`Disk::sync`] of it began survives,
///   once that has returned without an error; so does the file's name.
/// * Of later changes of that file a prefix survives, in the order in which they were made; it may
///   be empty. The first append that does not belong to it may survive in part, and what follows of
///   the file, up to its length before the crash, may be there as garbage: a disk may write the
///   blocks of a file in any order.
/// * [`Disk::rename`] and [`Disk::remove`] survive once they have returned, and happen as a whole
///   or not at all. They say nothing about the contents of the file.
/// * A file that was never synced may be gone.
/// * After a sync that *failed*, an arbitrary prefix of what it should have saved survives, and the
///   rest is lost for good: it can still be read until the crash, but no later sync saves it,
///   though that one may succeed. This is what Linux does, whose page cache takes the pages for
///   clean.
///
/// The real backend keeps these promises with `fdatasync` of the file, and `fsync` of the directory
/// whenever a name has changed.
///
/// # Errors
///
/// Operations fail with what the operating system reports, and with [`io::ErrorKind::InvalidInput`]
/// if the name is not flat. A failed append may have appended part of the bytes. After a crash, the
/// handles of the dead server fail with [`io::ErrorKind::BrokenPipe`].
#[derive(Clone)]
pub struct Disk(Backend);

/// The two kinds of disk.
#[derive(Clone)]
enum Backend {
    Simulated(Arc<Simulated>),
    Directory(Arc<Directory>),
}

/// What a server does with its disk.
impl Disk {
    /// An empty simulated disk. It also works outside a simulation.
    pub fn new() -> Self {
        Self::default()
    }

    /// A real directory, which is created if it is missing.
    ///
    /// # Errors
    /// If it cannot be created, or is not a directory.
    pub fn at(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self(Backend::Directory(Arc::new(Directory::open(path.as_ref())?))))
    }

    /// Appends to a file, which is created if it is missing.
    ///
    /// # Errors
    /// If not everything was written; part of it may have been.
    pub fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        check(file)?;
        match &self.0 {
            Backend::Simulated(disk) => disk.append(file, bytes),
            Backend::Directory(disk) => disk.append(file, bytes),
        }
    }

    /// Makes what was appended to, or truncated from, a file before this call durable.
    ///
    /// # Errors
    /// If that failed: then it is unknown what is durable, and syncing again does not help. Also if
    /// there is no such file.
    pub fn sync(&self, file: &str) -> io::Result<()> {
        check(file)?;
        match &self.0 {
            Backend::Simulated(disk) => disk.sync(file),
            Backend::Directory(disk) => disk.sync(file),
        }
    }

    /// The contents of a file; `None` if there is none of this name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&self, file: &str) -> io::Result<Option<Vec<u8>>> {
        check(file)?;
        match &self.0 {
            Backend::Simulated(disk) => disk.read(file),
            Backend::Directory(disk) => disk.read(file),
        }
    }

    /// The length of a file in bytes; `None` if there is none of this name.
    ///
    /// # Errors
    /// If it cannot be found out.
    pub fn len(&self, file: &str) -> io::Result<Option<u64>> {
        check(file)?;
        match &self.0 {
            Backend::Simulated(disk) => disk.len(file),
            Backend::Directory(disk) => disk.len(file),
        }
    }

    /// Cuts a file off after `len` bytes. Like an append, this is durable only after a sync.
    ///
    /// # Errors
    /// If the file is missing, or shorter than that.
    pub fn truncate(&self, file: &str, len: u64) -> io::Result<()> {
        check(file)?;
        match &self.0 {
            Backend::Simulated(disk) => disk.truncate(file, len),
            Backend::Directory(disk) => disk.truncate(file, len),
        }
    }

    /// Gives a file another name, in one step, and replaces the file that had this name. Durable
    /// when it returns.
    ///
    /// # Errors
    /// If there is no file `from`. After another error, it may have been renamed or not.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        check(from)?;
        check(to)?;
        match &self.0 {
            Backend::Simulated(disk) => disk.rename(from, to),
            Backend::Directory(disk) => disk.rename(from, to),
        }
    }

    /// Removes a file. Durable when it returns.
    ///
    /// # Errors
    /// If there is no such file.
    pub fn remove(&self, file: &str) -> io::Result<()> {
        check(file)?;
        match &self.0 {
            Backend::Simulated(disk) => disk.remove(file),
            Backend::Directory(disk) => disk.remove(file),
        }
    }

    /// The names of all files, in alphabetical order.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn list(&self) -> io::Result<Vec<String>> {
        match &self.0 {
            Backend::Simulated(disk) => disk.list(),
            Backend::Directory(disk) => disk.list(),
        }
    }
}

/// What a test does with a server's simulated disk. None of this takes virtual time.
///
/// # Panics
/// All of these, if the disk is a real directory.
impl Disk {
    /// Cuts the power: from now on the operations of this disk fail, and so those of its clones.
    /// Returns the disk that the server finds when the power is back. What of the changes that were
    /// not synced is on it, the run's seed decides. It has no faults and no limit on its capacity.
    pub fn crash(&self) -> Disk {
        Self(Backend::Simulated(Arc::new(self.simulated().crash(None))))
    }

    /// Like [`Disk::crash`], but of each file exactly the first `unsynced` bytes appended since the
    /// last sync survive, or all if there are fewer, and no garbage. For tests that try every
    /// length.
    pub fn crash_keeping(&self, unsynced: u64) -> Disk {
        Self(Backend::Simulated(Arc::new(self.simulated().crash(Some(unsynced)))))
    }

    /// Another disk with the same contents, synced and unsynced, but without its faults: what a new
    /// process finds after the old one was killed or abandoned, though the machine stayed up. What
    /// a zombie of the old process still writes does not reach it.
    pub fn copy(&self) -> Disk {
        Self(Backend::Simulated(Arc::new(self.simulated().copy())))
    }

    /// How many operations that change the disk have been tried: appends, syncs, truncations,
    /// renames and removals.
    pub fn operations(&self) -> u64 {
        self.simulated().operations()
    }

    /// Lets an operation fail: the one with this number, counted from 1 as [`Disk::operations`]
    /// counts, and perhaps those after it. Replaces what was said before.
    ///
    /// An append that fails appends part of its bytes. A rename that fails may have been done. For
    /// syncs, see [what survives](Disk#what-survives).
    pub fn fail_at(&self, operation: u64, fault: FaultDuration) {
        self.simulated().fail_at(operation, fault);
    }

    /// Limits the bytes in all files together. An append that does not fit appends what does, and
    /// fails with [`io::ErrorKind::StorageFull`].
    pub fn set_capacity(&self, bytes: u64) {
        self.simulated().set_capacity(bytes);
    }

    /// Corrupts a file: all but its first `len` bytes vanish. What was not synced counts as synced
    /// then.
    pub fn cut(&self, file: &str, len: u64) {
        self.simulated().damage(file, |bytes| bytes.truncate(len as usize));
    }

    /// Corrupts a file: flips those bits of the byte at `offset` that are set in `mask`, if the
    /// file has that byte. What was not synced counts as synced then.
    pub fn flip(&self, file: &str, offset: u64, mask: u8) {
        self.simulated().damage(file, |bytes| {
            if let Some(byte) = bytes.get_mut(offset as usize) {
                *byte ^= mask;
            }
        });
    }

    /// The simulated disk.
    #[track_caller]
    fn simulated(&self) -> &Simulated {
        match &self.0 {
            Backend::Simulated(disk) => disk,
            Backend::Directory(_) => panic!("only a simulated disk can be made to fail"),
        }
    }
}

/// An empty simulated disk.
impl Default for Disk {
    fn default() -> Self {
        Self(Backend::Simulated(Arc::default()))
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Backend::Simulated(disk) => disk.fmt(f),
            Backend::Directory(disk) => disk.fmt(f),
        }
    }
}
