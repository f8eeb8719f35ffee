//! Reads what is submitted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use judge::{Error, Workspace};
use sha2::{Digest as _, Sha256};

use super::slot::{Sources, files_below};
use crate::handout::hex;

/// The sources of one student or team.
#[derive(Debug)]
pub(crate) struct Submission {
    /// The name of its directory or archive.
    pub(crate) id: String,
    /// The sources of each submitted lab.
    pub(crate) labs: BTreeMap<String, Sources>,
    /// Files that are not graded.
    pub(crate) ignored: Vec<String>,
    /// Whether it comes from outside of this workspace.
    pub(crate) is_foreign: bool,
}

impl Submission {
    /// The workspace's own solutions.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(crate) fn of_workspace(workspace: &Workspace) -> Result<Self, Error> {
        let mut labs = BTreeMap::new();
        for lab in workspace.catalog()?.labs.iter().filter(|lab| !lab.health_check) {
            labs.insert(lab.name.clone(), sources(&workspace.root().join(&lab.name).join("src"))?);
        }
        let id = "workspace".to_string();
        Ok(Self { id, labs, ignored: Vec::new(), is_foreign: false })
    }

    /// A hash of the sources: twelve hexadecimal digits.
    pub(crate) fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for (lab, sources) in &self.labs {
            for (path, contents) in sources {
                let digest = hex(&Sha256::digest(contents));
                hash.update(format!("{digest}  {lab}/src/{}\n", path.display()));
            }
        }
        hex(&hash.finalize())[..12].to_string()
    }
}

/// The submissions at these paths.
///
/// # Errors
/// If a path cannot be read.
pub(crate) fn find(paths: &[PathBuf]) -> Result<Vec<Submission>, Error> {
    paths.iter().map(|path| from_directory(path)).collect()
}

/// The submission in a directory.
fn from_directory(path: &Path) -> Result<Submission, Error> {
    let id = path.file_name().map_or("submission".into(), |name| name.to_string_lossy());
    let mut labs = BTreeMap::new();
    for entry in path.read_dir().map_err(Error::file("read", path))? {
        let entry = entry.map_err(Error::file("read", path))?;
        let source = entry.path().join("src");
        if source.is_dir() {
            labs.insert(entry.file_name().to_string_lossy().into_owned(), sources(&source)?);
        }
    }
    Ok(Submission { id: id.into_owned(), labs, ignored: Vec::new(), is_foreign: true })
}

/// The files in a lab's `src/`.
fn sources(directory: &Path) -> Result<Sources, Error> {
    let files = files_below(directory)?.into_iter();
    files
        .map(|path| {
            let from = directory.join(&path);
            let contents = fs::read(&from).map_err(Error::file("read", &from))?;
            Ok((path, contents))
        })
        .collect()
}
