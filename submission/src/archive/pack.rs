//! Packs a submission.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use crate::error::Error;
use crate::release::{self, RELEASE};
use crate::tree::Tree;

/// The time of all files in an archive: some tools warn of times near zero. The same sources make
/// the same archive, byte for byte.
const TIME: u64 = 1_000_000_000;

/// gzip's number for an operating system that is not known.
const ANY_SYSTEM: u8 = 255;

/// Writes the sources of these labs of the tree at `root` to the `.tar.gz` at `to`, without the files
/// that a handout has locked, and returns what it wrote.
///
/// # Errors
/// If there is nothing to pack, if it is too large, or if a file cannot be read or written.
pub fn pack(root: &Path, labs: &[&str], to: &Path) -> Result<Tree, Error> {
    let mut tree = Tree::read(root, labs).map_err(Error::io("read", root))?;
    let locked = release::locked(root).map_err(Error::io("read", &root.join(RELEASE)))?;
    tree.files.retain(|file| !locked.contains(&file.path));
    tree.check_limits()?;
    let write = || -> io::Result<()> {
        let file = BufWriter::new(File::create(to)?);
        let gzip = GzBuilder::new().mtime(0).operating_system(ANY_SYSTEM);
        let mut builder = Builder::new(gzip.write(file, Compression::best()));
        for file in &tree.files {
            let contents = fs::read(root.join(&file.path))?;
            let mut header = Header::new_ustar();
            header.set_entry_type(EntryType::Regular);
            header.set_mode(0o644);
            header.set_mtime(TIME);
            header.set_uid(0);
            header.set_gid(0);
            header.set_size(contents.len() as u64);
            builder.append_data(&mut header, &file.path, &contents[..])?;
        }
        builder.into_inner()?.finish()?.flush()
    };
    write().map_err(Error::io("write", to))?;
    Ok(tree)
}
