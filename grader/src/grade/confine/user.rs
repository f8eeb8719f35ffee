//! The user that runs submitted code if the grader is root.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::Path;

use judge::Error;

/// The ids to choose from. They exist in containers, too, which often have 65536 ids.
const IDS: Range<u32> = 60_600..61_100;

/// A user id that has no name and no processes: the owner of `target` if it is one.
///
/// # Errors
/// If there is none.
pub(crate) fn unused(target: &Path) -> Result<u32, Error> {
    let earlier = target.metadata().map(|data| data.uid()).ok();
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let has_name = |id: u32| {
        passwd.lines().filter_map(|line| line.split(':').nth(2)).any(|it| it == id.to_string())
    };
    let running: Vec<u32> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.metadata().ok().map(|data| data.uid()))
        .collect();
    // Two slots begin with different ids: they may be opened at the same time.
    let begin = target
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0, |sum, byte| (sum * 31 + u32::from(*byte)) % IDS.len() as u32);
    let rotated = (IDS.start + begin..IDS.end).chain(IDS.start..IDS.start + begin);
    let candidates = earlier.into_iter().filter(|id| IDS.contains(id)).chain(rotated);
    let mut unused = candidates.filter(|id| !has_name(*id) && !running.contains(id));
    let range = || Error::harness(format!("no user id of {IDS:?} is unused"));
    unused.next().ok_or_else(range)
}

/// Gives a directory and all files in it to a user.
///
/// # Errors
/// If that fails.
pub(crate) fn give(directory: &Path, user: u32) -> Result<(), Error> {
    if directory.metadata().is_ok_and(|data| data.uid() == user) {
        return Ok(());
    }
    let mut open = vec![directory.to_path_buf()];
    while let Some(path) = open.pop() {
        if path.symlink_metadata().map_err(Error::file("read", &path))?.is_dir() {
            for entry in path.read_dir().map_err(Error::file("read", &path))? {
                open.push(entry.map_err(Error::file("read", &path))?.path());
            }
        }
        lchown(&path, Some(user), Some(user)).map_err(Error::file("give away", &path))?;
    }
    Ok(())
}
