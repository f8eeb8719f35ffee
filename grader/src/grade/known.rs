//! Sources that no submission should contain: those of the reference, of its variants, and of
//! earlier terms. A copy is a flag for the staff and changes no score.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ::submission::similar::fingerprint;
use judge::{Error, Workspace};
use tempfile::TempDir;

use super::results::Copied;
use super::slot::{Sources, files_below};
use super::submission::{self, Submission};
use crate::cli::GradeOptions;
use crate::handout::contents::Handout;
use crate::patches::patch::{Patch, matching};
use crate::progress::ProgressLine;
use crate::sources::git_in;

/// The directory of the variants.
const VARIANTS: &str = "variants";

/// Known files, by their fingerprints.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Those that all have from the handout.
    common: BTreeSet<String>,
    /// Where the others are.
    sources: BTreeMap<String, BTreeSet<String>>,
}

impl Known {
    /// Reads the files of the course and of earlier terms; none to grade the workspace itself.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(crate) fn open(
        workspace: &Workspace,
        handout: &Handout,
        reference: &Submission,
        options: &GradeOptions,
        progress: &ProgressLine,
    ) -> Result<Self, Error> {
        let mut known = Self::default();
        if options.submissions.is_empty() {
            return Ok(known);
        }
        let of_handout = handout.files.iter().filter(|(path, _)| has_end(path, "rs"));
        known.common = of_handout.filter_map(|(_, file)| fingerprint(&file.contents)).collect();
        known.add("the reference", reference);
        let unread = known.add_variants(workspace.root(), reference)?;
        if !unread.is_empty() {
            let unread = unread.join(", ");
            progress.print(&format!("not compared, since the patch does not apply: {unread}"));
        }
        let labs: Vec<&str> = reference.labs.keys().map(|lab| &**lab).collect();
        for directory in &options.past {
            let name = directory.file_name().unwrap_or_default().to_string_lossy();
            for earlier in submission::find(std::slice::from_ref(directory), &labs, None)? {
                known.add(&format!("{name}/{}", earlier.id), &earlier);
            }
        }
        Ok(known)
    }

    /// Adds the files that variants change. Returns the variants that cannot be read.
    fn add_variants(&mut self, root: &Path, reference: &Submission) -> Result<Vec<String>, Error> {
        let mut unread = Vec::new();
        if !root.join(VARIANTS).is_dir() {
            return Ok(unread);
        }
        let of_reference: BTreeSet<String> = self.sources.keys().cloned().collect();
        for patch in matching(root, VARIANTS, None)? {
            let Some(sources) = reference.labs.get(&patch.lab) else { continue };
            let Some(files) = patched(&patch, sources)? else {
                unread.push(patch.to_string());
                continue;
            };
            let prints = files.iter().filter_map(|contents| fingerprint(contents));
            for print in prints.filter(|print| !of_reference.contains(print)) {
                self.insert(print, &format!("variant {patch}"));
            }
        }
        Ok(unread)
    }

    /// The fingerprints of a submission's files, and the files that are known. None of this
    /// workspace itself.
    pub(crate) fn of(&self, submission: &Submission) -> (BTreeMap<String, String>, Vec<Copied>) {
        if !submission.is_foreign {
            return (BTreeMap::new(), Vec::new());
        }
        let files = self.files(submission);
        let copies = self.copies(&files);
        (files, copies)
    }

    /// The fingerprints of a submission's files, by path. Files that the handout has are not in it.
    fn files(&self, submission: &Submission) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for (lab, sources) in &submission.labs {
            for (path, contents) in sources {
                let print = fingerprint(contents).filter(|print| !self.common.contains(print));
                if let Some(print) = print {
                    files.insert(format!("{lab}/src/{}", path.display()), print);
                }
            }
        }
        files
    }

    /// Which of these files are known.
    fn copies(&self, files: &BTreeMap<String, String>) -> Vec<Copied> {
        let mut copies = Vec::new();
        for (file, print) in files {
            let places = self.sources.get(print).into_iter().flatten();
            copies.extend(places.map(|of| Copied { file: file.clone(), of: of.clone() }));
        }
        copies
    }

    fn add(&mut self, of: &str, submission: &Submission) {
        self.files(submission).into_values().for_each(|print| self.insert(print, of));
    }

    fn insert(&mut self, print: String, of: &str) {
        self.sources.entry(print).or_default().insert(of.to_string());
    }
}

/// The files of a lab after a patch; `None` if it does not apply.
fn patched(patch: &Patch, sources: &Sources) -> Result<Option<Vec<Vec<u8>>>, Error> {
    let directory = TempDir::new().map_err(Error::file("create", Path::new("a directory")))?;
    let root = directory.path().join("tree");
    let src = root.join(&patch.lab).join("src");
    for (path, contents) in sources {
        let path = src.join(path);
        let parent = path.parent().unwrap_or(&src);
        fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
        fs::write(&path, contents).map_err(Error::file("write", &path))?;
    }
    let mut git = git_in(&root);
    let include = format!("--include={}/src/*", patch.lab);
    let output = git.arg("apply").arg(include).arg(&patch.path).output();
    if !output.is_ok_and(|output| output.status.success()) {
        return Ok(None);
    }
    let paths = files_below(&src)?;
    let read = |path: &PathBuf| fs::read(src.join(path)).map_err(Error::file("read", path));
    paths.iter().map(read).collect::<Result<_, _>>().map(Some)
}

fn has_end(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension == wanted)
}
