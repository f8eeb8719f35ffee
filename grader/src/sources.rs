//! The source tree: its files.

use std::collections::BTreeSet;
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
