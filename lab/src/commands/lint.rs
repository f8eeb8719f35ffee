//! `cargo lab lint`: checks sources against the list of what student code may name.

use std::ffi::OsStr;

use contract::record::Exit;
use judge::{Error, Workspace};

use crate::cli::LintArgs;
use crate::submission;

/// Runs the command. Of the labs, it builds nothing.
pub(crate) fn run(args: &LintArgs) -> Result<Exit, Error> {
    let workspace = Workspace::find()?;
    let labs = submission::labs(&workspace.catalog()?, &args.patterns)?;
    let words = [OsStr::new("lint"), workspace.root().as_os_str()];
    submission::run(words.into_iter().chain(labs.iter().map(OsStr::new)))
}
