//! Where the labs are, and where results go.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The file that makes a directory the root of the labs.
const CATALOG: &str = "lab/labs.toml";

/// The tree that holds the labs.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// Its directory.
    root: PathBuf,
}

impl Workspace {
    /// The workspace that the current directory is in.
    pub(crate) fn find() -> Result<Self, Error> {
        let here = env::current_dir().map_err(|error| {
            Error::harness(format!("cannot tell the current directory: {error}"))
        })?;
        let root = here.ancestors().find(|directory| directory.join(CATALOG).is_file());
        let root = root.ok_or_else(|| {
            Error::harness(format!(
                "neither {} nor a directory above it holds {CATALOG}: run this inside the labs",
                here.display()
            ))
        })?;
        Ok(Self { root: root.to_path_buf() })
    }

    /// The workspace's directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The list of all tests.
    pub(crate) fn catalog(&self) -> PathBuf {
        self.root.join(CATALOG)
    }

    /// Where directories of runs are.
    pub(crate) fn runs(&self) -> PathBuf {
        self.root.join("lab-runs")
    }

    /// A path as a person at the workspace's root would type it.
    pub(crate) fn shorten<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}
