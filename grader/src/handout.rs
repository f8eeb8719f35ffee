//! The handout: the tree that students start from.
//!
//! It has the test infrastructure, the grading tests, the files of each lab that are given, the
//! guides, and a skeleton in the place of each reference solution. Files that students do not
//! change are *locked*: `handout.toml` lists them with their hashes, and a later release may replace
//! them. Submissions are graded in the same tree.
//!
//! | module | what it does |
//! |---|---|
//! | [`assembly`] | puts a handout together |
//! | [`contents`] | which files the handout has, and what is in them |
//! | [`manifest`] | adapts manifests, the catalog and cargo's configuration |
//! | [`links`] | removes links to labs that it does not have, and finds dead links |
//! | [`mistakes`] | which mistakes a test finds, for `cargo lab explain` |
//! | [`release`] | `handout.toml`: version and locked files |
//! | [`repository`] | writes a handout into a new or an existing repository |
//! | [`check`] | `--check`: whether students can work with it, and whether a solution leaks |

mod assembly;
mod check;
pub(crate) mod contents;
mod leak;
mod links;
mod manifest;
mod mistakes;
pub(crate) mod release;
mod repository;

use contract::record::Exit;
use judge::{Error, Workspace};

use crate::cli::HandoutOptions;
use crate::handout::contents::{Handout, Selection};
use crate::progress::{ProgressLine, print};

/// Runs the command.
///
/// # Errors
/// If the handout cannot be made.
pub(crate) fn run(options: &HandoutOptions) -> Result<Exit, Error> {
    let workspace = Workspace::find()?;
    let selection = Selection::new(&workspace, &options.labs, &options.given)?;
    let progress = ProgressLine::new();
    progress.set("collecting the files".to_string());
    let handout = Handout::new(&workspace, &selection)?;
    if options.check {
        let exit = check::run(&workspace, &handout, &selection, &progress)?;
        if exit != Exit::Passed {
            return Ok(exit);
        }
    }
    if let Some(out) = &options.out {
        progress.set(format!("writing {}", out.display()));
        let done = repository::write(&workspace, &handout, out)?;
        progress.print(&done);
    }
    drop(progress);
    if !selection.given.is_empty() {
        let given: Vec<&str> = selection.given.iter().map(|lab| &**lab).collect();
        print(&format!("this handout contains the solution of {}", given.join(", ")));
    }
    Ok(Exit::Passed)
}
