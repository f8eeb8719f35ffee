//! What a handout says of itself: the labs whose solutions it has, and the locked files, which only a
//! later release of the course changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::tree::hex;

/// The file that says so. The course's own workspace does not have it.
pub const RELEASE: &str = "handout.toml";

/// The part of the file that is read here.
#[derive(Default, Deserialize)]
struct Release {
    /// The labs whose solutions it has.
    #[serde(default)]
    given: BTreeSet<String>,
    /// The SHA-256 of each locked file, in hexadecimal digits.
    locked: BTreeMap<String, String>,
}

/// The locked files of the tree at `root` that were edited or removed, sorted; none if the tree is
/// not a handout.
///
/// # Errors
/// If the list cannot be read.
pub fn edited(root: &Path) -> io::Result<Vec<String>> {
    let is_edited = |path: &str, hash: &str| {
        let contents = fs::read(root.join(path));
        !contents.is_ok_and(|contents| hex(&Sha256::digest(contents)) == hash)
    };
    let locked = read(root)?.locked.into_iter();
    Ok(locked.filter(|(path, hash)| is_edited(path, hash)).map(|(path, _)| path).collect())
}

/// The labs whose solutions the tree at `root` has: they are not handed in.
///
/// # Errors
/// If the list cannot be read.
pub fn given(root: &Path) -> io::Result<BTreeSet<String>> {
    Ok(read(root)?.given)
}

/// The locked files, which are not handed in: grading uses the course's own copies.
///
/// # Errors
/// If the list cannot be read.
pub fn locked(root: &Path) -> io::Result<BTreeSet<String>> {
    Ok(read(root)?.locked.into_keys().collect())
}

/// Reads the file; the course's own workspace gives nothing and locks nothing.
fn read(root: &Path) -> io::Result<Release> {
    let path = root.join(RELEASE);
    if !path.exists() {
        return Ok(Release::default());
    }
    toml::from_str(&fs::read_to_string(path)?).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edited_and_removed_files_are_found() {
        let root = tempfile::tempdir().unwrap();
        assert!(edited(root.path()).unwrap().is_empty());
        let hash = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        let list = format!(
            "given = [\"raft\"]\n[locked]\nLICENSE = \"{hash}\"\n\"a/b.rs\" = \"{hash}\"\ngone = \"\"\n"
        );
        fs::write(root.path().join(RELEASE), list).unwrap();
        fs::write(root.path().join("LICENSE"), "hello\n").unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        fs::write(root.path().join("a/b.rs"), "hello!\n").unwrap();
        assert_eq!(edited(root.path()).unwrap(), ["a/b.rs", "gone"]);
        assert_eq!(given(root.path()).unwrap(), BTreeSet::from(["raft".to_string()]));
    }
}
