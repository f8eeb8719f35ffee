//! `cargo lab pack`: makes the archive to hand in.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use contract::record::Exit;
use judge::{Error, Workspace, with_labs_below};

use crate::cli::PackArgs;
use crate::submission;

/// Runs the command. Of the labs, it builds nothing.
///
/// The grader blocks a lab if one that it uses is neither in the archive nor given, so those below are
/// packed too.
pub(crate) fn run(args: &PackArgs) -> Result<Exit, Error> {
    let workspace = Workspace::find()?;
    let catalog = workspace.catalog()?;
    let asked = submission::labs(&catalog, &args.patterns)?;
    let file = args.output.clone().unwrap_or_else(|| default_name(&asked));
    let all: BTreeSet<String> = submission::labs(&catalog, &[])?.into_iter().collect();
    let labs = asked.iter().flat_map(|lab| with_labs_below(workspace.root(), &all, lab));
    let labs: BTreeSet<&str> = labs.collect();
    let below = labs.into_iter().filter(|lab| !asked.iter().any(|asked| asked == lab));
    let anyway = if args.anyway { "yes" } else { "no" };
    let root = workspace.root().as_os_str();
    let words = [OsStr::new("pack"), root, file.as_os_str(), OsStr::new(anyway)];
    let words = words.into_iter().chain(asked.iter().map(OsStr::new));
    submission::run(words.chain([OsStr::new("--")]).chain(below.map(OsStr::new)))
}

/// The archive's name: that of its lab, or `labs`.
fn default_name(labs: &[String]) -> PathBuf {
    let name = if let [lab] = labs { lab } else { "labs" };
    Path::new(name).with_extension("tar.gz")
}
