//! `handout.toml`: the version of a handout, and its locked files with their hashes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use judge::Error;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
pub(crate) use submission::release::RELEASE;
use submission::tree::hex;

use super::contents::{Handout, Owner, Selection};

/// What the file says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Release {
    /// The version of the course.
    pub(crate) version: String,
    /// A hash of all locked files: two handouts with the same hash have the same tests.
    pub(crate) release: String,
    /// The labs in it.
    pub(crate) labs: Vec<String>,
    /// The labs of which it has the solution.
    pub(crate) given: Vec<String>,
    /// The SHA-256 of each locked file.
    pub(crate) locked: BTreeMap<PathBuf, String>,
}

/// Adds the file to a handout that is otherwise complete.
///
/// # Errors
/// If the workspace has no version.
pub(crate) fn describe(handout: &mut Handout, selection: &Selection) -> Result<(), Error> {
    let locked: BTreeMap<PathBuf, String> = handout
        .files
        .iter()
        .filter(|(_, file)| file.owner == Owner::Staff)
        .map(|(path, file)| (path.clone(), hash(&file.contents)))
        .collect();
    let mut all = Sha256::new();
    for (path, hash) in &locked {
        all.update(format!("{hash}  {}\n", path.display()));
    }
    let release = Release {
        version: env!("CARGO_PKG_VERSION").to_string(),
        release: hex(&all.finalize())[..12].to_string(),
        labs: selection.labs.iter().cloned().collect(),
        given: selection.given.iter().cloned().collect(),
        locked,
    };
    let text = toml_edit::ser::to_string_pretty(&release)
        .map_err(|error| Error::harness(format!("{RELEASE}: {error}")))?;
    let head = "# The version of this handout, and the files that only a later release changes.\n";
    handout.insert(RELEASE, format!("{head}{text}").into_bytes());
    Ok(())
}

/// Reads the file of a handout at `root`; `None` if there is none.
///
/// # Errors
/// If it cannot be read or parsed.
pub(crate) fn read(root: &Path) -> Result<Option<Release>, Error> {
    let path = root.join(RELEASE);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
    let release = toml_edit::de::from_str(&text);
    release.map(Some).map_err(|error| Error::harness(format!("{}: {error}", path.display())))
}

/// What a handout says about itself.
///
/// # Errors
/// If its file cannot be parsed.
pub(crate) fn release_of(handout: &Handout) -> Result<Release, Error> {
    let file = handout.files.get(Path::new(RELEASE));
    let text = file.map_or(&[][..], |file| &file.contents);
    toml_edit::de::from_slice(text).map_err(|error| Error::harness(format!("{RELEASE}: {error}")))
}

/// The SHA-256 of some bytes in hexadecimal digits.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
