//! Writes a handout into a new repository, or as a new release into an existing one.

use std::fs;
use std::path::Path;
use std::process::Command;

use judge::{Error, Workspace, output_of};

use super::contents::{Handout, Owner};
use super::release::{self, RELEASE, Release};
use crate::sources::git_in;

/// The author of the commit if the user has no identity in git's configuration.
const AUTHOR: [&str; 4] = ["-c", "user.name=Course staff", "-c", "user.email=staff@course.invalid"];

/// Writes the handout and commits it. Returns what was done.
///
/// # Errors
/// If `out` has other contents or changes that are not committed, or a file cannot be written.
pub(crate) fn write(workspace: &Workspace, handout: &Handout, out: &Path) -> Result<String, Error> {
    fs::create_dir_all(out).map_err(Error::file("create", out))?;
    let is_empty = out.read_dir().map_err(Error::file("read", out))?.next().is_none();
    match release::read(out)? {
        Some(old) => update(workspace, handout, out, &old),
        None if is_empty => {
            handout.write(out)?;
            git(out, &["init", "--quiet", "--initial-branch=main"])?;
            commit(workspace, out)?;
            Ok(format!("{}: a new handout, {} files", out.display(), handout.files.len()))
        }
        None => {
            let path = out.display();
            Err(Error::harness(format!("{path} is neither empty nor a handout: choose another")))
        }
    }
}

/// Replaces the locked files of a handout, and adds labs that it does not have yet.
fn update(
    workspace: &Workspace,
    handout: &Handout,
    out: &Path,
    old: &Release,
) -> Result<String, Error> {
    let state = git(out, &["status", "--porcelain"])?;
    if !state.is_empty() {
        let path = out.display();
        return Err(Error::harness(format!("{path} has changes that are not committed")));
    }
    for path in old.locked.keys().filter(|path| !handout.files.contains_key(*path)) {
        let path = out.join(path);
        if path.exists() {
            fs::remove_file(&path).map_err(Error::file("remove", &path))?;
        }
    }
    for (path, file) in &handout.files {
        let lab = path.iter().next().and_then(|lab| lab.to_str()).unwrap_or_default();
        let is_new = !old.labs.iter().any(|old| old == lab);
        if file.owner == Owner::Staff || is_new {
            file.write(&out.join(path))?;
        }
    }
    if git(out, &["status", "--porcelain"])?.is_empty() {
        return Ok(format!("{}: nothing has changed", out.display()));
    }
    commit(workspace, out)?;
    let changed = git(out, &["show", "--name-only", "--format=", "HEAD"])?;
    let count = String::from_utf8_lossy(&changed).lines().count();
    Ok(format!("{}: a new release, {count} files have changed", out.display()))
}

/// Commits all files, with the date of the workspace's last commit: the same sources make the same
/// commit.
fn commit(workspace: &Workspace, out: &Path) -> Result<(), Error> {
    let mut dated = Command::new("git");
    dated.current_dir(workspace.root()).args(["log", "-1", "--format=%cI"]);
    let date = output_of(&mut dated, "git log")?;
    let date = String::from_utf8_lossy(&date).trim().to_string();
    let release = release::read(out)?;
    let release = release.ok_or_else(|| Error::harness(format!("{RELEASE} is missing")))?;
    // Without the user's own ignore list: `.vscode` is often in it.
    git(out, &["-c", "core.excludesFile=", "add", "--all", "."])?;
    let has_author = git(out, &["config", "user.email"]).is_ok();
    let mut command = git_in(out);
    command.args(if has_author { &AUTHOR[..0] } else { &AUTHOR });
    command.args(["-c", "commit.gpgsign=false", "commit", "--quiet", "--no-verify", "--message"]);
    command.arg(format!("Release {} ({})", release.version, release.release));
    command.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
    output_of(&mut command, "git commit").map(drop)
}

/// Runs git in `directory` and returns its output.
///
/// # Errors
/// If it fails.
pub(crate) fn git(directory: &Path, arguments: &[&str]) -> Result<Vec<u8>, Error> {
    output_of(git_in(directory).args(arguments), &format!("git {}", arguments.join(" ")))
}
