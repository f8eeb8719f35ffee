//! Runs the program `submission`, which checks sources and makes archives.
//!
//! It has a parser for Rust in it, which takes longer to build than all of `cargo lab`. So it is a
//! program of its own, built from the same tree and into the same directory when it is first
//! needed.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use contract::record::Exit;
use judge::catalog::Catalog;
use judge::{Error, Workspace, cargo};

use crate::select::Selection;
use crate::term;

/// The labs that these patterns name, and that are handed in.
pub(crate) fn labs(catalog: &Catalog, patterns: &[String]) -> Result<Vec<String>, Error> {
    let selection = Selection::new(patterns);
    let labs = selection.labs(catalog)?.into_iter().filter(|lab| !lab.health_check);
    let labs: Vec<String> = labs.map(|lab| lab.name.clone()).collect();
    if labs.is_empty() {
        let problem = format!("'{}' is not a lab that is handed in", selection.label());
        return Err(Error::NothingMatched(problem));
    }
    Ok(labs)
}

/// Runs `submission` with `words`, and returns how it ended.
pub(crate) fn run<W: AsRef<OsStr>>(words: impl IntoIterator<Item = W>) -> Result<Exit, Error> {
    let mut command = Command::new(build()?);
    let status = command.args(words).status();
    let status =
        status.map_err(|error| Error::harness(format!("cannot run submission: {error}")))?;
    match status.code() {
        Some(0) => Ok(Exit::Passed),
        Some(1) => Ok(Exit::Failed),
        _ => Ok(Exit::Harness), // It has said why.
    }
}

/// After a red test: prints a few lines of these labs that the grader refuses, since they may be
/// the cause.
pub(crate) fn show_refused(workspace: &Workspace, labs: &[&str]) {
    let words = [OsStr::new("brief"), workspace.root().as_os_str()];
    let result = run(words.into_iter().chain(labs.iter().map(OsStr::new)));
    if let Err(error) = result {
        term::note(format!("the sources were not checked: {error}"));
    }
}

/// Builds the program and returns its path.
fn build() -> Result<PathBuf, Error> {
    let lost = || Error::harness("cannot find the directory of this program");
    let here = env::current_exe().map_err(|_| lost())?;
    // target/debug/lab
    let directory = here.parent().ok_or_else(lost)?;
    let target = directory.parent().ok_or_else(lost)?;
    let profile = match directory.file_name().ok_or_else(lost)? {
        name if name == "debug" => OsStr::new("dev"),
        name => name,
    };
    let program = directory.join(format!("submission{}", env::consts::EXE_SUFFIX));
    let mut command = cargo();
    command.args(["build", "-p", "submission"]);
    if program.exists() {
        command.arg("-q");
    } else {
        term::echo(&command);
    }
    command.args(["--bin", "submission", "--manifest-path"]).arg(manifest());
    command.arg("--profile").arg(profile).arg("--target-dir").arg(target);
    let status = command.status();
    let status = status.map_err(|error| Error::harness(format!("cannot run cargo: {error}")))?;
    if !status.success() {
        return Err(Error::DoesNotCompile("submission".to_string()));
    }
    Ok(program)
}

/// The manifest of the workspace from which this program was built.
fn manifest() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).join("Cargo.toml")
}
