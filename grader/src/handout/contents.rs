//! Which files the handout has.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use judge::{Error, Workspace, with_labs_below};

/// The crates that tests and students' commands need.
pub(crate) const INFRASTRUCTURE: [&str; 8] =
    ["contract", "judge", "lab", "labrpc", "linearizability", "picture", "submission", "testkit"];

/// Files and directories outside of the crates.
const OUTSIDE: [&str; 11] = [
    ".cargo/config.toml",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "clippy.toml",
    "docs",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "scripts/test-many.sh",
];

/// The parts of a crate that the handout has.
const OF_CRATES: [&str; 6] =
    ["Cargo.toml", "README.md", "clippy.toml", "labs.toml", "src", "tests/grading"];

/// The parts of a lab's sources that are given.
const GIVEN: [&str; 2] = ["src/given", "src/given.rs"];

/// The directory with the skeletons and other files that only the handout has.
const ONLY_HERE: &str = "handout";

/// The lint table of the handout's workspace, and the source of truth of its manifest.
pub(crate) const LINTS: &str = "handout/lints.toml";

/// The labs of a handout.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    /// All labs in it.
    pub(crate) labs: BTreeSet<String>,
    /// The labs of which it has the solution.
    pub(crate) given: BTreeSet<String>,
    /// All other labs of the course.
    pub(crate) absent: BTreeSet<String>,
}

/// Who changes a file of the handout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Only a later release.
    Staff,
    /// The student.
    Student,
}

/// A file of the handout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) contents: Vec<u8>,
    pub(crate) is_executable: bool,
    pub(crate) owner: Owner,
}

/// All files of a handout, relative to its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handout {
    pub(crate) files: BTreeMap<PathBuf, File>,
}

impl Selection {
    /// The labs with these names and those below them; all labs if `labs` is empty.
    ///
    /// # Errors
    /// If a lab does not exist.
    pub(crate) fn new(
        workspace: &Workspace,
        labs: &[String],
        given: &[String],
    ) -> Result<Self, Error> {
        let catalog = workspace.catalog()?;
        let all = catalog.labs.iter().filter(|lab| !lab.health_check);
        let all: BTreeSet<String> = all.map(|lab| lab.name.clone()).collect();
        if let Some(lab) = labs.iter().chain(given).find(|lab| !all.contains(*lab)) {
            let names: Vec<&str> = all.iter().map(|lab| &**lab).collect();
            let names = names.join(", ");
            return Err(Error::NothingMatched(format!("there is no lab '{lab}': use {names}")));
        }
        let wanted = if labs.is_empty() { all.clone() } else { labs.iter().cloned().collect() };
        let below = |lab: &String| -> Vec<String> {
            let labs = with_labs_below(workspace.root(), &all, lab);
            labs.into_iter().map(str::to_string).collect()
        };
        let labs: BTreeSet<String> = wanted.iter().flat_map(below).collect();
        let given: BTreeSet<String> = given.iter().cloned().collect();
        if let Some(lab) = given.difference(&labs).next() {
            return Err(Error::harness(format!("--given {lab}: the handout does not have it")));
        }
        let absent = all.difference(&labs).cloned().collect();
        Ok(Self { labs, given, absent })
    }
}

impl Handout {
    /// Adds or replaces a locked file.
    pub(crate) fn insert(&mut self, path: &str, contents: Vec<u8>) {
        let file = File { contents, is_executable: false, owner: Owner::Staff };
        self.files.insert(PathBuf::from(path), file);
    }

    /// Writes all files below `directory`.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), Error> {
        self.files.iter().try_for_each(|(path, file)| file.write(&directory.join(path)))
    }
}

impl File {
    /// Writes the file, unless it exists with these contents: cargo compares times.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        if fs::read(path).is_ok_and(|contents| contents == self.contents) {
            return Ok(());
        }
        let parent = path.parent().expect("it is below a directory");
        fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
        fs::write(path, &self.contents).map_err(Error::file("write", path))?;
        let mode = if self.is_executable { 0o755 } else { 0o644 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
            .map_err(Error::file("set the permissions of", path))
    }
}

/// Where the handout has a file of the workspace, and who owns it there; `None` if it has not.
pub(crate) fn place(path: &Path, selection: &Selection) -> Option<(PathBuf, Owner)> {
    let is_one_of = |path: &Path, starts: &[&str]| starts.iter().any(|at| path.starts_with(at));
    let first = path.iter().next()?.to_str()?;
    let rest = path.strip_prefix(first).ok()?;
    let kept = Some((path.to_path_buf(), Owner::Staff));
    if first == ONLY_HERE {
        return only_here(rest, selection);
    }
    if selection.labs.contains(first) {
        let is_source = rest.starts_with("src");
        let is_given = selection.given.contains(first) || is_one_of(rest, &GIVEN);
        return kept.filter(|_| is_one_of(rest, &OF_CRATES) && (!is_source || is_given));
    }
    let is_needed = match INFRASTRUCTURE.contains(&first) {
        true => is_one_of(rest, &OF_CRATES),
        false => is_one_of(path, &OUTSIDE),
    };
    kept.filter(|_| is_needed)
}

/// The same for a file in `handout/`: skeletons are the students', all other files are locked.
/// `dot-` at the beginning of a name stands for a dot.
fn only_here(path: &Path, selection: &Selection) -> Option<(PathBuf, Owner)> {
    let first = path.iter().next()?.to_str()?;
    let rest = path.strip_prefix(first).ok()?;
    if rest.starts_with("src") {
        let is_wanted = selection.labs.contains(first) && !selection.given.contains(first);
        return is_wanted.then(|| (path.to_path_buf(), Owner::Student));
    }
    let is_for_the_grader = rest.file_name().is_some_and(|name| name == "signatures.txt");
    if is_for_the_grader || Path::new(ONLY_HERE).join(path) == Path::new(LINTS) {
        return None;
    }
    let to = match first.strip_prefix("dot-") {
        Some(name) => Path::new(&format!(".{name}")).join(rest),
        None => path.to_path_buf(),
    };
    // Joining an empty path would add a slash.
    Some((to.components().collect(), Owner::Staff))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(path: &str) -> Option<(String, Owner)> {
        let set = |labs: &[&str]| labs.iter().map(|lab| lab.to_string()).collect();
        let selection =
            Selection { labs: set(&["raft", "kvraft"]), given: set(&["raft"]), absent: set(&[]) };
        let (to, owner) = place(Path::new(path), &selection)?;
        Some((to.display().to_string(), owner))
    }

    #[test]
    fn locked_files_stay_where_they_are() {
        let locked = [
            "Cargo.toml",
            "docs/images/rpc.svg",
            "labrpc/src/runtime/core.rs",
            "labrpc/tests/grading/main.rs",
            "lab/labs.toml",
            "kvraft/tests/grading/main.rs",
            "kvraft/README.md",
            "kvraft/src/given/store.rs",
            "raft/src/election.rs",
        ];
        for path in locked {
            assert_eq!(placed(path), Some((path.to_string(), Owner::Staff)), "{path}");
        }
    }

    #[test]
    fn solutions_and_tools_of_the_staff_stay_out() {
        let out = [
            "kvraft/src/server.rs",
            "kvraft/tests/robustness/main.rs",
            "shardkv/Cargo.toml",
            "handout/shardkv/src/lib.rs",
            "handout/raft/src/lib.rs",
            "handout/lints.toml",
            "handout/kvraft/signatures.txt",
            "grader/src/main.rs",
            "bugs/raft/minority-commits.patch",
            "README.md",
            "testkit/tests/forgery.rs",
        ];
        for path in out {
            assert_eq!(placed(path), None, "{path}");
        }
    }

    #[test]
    fn skeletons_take_the_place_of_solutions() {
        let student = ("kvraft/src/server.rs".to_string(), Owner::Student);
        assert_eq!(placed("handout/kvraft/src/server.rs"), Some(student));
        let readme = ("README.md".to_string(), Owner::Staff);
        assert_eq!(placed("handout/README.md"), Some(readme));
        let settings = (".vscode/settings.json".to_string(), Owner::Staff);
        assert_eq!(placed("handout/dot-vscode/settings.json"), Some(settings));
    }
}
