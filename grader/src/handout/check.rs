//! `cargo grader handout --check`: whether a handout is what students need.

use contract::record::Exit;
use judge::{Error, Workspace};

use super::contents::{Handout, Selection};
use super::leak::Solutions;
use crate::progress::Progress;

/// Runs all checks, and prints a line for each.
///
/// # Errors
/// If a check cannot be made.
pub(crate) fn run(
    workspace: &Workspace,
    handout: &Handout,
    selection: &Selection,
    progress: &Progress,
) -> Result<Exit, Error> {
    progress.set("looking for parts of solutions".to_string());
    let leaks = Solutions::read(workspace, handout, selection)?.leaks(handout)?;
    for leak in &leaks {
        let (file, line, text) = (leak.file.display(), leak.line, &leak.text);
        progress.print(&format!("{file}:{line}: a part of a solution: {text}"));
    }
    Ok(if leaks.is_empty() { Exit::Passed } else { Exit::Failed })
}
