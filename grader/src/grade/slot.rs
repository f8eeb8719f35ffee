//! The tree in which submissions are built, one after the other.
//!
//! It is the handout: the reference solutions are not in it, except those that are asked for. All
//! submissions use the same paths, so cargo builds the dependencies and the test infrastructure
//! only for the first one.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use judge::catalog::Lab;
use judge::{Builder, Error, Sandbox, Shard, Stop, TestCase, Workspace};

use super::confine::{Directories, remove_all};
use crate::cli::GradeOptions;
use crate::handout::contents::{self, Handout, Owner};
use crate::handout::release::hash;
use crate::lock::lock;

/// The sources of a lab, relative to its `src/`.
pub(crate) type Sources = BTreeMap<PathBuf, Vec<u8>>;

/// The size of cargo's directory, in bytes, from which it is emptied before the next submission.
const LARGE: u64 = 3 << 30;

/// A tree that only this process uses.
#[derive(Debug)]
pub(crate) struct Slot {
    home: PathBuf,
    handout: Handout,
    /// Held until the process ends.
    _lock: File,
}

impl Slot {
    /// Brings the slot in the directory `home` in the state of `handout`.
    ///
    /// # Errors
    /// If another process uses it, or a file cannot be written.
    pub(crate) fn open(home: &Path, handout: Handout) -> Result<Self, Error> {
        fs::create_dir_all(home).map_err(Error::file("create", home))?;
        let home = home.canonicalize().map_err(Error::file("find", home))?;
        let lock = lock(&home.join("lock"))?;
        let slot = Self { home, handout, _lock: lock };
        for path in files_below(&slot.tree())? {
            if !slot.handout.files.contains_key(&path) {
                let path = slot.tree().join(path);
                fs::remove_file(&path).map_err(Error::file("remove", &path))?;
            }
        }
        slot.handout.write(&slot.tree())?;
        Ok(slot)
    }

    /// The root of the tree.
    pub(crate) fn tree(&self) -> PathBuf {
        self.home.join("tree")
    }

    /// The directory in which cargo builds it.
    pub(crate) fn target(&self) -> PathBuf {
        self.home.join("target")
    }

    /// The directories for its [`Confinement`](super::confine::Confinement). Whatever an earlier
    /// grader has left of temporary files is removed.
    pub(crate) fn directories(&self) -> Directories {
        let (target, scratch) = (self.home.join("target"), self.home.join("tmp"));
        remove_all(&scratch);
        Directories { tree: self.tree(), target, scratch }
    }

    /// Replaces what is not locked in a lab's `src/` by `sources`, or else by the skeleton.
    ///
    /// # Errors
    /// If a file cannot be written or removed.
    pub(crate) fn lay(&self, lab: &str, sources: Option<&Sources>) -> Result<(), Error> {
        let root = Path::new(lab).join("src");
        let mut wanted = BTreeMap::new();
        for (path, file) in &self.handout.files {
            let is_wanted = file.owner == Owner::Staff || sources.is_none();
            if path.starts_with(&root) && is_wanted {
                wanted.insert(path.clone(), file.clone());
            }
        }
        for (path, contents) in sources.into_iter().flatten() {
            let (contents, owner) = (contents.clone(), Owner::Student);
            let file = contents::File { contents, is_executable: false, owner };
            wanted.entry(root.join(path)).or_insert(file); // Locked files stay.
        }
        // A directory called like a file would be in the way, now or for the next submission.
        let is_file = |path: &Path| path.extension().is_some_and(|extension| extension == "rs");
        wanted.retain(|path, _| !path.ancestors().skip(1).any(is_file));
        let here = self.tree().join(&root);
        let found = files_below(&here)?.into_iter().map(|path| root.join(path));
        let is_wanted = |(path, file): (&PathBuf, &contents::File)| {
            fs::read(self.tree().join(path)).is_ok_and(|contents| contents == file.contents)
        };
        if found.eq(wanted.keys().cloned()) && wanted.iter().all(is_wanted) {
            return Ok(()); // Cargo need not build it again.
        }
        if here.exists() {
            fs::remove_dir_all(&here).map_err(Error::file("remove", &here))?;
        }
        wanted.iter().try_for_each(|(path, file)| file.write(&self.tree().join(path)))
    }

    /// Empties cargo's directory if it has grown too large: old artifacts must not use up the limit
    /// of the next build.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub(crate) fn trim(&self) -> Result<(), Error> {
        let target = self.target();
        let size = |path: &PathBuf| {
            let data = target.join(path).symlink_metadata();
            data.map_or(0, |data| data.len() / data.nlink().max(1))
        };
        let all: u64 = files_below(&target)?.iter().map(size).sum();
        if all < LARGE {
            return Ok(());
        }
        for entry in target.read_dir().map_err(Error::file("read", &target))? {
            let path = entry.map_err(Error::file("read", &target))?.path();
            let removed =
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(Error::file("remove", &path))?;
        }
        Ok(())
    }

    /// The course's own copy of a file of a lab's `src/`: a submitted one is not used.
    pub(crate) fn own_copy(&self, lab: &str, path: &Path) -> Option<&[u8]> {
        let file = self.handout.files.get(&Path::new(lab).join("src").join(path))?;
        (file.owner == Owner::Staff).then_some(&*file.contents)
    }

    /// Builds the tests of a lab. The inner `Err` has the compiler's output.
    ///
    /// # Errors
    /// If cargo cannot be run.
    pub(crate) fn build(
        &self,
        lab: &Lab,
        stop: &Stop,
        sandbox: Option<Sandbox<'_>>,
    ) -> Result<Result<Vec<TestCase>, String>, Error> {
        let (tree, target) = (self.tree(), self.target());
        let builder = Builder {
            tree: &tree,
            target: Some(&target),
            release: false,
            debug: true, // Reports have backtraces.
            shown: false,
            builds: &self.home.join("builds"),
            stop,
            sandbox,
        };
        Ok(builder.build(lab)?.map(|build| TestCase::all(lab, &Arc::new(build))))
    }
}

/// The directory of the slot. It is outside of the workspace, whose configuration cargo would find
/// in a directory above.
///
/// # Errors
/// If no directory is given, and that of the user is not known.
pub(crate) fn home(workspace: &Workspace, options: &GradeOptions) -> Result<PathBuf, Error> {
    let name = hash(workspace.root().as_os_str().as_encoded_bytes());
    let cache = || {
        let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|it| it.is_absolute());
        let base = base.or_else(|| env::home_dir().map(|home| home.join(".cache")));
        base.map(|base| base.join("lab-grader"))
    };
    let unknown = || Error::harness("your home directory is not known: use --slots");
    let slots = options.slots.clone().or_else(cache).ok_or_else(unknown)?;
    let shard = options.shard.map_or(String::new(), |Shard { k, n }| format!("-{k}-of-{n}"));
    Ok(slots.join(format!("{}{shard}", &name[..12])))
}

/// All files below a directory, relative to it; none if it does not exist.
pub(crate) fn files_below(directory: &Path) -> Result<BTreeSet<PathBuf>, Error> {
    let (mut files, mut open) = (BTreeSet::new(), vec![directory.to_path_buf()]);
    while let Some(next) = open.pop() {
        if !next.exists() {
            continue;
        }
        for entry in next.read_dir().map_err(Error::file("read", &next))? {
            let path = entry.map_err(Error::file("read", &next))?.path();
            let kind = path.symlink_metadata().map_err(Error::file("read", &path))?.file_type();
            if kind.is_dir() {
                open.push(path);
            } else {
                files.insert(path.strip_prefix(directory).unwrap_or(&path).to_path_buf());
            }
        }
    }
    Ok(files)
}
