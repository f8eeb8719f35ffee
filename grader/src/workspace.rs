//! The workspace that is graded, as cargo and git see it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::error::Error;

/// Where the sources are, and where cargo builds.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Workspace {
    /// The directory of the workspace's manifest.
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds.
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// The workspace around the current directory.
    ///
    /// # Errors
    /// If cargo finds none.
    pub(crate) fn find() -> Result<Self, Error> {
        let mut command = cargo();
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata = output_of(&mut command, "cargo metadata")?;
        serde_json::from_slice(&metadata)
            .map_err(|error| Error::Harness(format!("cargo metadata: {error}")))
    }

    /// The files that make up the workspace, relative to its root: all that git tracks, and what it
    /// would track.
    ///
    /// # Errors
    /// If this is no git working tree.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>, Error> {
        let mut command = Command::new("git");
        command.current_dir(&self.root);
        command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let list = output_of(&mut command, "git ls-files")?;
        let mut files: Vec<PathBuf> = list
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty())
            .map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned()))
            .collect();
        files.sort();
        files.dedup();
        // A file that was removed, but not yet from the index.
        files.retain(|file| self.root.join(file).is_file());
        Ok(files)
    }
}

/// The cargo that runs this program, or else the one on the path.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// Git outside of any repository: a patch's paths are relative to `directory`, whatever repository
/// may be around it.
pub(crate) fn git_in(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(directory);
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(variable);
    }
    command.env("GIT_CEILING_DIRECTORIES", directory.parent().unwrap_or(directory));
    command
}

/// What a command prints.
///
/// # Errors
/// With what it prints as an error, if it fails.
pub(crate) fn output_of(command: &mut Command, name: &str) -> Result<Vec<u8>, Error> {
    let output =
        command.output().map_err(|error| Error::Harness(format!("cannot run {name}: {error}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(Error::Harness(format!("{name} failed: {}", error.trim_end())))
}
