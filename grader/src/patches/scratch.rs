//! A copy of the workspace in which patches are applied and built.
//!
//! Everything is under `<target directory>/grader/`: the tree, always at the same path, so that
//! cargo can reuse earlier builds; cargo's target directory, which is kept; and the files of the
//! tests that run. The tree and the files are removed with their owner.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use judge::{Catalog, Error, Workspace, output_of, with_labs_below};
use tempfile::TempDir;

use super::patch::Patch;
use crate::lock::lock;
use crate::sources::{git_in, tracked};

/// The copy, which only this process uses.
#[derive(Debug)]
pub(crate) struct Scratch {
    tree: TempDir,
    files: TempDir,
    target: PathBuf,
    /// The packages that patches may change.
    labs: BTreeSet<String>,
    /// Held until the copy is dropped. The last field, so that it is dropped last.
    _lock: File,
}

/// A file before a patch; `None` if it did not exist.
type Original = (PathBuf, Option<Vec<u8>>);

impl Scratch {
    /// Copies `workspace`, whose labs are in `catalog`.
    ///
    /// # Errors
    /// If another process has a copy, or a file cannot be copied.
    pub(crate) fn new(workspace: &Workspace, catalog: &Catalog) -> Result<Self, Error> {
        let home = workspace.target()?.join("grader");
        fs::create_dir_all(&home).map_err(Error::file("create", &home))?;
        let home = home.canonicalize().map_err(Error::file("find", &home))?;
        let lock = lock(&home.join("lock"))?;
        let tree = fresh_directory(&home, "tree")?;
        let files = fresh_directory(&home, "runs")?;
        let labs = catalog.labs.iter().filter(|lab| !lab.health_check);
        let labs = labs.map(|lab| lab.name.clone()).collect();
        let scratch = Self { tree, files, target: home.join("target"), labs, _lock: lock };
        // Cargo compares times: a file that keeps its time need not be compiled again, as long as
        // it comes from the same place. What was last built of a lab may be of a patched source.
        let origin = home.join("origin");
        let root = workspace.root().to_string_lossy();
        let same_origin = fs::read_to_string(&origin).is_ok_and(|last| last == root);
        for file in tracked(workspace)? {
            let directory = file.iter().next().and_then(|directory| directory.to_str());
            if directory.is_some_and(|name| ["bugs", "variants"].contains(&name)) {
                continue;
            }
            let patched = directory.is_some_and(|name| scratch.labs.contains(name));
            let (from, to) = (workspace.root().join(&file), scratch.tree().join(&file));
            copy(&from, &to, same_origin && !patched)?;
        }
        fs::write(&origin, &*root).map_err(Error::file("write", &origin))?;
        Ok(scratch)
    }

    /// The copy's root.
    pub(crate) fn tree(&self) -> &Path {
        self.tree.path()
    }

    /// The directory in which cargo builds the copy.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The directory for the output and reports of tests.
    pub(crate) fn files(&self) -> &Path {
        self.files.path()
    }

    /// Applies a patch, calls `work`, and reverts the patch. The inner `Err` says why the patch
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

    /// The files that a patch changes. They must be sources of its lab or of the labs that it uses.
    fn changed_by(&self, patch: &Patch) -> Result<Vec<PathBuf>, String> {
        let mut command = git_in(self.tree());
        command.args(["apply", "--numstat"]).arg(&patch.path);
        let list = output_of(&mut command, "git apply").map_err(|error| error.to_string())?;
        let list = String::from_utf8_lossy(&list).into_owned();
        let changed = list.lines().filter_map(|line| line.split('\t').nth(2)).map(PathBuf::from);
        let changed: Vec<PathBuf> = changed.collect();
        let allowed = with_labs_below(self.tree(), &self.labs, &patch.lab);
        let is_source =
            |file: &Path| allowed.iter().any(|lab| file.starts_with(Path::new(lab).join("src")));
        match changed.iter().find(|file| !is_source(file)) {
            Some(file) => {
                let (file, lab) = (file.display(), &patch.lab);
                Err(format!("it changes {file}, which is not in the sources of {lab} or its labs"))
            }
            None if changed.is_empty() => Err("it changes nothing".to_string()),
            None => Ok(changed),
        }
    }

    /// A file of the tree with its contents.
    fn original(&self, file: PathBuf) -> Result<Original, Error> {
        let path = self.tree().join(&file);
        if !path.exists() {
            return Ok((file, None));
        }
        let contents = fs::read(&path).map_err(Error::file("read", &path))?;
        Ok((file, Some(contents)))
    }

    /// Restores a file. Its modification time is new, so that cargo builds it again.
    fn restore(&self, (file, contents): Original) -> Result<(), Error> {
        let path = self.tree().join(file);
        let result = match contents {
            Some(contents) => fs::write(&path, contents),
            None => fs::remove_file(&path),
        };
        result.map_err(Error::file("restore", &path))
    }
}

/// An empty directory of this name. Removes what a killed grader left there.
fn fresh_directory(home: &Path, name: &str) -> Result<TempDir, Error> {
    let path = home.join(name);
    if path.exists() {
        fs::remove_dir_all(&path).map_err(Error::file("remove", &path))?;
    }
    tempfile::Builder::new()
        .prefix(name)
        .rand_bytes(0)
        .tempdir_in(home)
        .map_err(Error::file("create", &path))
}

/// Copies a file, and its modification time if `keep_time` is set.
fn copy(from: &Path, to: &Path, keep_time: bool) -> Result<(), Error> {
    let directory = to.parent().expect("a copy is below the tree");
    fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
    fs::copy(from, to).map_err(Error::file("copy", from))?;
    if keep_time {
        let modified = from.metadata().and_then(|metadata| metadata.modified());
        modified
            .and_then(|time| File::options().append(true).open(to)?.set_modified(time))
            .map_err(Error::file("set the time of", to))?;
    }
    Ok(())
}
