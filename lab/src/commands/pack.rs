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
/// The grader gives no points for a lab that uses another one which is not in the archive, so those
/// are packed too.
pub(crate) fn run(args: &PackArgs) -> Result<Exit, Error> {
    let workspace = Workspace::find()?;
    let catalog = workspace.catalog()?;
    let asked = submission::labs(&catalog, &args.patterns)?;
    let file = args.output.clone().unwrap_or_else(|| default_name(&asked));
    let all = submission::labs(&catalog, &[])?;
    let names: BTreeSet<String> = all.iter().cloned().collect();
    let below = asked.iter().flat_map(|lab| with_labs_below(workspace.root(), &names, lab));
    let wanted: BTreeSet<&str> = below.collect();
    let labs = all.iter().filter(|lab| wanted.contains(lab.as_str()));
    let anyway = if args.anyway { "yes" } else { "no" };
    let root = workspace.root().as_os_str();
    let words = [OsStr::new("pack"), root, file.as_os_str(), OsStr::new(anyway)];
    submission::run(words.into_iter().chain(labs.map(OsStr::new)))
}

/// The archive's name: that of its lab, or `labs`.
fn default_name(labs: &[String]) -> PathBuf {
    let name = if let [lab] = labs { lab } else { "labs" };
    Path::new(name).with_extension("tar.gz")
}
