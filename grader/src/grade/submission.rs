//! Reads what is submitted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use judge::{Error, Workspace};
use submission::archive::{self, Unpacked};
use submission::tree::{self, Tree};
use tempfile::TempDir;

use super::slot::Sources;
use crate::handout::release::hash;

/// The sources of one student or team.
#[derive(Debug)]
pub(crate) struct Submission {
    /// The name of its directory or archive.
    pub(crate) id: String,
    /// The hash of its files, as `cargo lab pack` prints it.
    pub(crate) hash: String,
    /// The sources of each submitted lab.
    pub(crate) labs: BTreeMap<String, Sources>,
    /// Files that are not graded.
    pub(crate) ignored: Vec<String>,
    /// Why it is not graded at all.
    pub(crate) refused: Option<String>,
    /// Whether it comes from outside of this workspace.
    pub(crate) is_foreign: bool,
}

/// Archives that can be read, by the end of their names.
const ARCHIVES: [&str; 4] = [".tar.gz", ".tgz", ".tar", ".zip"];

impl Submission {
    /// The workspace's own solutions.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(crate) fn of_workspace(workspace: &Workspace) -> Result<Self, Error> {
        let catalog = workspace.catalog()?;
        let labs = catalog.labs.iter().filter(|lab| !lab.health_check);
        let labs: Vec<&str> = labs.map(|lab| &*lab.name).collect();
        let root = workspace.root();
        let tree = Tree::read(root, &labs).map_err(Error::file("read", root))?;
        Self::read("workspace".to_string(), root, &tree, false)
    }

    /// The submission at a path, which may be an archive. If it has only one lab, `single`, its
    /// `src/` may stand at the top.
    ///
    /// # Errors
    /// If the machine has a problem. A problem of the submission is its refusal.
    fn of_stranger(path: &Path, labs: &[&str], single: Option<&str>) -> Result<Self, Error> {
        let id = id_of(path);
        let directory = TempDir::new().map_err(Error::file("create", Path::new("a directory")))?;
        let to = directory.path().join("files");
        match archive::unpack(path, labs, single, &to) {
            Ok(Unpacked { tree, ignored }) => {
                Ok(Self { ignored, ..Self::read(id, &to, &tree, true)? })
            }
            Err(submission::Error::Refused(reason)) => Ok(Self {
                id,
                // Another archive that is refused is another submission.
                hash: hash(&fs::read(path).unwrap_or_else(|_| reason.clone().into_bytes()))[..12]
                    .to_string(),
                labs: BTreeMap::new(),
                ignored: Vec::new(),
                refused: Some(reason),
                is_foreign: true,
            }),
            Err(error) => Err(Error::harness(format!("{}: {error}", path.display()))),
        }
    }

    /// The submission whose files, in `tree`, are below `root`.
    fn read(id: String, root: &Path, tree: &Tree, is_foreign: bool) -> Result<Self, Error> {
        let mut labs: BTreeMap<String, Sources> = BTreeMap::new();
        for file in &tree.files {
            let (lab, path) = file.path.split_once("/src/").unwrap_or_default();
            let from = root.join(&file.path);
            let contents = fs::read(&from).map_err(Error::file("read", &from))?;
            labs.entry(lab.to_string()).or_default().insert(PathBuf::from(path), contents);
        }
        let hash = tree.hash(root).map_err(Error::file("read", root))?;
        let hash = tree::short(&hash).to_string();
        Ok(Self { id, hash, labs, ignored: tree.ignored.clone(), refused: None, is_foreign })
    }
}

/// The submissions at these paths. A directory without a lab contains submissions.
///
/// # Errors
/// If a path cannot be read, or two submissions have the same name.
pub(crate) fn find(
    paths: &[PathBuf],
    labs: &[&str],
    single: Option<&str>,
) -> Result<Vec<Submission>, Error> {
    let mut found = Vec::new();
    for path in paths {
        // A path like `.` has no name.
        let path = &path.canonicalize().map_err(Error::file("find", path))?;
        if is_submission(path, labs, single) {
            found.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in path.read_dir().map_err(Error::file("read", path))? {
            let entry = entry.map_err(Error::file("read", path))?.path();
            if entry.is_dir() || is_archive(&entry) {
                inside.push(entry);
            }
        }
        if inside.is_empty() {
            let path = path.display();
            let problem = format!("{path} contains neither <lab>/src nor submissions");
            return Err(Error::NothingMatched(problem));
        }
        inside.sort();
        found.extend(inside);
    }
    let mut ids = BTreeSet::new();
    if let Some(path) = found.iter().find(|path| !ids.insert(id_of(path))) {
        let problem = format!("two submissions are called '{}': rename one", id_of(path));
        return Err(Error::harness(problem));
    }
    found.iter().map(|path| Submission::of_stranger(path, labs, single)).collect()
}

/// Whether a path is one submission: an archive, or a directory with a lab in it, or with one
/// directory that has a lab in it.
fn is_submission(path: &Path, labs: &[&str], single: Option<&str>) -> bool {
    let has_lab = |path: &Path| {
        let is_single = single.is_some() && path.join("src").is_dir();
        is_single || labs.iter().any(|lab| path.join(lab).join("src").is_dir())
    };
    let inside = || path.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let mut directories = inside().filter(|path| path.is_dir());
    let is_wrapped = directories.next().is_some_and(|path| has_lab(&path))
        && directories.next().is_none()
        && !inside().any(|path| is_archive(&path));
    path.is_file() || has_lab(path) || is_wrapped
}

/// Whether a file has the name of an archive.
fn is_archive(path: &Path) -> bool {
    let name = path.to_string_lossy().to_lowercase();
    ARCHIVES.iter().any(|end| name.ends_with(end))
}

/// The name of a directory, or of an archive without its ending.
fn id_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let end = ARCHIVES.iter().find(|end| name.to_lowercase().ends_with(**end));
    match end {
        Some(end) if path.is_file() => name[..name.len() - end.len()].to_string(),
        _ => name.into_owned(),
    }
}
