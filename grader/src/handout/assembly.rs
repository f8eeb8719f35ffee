//! Puts a handout together.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use judge::{Error, Workspace, cargo, output_of};
use tempfile::TempDir;

use super::contents::{File, Handout, LINTS, Selection, place};
use super::{links, manifest, mistakes, release};
use crate::sources::tracked;

impl Handout {
    /// The handout of a workspace.
    ///
    /// # Errors
    /// If a file cannot be read, or a skeleton is missing.
    pub(crate) fn new(workspace: &Workspace, selection: &Selection) -> Result<Self, Error> {
        let mut files = BTreeMap::new();
        for path in tracked(workspace)? {
            let Some((to, owner)) = place(&path, selection) else { continue };
            let from = workspace.root().join(&path);
            let contents = fs::read(&from).map_err(Error::file("read", &from))?;
            let mode = from.metadata().map_err(Error::file("read", &from))?.permissions().mode();
            files.insert(to, File { contents, is_executable: mode & 0o111 != 0, owner });
        }
        let mut handout = Self { files };
        for lab in &selection.labs {
            if !handout.files.contains_key(&Path::new(lab).join("src/lib.rs")) {
                let missing = format!("{lab} has no skeleton: handout/{lab}/src/lib.rs is missing");
                return Err(Error::harness(missing));
            }
        }
        manifest::adapt(&mut handout, selection, &workspace.root().join(LINTS))?;
        links::adapt(&mut handout, selection);
        mistakes::add(&mut handout, workspace, selection)?;
        handout.shorten_lock_file()?;
        release::describe(&mut handout, selection)?;
        Ok(handout)
    }

    /// Removes the packages from `Cargo.lock` that the handout does not use. Cargo itself does it.
    fn shorten_lock_file(&mut self) -> Result<(), Error> {
        let directory = TempDir::new().map_err(Error::file("create", Path::new("a directory")))?;
        self.write(directory.path())?;
        let mut command = cargo();
        command.args(["metadata", "--offline", "--format-version", "1"]);
        command.current_dir(directory.path());
        output_of(&mut command, "cargo metadata --offline (is `cargo fetch` needed?)")?;
        let path = directory.path().join("Cargo.lock");
        let contents = fs::read(&path).map_err(Error::file("read", &path))?;
        self.insert("Cargo.lock", contents);
        Ok(())
    }
}
