//! The source tree: its files, and which lab uses which.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use judge::{Error, Workspace, output_of};

/// The files of a workspace, relative to its root: the files that git tracks, and new files that it
/// does not ignore.
///
/// # Errors
/// If it is not a git working tree.
pub(crate) fn tracked(workspace: &Workspace) -> Result<BTreeSet<PathBuf>, Error> {
    let mut command = Command::new("git");
    command.current_dir(workspace.root());
    command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let list = output_of(&mut command, "git ls-files")?;
    let names = list.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let files = names.map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned()));
    // The index may list a file that was removed.
    Ok(files.filter(|file| workspace.root().join(file).is_file()).collect())
}

/// Git outside of any repository: the paths of a patch are relative to `directory`, even if a
/// repository contains it.
pub(crate) fn git_in(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(directory);
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(variable);
    }
    command.env("GIT_CEILING_DIRECTORIES", directory.parent().unwrap_or(directory));
    command
}

/// A lab of `labs` and the labs that it depends on, in the tree at `root`.
pub(crate) fn with_labs_below<'a>(
    root: &Path,
    labs: &'a BTreeSet<String>,
    lab: &'a str,
) -> BTreeSet<&'a str> {
    let mut below = BTreeSet::from([lab]);
    let mut open = vec![lab];
    while let Some(lab) = open.pop() {
        let manifest = root.join(lab).join("Cargo.toml");
        let manifest = fs::read_to_string(manifest).unwrap_or_default();
        let dependencies = manifest.split_once("[dependencies]").map_or("", |(_, rest)| rest);
        let dependencies = dependencies.lines().take_while(|line| !line.starts_with('['));
        let names = dependencies.filter_map(|line| line.split(['.', ' ', '=']).next());
        let names = names.filter_map(|name| labs.get(name)).map(|name| &**name);
        open.extend(names.filter(|name| below.insert(name)));
    }
    below
}
