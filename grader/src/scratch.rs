//! A copy of the workspace in which patches are applied and built.
//!
//! Everything is under `<target directory>/grader/`: the tree, which is always at the same path, so
//! that cargo finds there what it built before; cargo's own target directory, which stays; and the
//! files of the tests that run. Tree and files go away with their owner.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::Error;
use crate::patch::Patch;
use crate::workspace::{Workspace, git_in, output_of};

/// The copy, which is this process's alone.
#[derive(Debug)]
pub(crate) struct Scratch {
    tree: TempDir,
    files: TempDir,
    target: PathBuf,
    /// Held as long as this lives. Dropped last.
    _lock: File,
}

/// A file as it was before a patch; `None` if there was none.
type Original = (PathBuf, Option<Vec<u8>>);

impl Scratch {
    /// Copies `workspace`. What cargo has built of these labs may be of a patched source.
    ///
    /// # Errors
    /// If another process has a copy, or a file cannot be copied.
    pub(crate) fn new(workspace: &Workspace, labs: &BTreeSet<&str>) -> Result<Self, Error> {
        let home = workspace.target.join("grader");
        fs::create_dir_all(&home).map_err(|error| Error::io("create", &home, &error))?;
        let home = home.canonicalize().map_err(|error| Error::io("find", &home, &error))?;
        let lock = lock(&home.join("lock"))?;
        let tree = fresh_directory(&home, "tree")?;
        let files = fresh_directory(&home, "runs")?;
        let scratch = Self { tree, files, target: home.join("target"), _lock: lock };
        // Cargo compares times: a file that keeps its time need not be compiled again, as long as
        // it comes from the same place.
        let origin = home.join("origin");
        let root = workspace.root.to_string_lossy();
        let same_origin = fs::read_to_string(&origin).is_ok_and(|last| last == root);
        for file in workspace.files()? {
            let directory = file.iter().next().and_then(|directory| directory.to_str());
            if directory.is_some_and(|name| ["bugs", "variants"].contains(&name)) {
                continue;
            }
            let patched = directory.is_some_and(|directory| labs.contains(directory));
            let (from, to) = (workspace.root.join(&file), scratch.tree().join(&file));
            copy(&from, &to, same_origin && !patched)?;
        }
        fs::write(&origin, &*root).map_err(|error| Error::io("write", &origin, &error))?;
        Ok(scratch)
    }

    /// The copy's root.
    pub(crate) fn tree(&self) -> &Path {
        self.tree.path()
    }

    /// Where cargo builds the copy.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// A directory for what tests print and report.
    pub(crate) fn files(&self) -> &Path {
        self.files.path()
    }

    /// Applies a patch, calls `work`, and takes the patch back. `Err` inside says why the patch
    /// cannot be applied.
    ///
    /// # Errors
    /// If a file cannot be read or written, or `work` fails.
    pub(crate) fn patched<R>(
        &self,
        patch: &Patch,
        work: impl FnOnce() -> Result<R, Error>,
    ) -> Result<Result<R, String>, Error> {
        let changed = match self.changed_by(patch) {
            Ok(changed) => changed,
            Err(why) => return Ok(Err(why)),
        };
        let originals = changed.into_iter().map(|file| self.original(file));
        let originals = originals.collect::<Result<Vec<_>, _>>()?;
        let mut command = git_in(self.tree());
        command.args(["apply", "--whitespace=nowarn"]).arg(&patch.path);
        if let Err(error) = output_of(&mut command, "git apply") {
            return Ok(Err(error.to_string()));
        }
        let result = work();
        originals.into_iter().try_for_each(|original| self.restore(original))?;
        result.map(Ok)
    }

    /// The files that a patch changes, which must be the lab's sources.
    fn changed_by(&self, patch: &Patch) -> Result<Vec<PathBuf>, String> {
        let mut command = git_in(self.tree());
        command.args(["apply", "--numstat"]).arg(&patch.path);
        let list = output_of(&mut command, "git apply").map_err(|error| error.to_string())?;
        let list = String::from_utf8_lossy(&list).into_owned();
        let changed = list.lines().filter_map(|line| line.split('\t').nth(2)).map(PathBuf::from);
        let changed: Vec<PathBuf> = changed.collect();
        let sources = Path::new(&patch.lab).join("src");
        match changed.iter().find(|file| !file.starts_with(&sources)) {
            Some(file) => {
                Err(format!("it changes {}, outside of {}", file.display(), sources.display()))
            }
            None if changed.is_empty() => Err("it changes nothing".to_string()),
            None => Ok(changed),
        }
    }

    /// A file of the tree, with its contents.
    fn original(&self, file: PathBuf) -> Result<Original, Error> {
        let path = self.tree().join(&file);
        if !path.exists() {
            return Ok((file, None));
        }
        let contents = fs::read(&path).map_err(|error| Error::io("read", &path, &error))?;
        Ok((file, Some(contents)))
    }

    /// Makes a file what it was. Its time is new, so cargo notices.
    fn restore(&self, (file, contents): Original) -> Result<(), Error> {
        let path = self.tree().join(file);
        let result = match contents {
            Some(contents) => fs::write(&path, contents),
            None => fs::remove_file(&path),
        };
        result.map_err(|error| Error::io("restore", &path, &error))
    }
}

/// Takes a lock that ends with the process at the latest.
fn lock(path: &Path) -> Result<File, Error> {
    let file = File::create(path).map_err(|error| Error::io("create", path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let directory = path.parent().unwrap_or(path).display();
            Err(Error::Harness(format!("another grader is at work in {directory}")))
        }
        Err(TryLockError::Error(error)) => Err(Error::io("lock", path, &error)),
    }
}

/// An empty directory of this name. What a killed grader has left there is removed.
fn fresh_directory(home: &Path, name: &str) -> Result<TempDir, Error> {
    let path = home.join(name);
    if path.exists() {
        fs::remove_dir_all(&path).map_err(|error| Error::io("remove", &path, &error))?;
    }
    tempfile::Builder::new()
        .prefix(name)
        .rand_bytes(0)
        .tempdir_in(home)
        .map_err(|error| Error::io("create", &path, &error))
}

/// Copies a file, with its time if asked to.
fn copy(from: &Path, to: &Path, keep_time: bool) -> Result<(), Error> {
    let directory = to.parent().expect("a copy is below the tree");
    fs::create_dir_all(directory).map_err(|error| Error::io("create", directory, &error))?;
    fs::copy(from, to).map_err(|error| Error::io("copy", from, &error))?;
    if keep_time {
        let modified = from.metadata().and_then(|metadata| metadata.modified());
        modified
            .and_then(|time| File::options().append(true).open(to)?.set_modified(time))
            .map_err(|error| Error::io("set the time of", to, &error))?;
    }
    Ok(())
}
