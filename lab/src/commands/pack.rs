//! `cargo lab pack`: makes the archive to hand in.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use contract::record::Exit;
use judge::{Error, Workspace};

use crate::cli::PackArgs;
use crate::submission;

/// Runs the command. Of the labs, it builds nothing.
pub(crate) fn run(args: &PackArgs) -> Result<Exit, Error> {
    let workspace = Workspace::find()?;
    let labs = submission::labs(&workspace.catalog()?, &args.patterns)?;
    let file = args.output.clone().unwrap_or_else(|| default_name(&labs));
    let anyway = if args.anyway { "yes" } else { "no" };
    let root = workspace.root().as_os_str();
    let words = [OsStr::new("pack"), root, file.as_os_str(), OsStr::new(anyway)];
    submission::run(words.into_iter().chain(labs.iter().map(OsStr::new)))
}

/// The archive's name: that of its lab, or `labs`.
fn default_name(labs: &[String]) -> PathBuf {
    let name = if let [lab] = labs { lab } else { "labs" };
    Path::new(name).with_extension("tar.gz")
}
