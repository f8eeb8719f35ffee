//! The patches of `bugs/` and `variants/`.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use judge::catalog::Lab;
use judge::{Error, TestCase};

use super::cause::{Cause, PROPERTY, WORDS};

/// A small change of a reference solution: `<collection>/<lab>/<name>.patch`.
///
/// The file begins with a description, which `git apply` skips. Its first sentence states the
/// change.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    /// The package that it changes.
    pub(crate) lab: String,
    /// The file's name without its extension.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// The text before the diff, without the lines that choose tests or name the cause.
    pub(crate) description: String,
    /// What the report of a bug should say.
    pub(crate) cause: Cause,
    /// The parts whose tests are to be run. Empty if there is no such line: all parts.
    parts: Vec<String>,
    /// Tests that are not to be run.
    without: Vec<String>,
}

/// The line of a description that names parts: `Parts: 2A, 2B`.
const PARTS: &str = "Parts: ";
/// The line of a description that names tests which ask for more than the patch has:
/// `Without: figure8_2c`.
const WITHOUT: &str = "Without: ";

impl Patch {
    /// The first sentence of the description.
    pub(crate) fn headline(&self) -> &str {
        self.description.split_inclusive(". ").next().unwrap_or_default().trim_end()
    }

    /// Leaves the tests of this patch's parts, without those that it names.
    ///
    /// # Errors
    /// If the lab does not have one of the parts or tests.
    pub(crate) fn keep_own_tests(&self, lab: &Lab, cases: &mut Vec<TestCase>) -> Result<(), Error> {
        let is_known = |name: &String| lab.parts.iter().any(|part| part.name == *name);
        if let Some(part) = self.parts.iter().find(|name| !is_known(name)) {
            return Err(Error::harness(format!("{self}: {} has no part {part}", lab.name)));
        }
        let is_test = |name: &String| {
            lab.parts.iter().flat_map(|part| &part.tests).any(|test| test.name == *name)
        };
        if let Some(test) = self.without.iter().find(|name| !is_test(name)) {
            return Err(Error::harness(format!("{self}: {} has no test {test}", lab.name)));
        }
        cases.retain(|case| self.parts.is_empty() || self.parts.contains(&case.part));
        cases.retain(|case| !self.without.contains(&case.name));
        Ok(())
    }

    /// Whether `lab/name` contains `pattern`, or begins with it if the pattern contains a slash:
    /// `raft/` does not match the patches of `kvraft`.
    fn is_meant_by(&self, pattern: &str) -> bool {
        let name = self.to_string();
        if pattern.contains('/') { name.starts_with(pattern) } else { name.contains(pattern) }
    }
}

/// `raft/vote-not-persisted`.
impl fmt::Display for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.lab, self.name)
    }
}

/// The patches of a collection that match `pattern`, in order; see [`Patch::is_meant_by`].
///
/// # Errors
/// If no patch matches, or the collection cannot be read.
pub(crate) fn matching(
    root: &Path,
    collection: &str,
    pattern: Option<&str>,
) -> Result<Vec<Patch>, Error> {
    let mut patches = Vec::new();
    for lab in entries(&root.join(collection))?.iter().filter(|path| path.is_dir()) {
        for path in entries(lab)? {
            if path.extension().is_some_and(|extension| extension == "patch") {
                patches.push(read(lab, path)?);
            }
        }
    }
    let all = patches.len();
    patches.retain(|patch| pattern.is_none_or(|pattern| patch.is_meant_by(pattern)));
    if patches.is_empty() {
        let pattern = pattern.unwrap_or_default();
        let what = format!("none of the {all} patches in {collection}/ matches '{pattern}'");
        return Err(Error::NothingMatched(what));
    }
    Ok(patches)
}

/// The patch in a file of a lab's directory.
fn read(lab: &Path, path: PathBuf) -> Result<Patch, Error> {
    let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
    let is_description = |line: &&str| !line.starts_with("diff ") && !line.starts_with("--- ");
    let lines = text.lines().take_while(is_description);
    let lines: Vec<&str> = lines.collect();
    let names_after = |prefix: &str| -> Vec<String> {
        let names = lines.iter().filter_map(|line| line.strip_prefix(prefix));
        names.flat_map(|names| names.split(", ")).map(|name| name.trim().to_string()).collect()
    };
    let prefixes = [PARTS, WITHOUT, PROPERTY, WORDS];
    let is_text = |line: &&&str| !prefixes.iter().any(|prefix| line.starts_with(prefix));
    let description: Vec<&str> = lines.iter().filter(is_text).copied().collect();
    let description = description.join(" ").trim().to_string();
    let name = |path: &Path, part: Option<&std::ffi::OsStr>| {
        part.map(|part| part.to_string_lossy().into_owned())
            .ok_or_else(|| Error::Harness(format!("{} has no name", path.display())))
    };
    Ok(Patch {
        lab: name(lab, lab.file_name())?,
        name: name(&path, path.file_stem())?,
        path,
        description,
        cause: Cause::new(names_after(PROPERTY), names_after(WORDS)),
        parts: names_after(PARTS),
        without: names_after(WITHOUT),
    })
}

/// The sorted entries of a directory; empty if it does not exist.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let list = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect()
    };
    let mut paths = list().map_err(Error::file("list", directory))?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_are_found_by_part_of_lab_and_name() {
        let root = tempfile::tempdir().unwrap();
        let lab = root.path().join("bugs/raft");
        fs::create_dir_all(&lab).unwrap();
        let text = "Forgets it all. See\nFigure 2.\n\nParts: 2A, 2C\nWithout: t_2a\nWords: a\n\n--- a/x\n+++ b/x\n";
        fs::write(lab.join("b.patch"), text).unwrap();
        fs::write(lab.join("a.patch"), "diff --git a/x b/x\n").unwrap();
        fs::write(lab.join("README.md"), "no patch").unwrap();
        let find = |pattern: Option<&str>| matching(root.path(), "bugs", pattern);
        let all = find(None).unwrap();
        assert_eq!(all.iter().map(ToString::to_string).collect::<Vec<_>>(), ["raft/a", "raft/b"]);
        assert_eq!(all[1].description, "Forgets it all. See Figure 2.");
        assert_eq!((all[0].headline(), all[1].headline()), ("", "Forgets it all."));
        assert_eq!((&*all[0].parts, &*all[1].parts), (&[][..], &["2A".into(), "2C".into()][..]));
        assert_eq!((&*all[0].without, &*all[1].without), (&[][..], &["t_2a".into()][..]));
        let error = find(Some("c")).unwrap_err().to_string();
        assert_eq!(error, "none of the 2 patches in bugs/ matches 'c'");
    }

    #[test]
    fn pattern_with_a_slash_matches_from_the_start() {
        let root = tempfile::tempdir().unwrap();
        for lab in ["raft", "kvraft"] {
            let directory = root.path().join("bugs").join(lab);
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join("lost-vote.patch"), "--- a/x\n+++ b/x\n").unwrap();
        }
        let all = &["kvraft/lost-vote", "raft/lost-vote"][..];
        for (pattern, expected) in [
            ("vote", all),
            ("raft", all),
            ("raft/", &all[1..]),
            ("raft/lost", &all[1..]),
            ("kvraft/", &all[..1]),
            ("aft/lost", &[]),
        ] {
            let found = matching(root.path(), "bugs", Some(pattern)).unwrap_or_default();
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
