//! How many files a task may have open: the system sets a limit for the whole process.

use rustix::process::{Resource, getrlimit};

/// Descriptors that are not for the files of tasks: standard streams, connections, directories.
const RESERVE: usize = 16;

/// A task needs two runs that it merges, the run that it makes of them, and its output.
const FEWEST: usize = 4;

/// More files per task bring nothing: their buffers would take too much memory.
const MOST: usize = 130;

/// The number of files that each of `slots` tasks may have open at once.
pub(crate) fn per_task(slots: u32) -> usize {
    (limit().saturating_sub(RESERVE) / slots as usize).clamp(FEWEST, MOST)
}

/// The number of connections that a coordinator accepts at once, at most `most`.
pub(crate) fn connections(most: usize) -> usize {
    limit().saturating_sub(RESERVE).clamp(1, most)
}

/// Checks that `slots` tasks can run at once.
///
/// # Errors
/// If the limit is too low, for the user.
pub(crate) fn check(slots: u32) -> Result<(), String> {
    let (needed, limit) = (RESERVE + FEWEST * slots as usize, limit());
    if needed <= limit {
        return Ok(());
    }
    Err(format!(
        "--slots {slots} needs {needed} open files, but the limit is {limit}: use fewer slots, or \
         raise the limit with 'ulimit -n'"
    ))
}

/// The limit of this process.
fn limit() -> usize {
    getrlimit(Resource::Nofile)
        .current
        .map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX))
}
