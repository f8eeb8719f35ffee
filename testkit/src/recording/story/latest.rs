//! Some tests make one cluster after the other, and the names of their servers say which one it is:
//! `operation 14 fails: S0`. Only the last one matters.

use contract::recording::{Event, What};

/// What separates the name of the cluster from that of the server.
const BETWEEN: &str = ": ";

/// What happened since the last cluster with a name was made, and what begins the names of its
/// servers; everything, and an empty text, if it has no name.
pub(super) fn latest(events: &[Event]) -> (&[Event], &str) {
    let started = |event| match event {
        &Event { what: What::Fault(ref fault), .. } if fault.verb == "start" => {
            fault.servers.first().map(String::as_str)
        }
        _ => None,
    };
    let last = events.iter().rev().find_map(started).unwrap_or_default();
    let Some(end) = last.rfind(BETWEEN) else { return (events, "") };
    let prefix = &last[..end + BETWEEN.len()];
    let is_first = |event| started(event).is_some_and(|server| server.starts_with(prefix));
    let first = events.iter().position(is_first).unwrap_or(0);
    (&events[first..], prefix)
}

/// The line that says which cluster it is, without which its servers are named from now on.
pub(super) fn line(prefix: &str) -> Option<String> {
    let name = prefix.strip_suffix(BETWEEN)?;
    Some(format!("the test makes servers for: {name}"))
}
