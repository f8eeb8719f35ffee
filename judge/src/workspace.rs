//! Finds the labs.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::catalog::Catalog;
use crate::error::Error;

/// The file that marks a directory as the root of the labs.
const CATALOG: &str = "lab/labs.toml";

/// The source tree of the labs.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace that contains the current directory.
    ///
    /// # Errors
    /// If the current directory is not in a workspace.
    pub fn find() -> Result<Self, Error> {
        let here = env::current_dir().map_err(|error| {
            Error::harness(format!("cannot find the current directory: {error}"))
        })?;
        let root = here.ancestors().find(|directory| directory.join(CATALOG).is_file());
        let root = root.ok_or_else(|| {
            Error::harness(format!(
                "neither {} nor a directory above it contains {CATALOG}: run this inside the labs",
                here.display()
            ))
        })?;
        Ok(Self::at(root))
    }

    /// The workspace with this root.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The root directory of the workspace.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The list of all tests.
    ///
    /// # Errors
    /// If it cannot be read or parsed.
    pub fn catalog(&self) -> Result<Catalog, Error> {
        Catalog::read(&self.root.join(CATALOG))
    }

    /// Cargo's target directory.
    ///
    /// # Errors
    /// If cargo cannot be run or fails.
    pub fn target(&self) -> Result<PathBuf, Error> {
        #[derive(Deserialize)]
        struct Metadata {
            target_directory: PathBuf,
        }
        let mut command = cargo();
        command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(&self.root);
        let metadata = output_of(&mut command, "cargo metadata")?;
        let metadata: Metadata = serde_json::from_slice(&metadata)
            .map_err(|error| Error::harness(format!("cargo metadata: {error}")))?;
        Ok(metadata.target_directory)
    }

    /// The path relative to the workspace's root, if it is inside the workspace.
    pub fn shorten<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}

/// A lab of `labs` and the labs that it depends on, in the tree at `root`.
pub fn with_labs_below<'a>(
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

/// The cargo that runs this program, or else the one in the `PATH`.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// Runs a command and returns its standard output.
///
/// # Errors
/// If the command fails; the error contains its standard error.
pub fn output_of(command: &mut Command, name: &str) -> Result<Vec<u8>, Error> {
    let output =
        command.output().map_err(|error| Error::harness(format!("cannot run {name}: {error}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(Error::harness(format!("{name} failed: {}", error.trim_end())))
}
