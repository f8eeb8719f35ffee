//! What is kept of runs, and what they add up to.

mod clock;
pub(crate) mod plan;
pub(crate) mod run_dir;
pub(crate) mod stats;
pub(crate) mod summary;

use std::path::PathBuf;

use judge::Workspace;

/// Where directories of runs are, unless a command says otherwise.
pub(crate) fn runs(workspace: &Workspace) -> PathBuf {
    workspace.root().join("lab-runs")
}

/// Where copies of the built tests are while they are in use.
pub(crate) fn builds(workspace: &Workspace) -> PathBuf {
    runs(workspace).join("builds")
}
