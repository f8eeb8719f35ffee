//! How many files the process may have open, and so how many connections a server accepts.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are neither connections to the other servers nor accepted ones: standard streams, the
/// directory, its files, the socket that accepts.
const FILES: usize = 16;

/// The number of connections that one of `servers` servers accepts, at most `most`. Raises the soft
/// limit of open files if it is too low for those.
///
/// # Errors
/// If the hard limit leaves too few for the other servers, for the user.
pub(crate) fn connections(servers: usize, most: usize) -> Result<usize, String> {
    // To each of the others, one, and another one while it is replaced.
    let reserve = FILES + 2 * servers;
    let limit = raise_to(reserve + most);
    let (needed, left) = (reserve + 2 * servers, limit.saturating_sub(reserve));
    if limit < needed {
        return Err(format!(
            "a server of {servers} needs {needed} open files, but the limit is {limit}: raise it \
             with 'ulimit -n'"
        ));
    }
    Ok(left.min(most))
}

/// Raises the soft limit to `wanted`, as far as the hard limit allows; returns the limit.
fn raise_to(wanted: usize) -> usize {
    let in_files = |n: Option<u64>| n.map_or(usize::MAX, |n| n.try_into().unwrap_or(usize::MAX));
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let (soft, better) = (in_files(current), wanted.min(in_files(maximum)));
    if soft < better {
        let raised = Rlimit { current: Some(better as u64), maximum };
        setrlimit(Resource::Nofile, raised).ok(); // What counts is the limit afterwards.
    }
    in_files(getrlimit(Resource::Nofile).current)
}
