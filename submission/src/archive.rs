//! Archives of submissions: packs one, and unpacks one that is not trusted.
//!
//! ```
//! use submission::archive;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = std::env::temp_dir().join(format!("submission-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(directory.join("raft/src"))?;
//! # std::fs::write(directory.join("raft/src/lib.rs"), "//! My Raft.\n")?;
//! # let (archive, copy) = (directory.join("raft.tar.gz"), directory.join("copy"));
//! let packed = archive::pack(&directory, &["raft"], &archive)?;
//! let unpacked = archive::unpack(&archive, &["raft"], None, &copy)?;
//! assert_eq!(unpacked.tree, packed);
//! assert_eq!(unpacked.tree.hash(&copy)?, packed.hash(&directory)?);
//! # std::fs::remove_dir_all(directory)?;
//! # Ok(())
//! # }
//! ```

mod entries;
mod layout;
mod limited;
mod pack;
mod sources;
#[cfg(feature = "zip")]
mod zipped;

use std::fs;
use std::path::Path;

pub use self::limited::{MAX_ARCHIVE, MAX_RATIO, MAX_UNPACKED};
pub use self::pack::pack;

use self::entries::Entries;
use crate::error::Error;
use crate::tree::Tree;

/// What [`unpack`] wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// The submission.
    pub tree: Tree,
    /// The names of all entries that do not belong to it, sorted. They were not written.
    pub ignored: Vec<String>,
}

/// Unpacks a submission of `labs` from a directory, a `.tar.gz`, `.tgz` or `.tar`, or a `.zip`
/// (with the feature `zip`) into the directory `to`, which is created and must be empty.
///
/// It accepts `raft/src/...`, the same inside of one directory of any name, and, for a submission of
/// the lab `single`, `src/...`. Nothing is written unless every entry keeps the rules, and then only
/// the Rust sources of the labs.
///
/// # Errors
/// If the archive breaks a rule, or if a file cannot be read or written.
pub fn unpack(
    from: &Path,
    labs: &[&str],
    single: Option<&str>,
    to: &Path,
) -> Result<Unpacked, Error> {
    let mut entries = Entries::default();
    sources::read(from, &mut entries)?;
    let (files, mut ignored) = layout::apply(entries, labs, single)?;
    let tree = Tree::of(files.iter().map(|(path, contents)| (path, contents.len())));
    tree.check_limits()?;
    fs::create_dir_all(to).map_err(Error::io("create", to))?;
    if fs::read_dir(to).map_err(Error::io("read", to))?.next().is_some() {
        return Err(Error::Io(format!("{} is not empty", to.display())));
    }
    for (path, contents) in &files {
        let path = to.join(path);
        let parent = path.parent().unwrap_or(to);
        fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        fs::write(&path, contents).map_err(Error::io("write", &path))?;
    }
    ignored.sort();
    Ok(Unpacked { tree, ignored })
}
