//! Stored runs and their statistics.

mod clock;
pub(crate) mod plan;
pub(crate) mod run_dir;
pub(crate) mod stats;
pub(crate) mod summary;

use std::path::PathBuf;

use judge::Workspace;

/// The default directory for the directories of runs.
pub(crate) fn runs(workspace: &Workspace) -> PathBuf {
    workspace.root().join("lab-runs")
}
