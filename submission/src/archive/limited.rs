//! The limits of archives, and a reader that keeps one.

use std::io::{self, Read};

/// The largest archive, in bytes.
pub const MAX_ARCHIVE: u64 = 32 << 20;

/// The largest size of what an archive contains, in bytes.
pub const MAX_UNPACKED: u64 = 64 << 20;

/// The largest factor by which an archive of more than a megabyte may grow. Sources shrink to a
/// quarter or a tenth; what shrinks to less than this is made to fill disks.
pub const MAX_RATIO: u64 = 100;

/// What is said of an archive that grows too large.
pub(crate) const BOMB: &str = "it unpacks to far more than a submission has";

/// A reader that fails after a number of bytes.
pub(crate) struct Limited<R> {
    pub(crate) reader: R,
    pub(crate) left: u64,
}

/// The error of [`Limited`].
#[derive(Debug)]
pub(crate) struct TooLarge;

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(BOMB)
    }
}

impl std::error::Error for TooLarge {}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(TooLarge))?;
        Ok(read)
    }
}
