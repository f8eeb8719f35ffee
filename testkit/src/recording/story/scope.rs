//! What a violation is about: until when, which servers, which operations.

use std::collections::BTreeSet;

use contract::recording::{Culprit, Event, What};

use super::calls::calls_of;
use super::operations::Operations;

/// What a violation is about.
pub(super) struct Scope<'a> {
    /// Events before this index happened up to the moment of the mistake, as far as it is known.
    pub(super) end: usize,
    /// The servers that the violation names, or that have answered the operations that it names.
    servers: BTreeSet<&'a str>,
    /// The operations that it names.
    pub(super) operations: Vec<u64>,
}

impl<'a> Scope<'a> {
    /// That of the first violation; `None` if there is none.
    pub(super) fn of(events: &'a [Event]) -> Option<Self> {
        let (place, culprit) = events.iter().enumerate().find_map(|(place, event)| {
            let What::Violation { culprit, .. } = &event.what else { return None };
            Some((place, culprit.clone().unwrap_or_default()))
        })?;
        let Culprit { server, others, at, operations, .. } = culprit;
        let mistake = at.map(|at| events.partition_point(|event| event.at <= at));
        let end = mistake.unwrap_or(place).min(place);
        let seen = &events[..end];
        let mut servers = BTreeSet::new();
        for name in server.iter().chain(&others) {
            servers.extend(nodes(seen).filter(|node| is_named(node, name)));
        }
        let all = Operations::of(seen);
        let calls = calls_of(seen);
        for operation in all.list.iter().filter(|it| operations.contains(&it.number)) {
            let calls = calls.iter().filter(|call| operation.may_make(call.from, call.sent));
            // Of those that refuse, the last one is not the one that answers.
            servers.extend(calls.max_by_key(|call| call.index).map(|call| call.to));
        }
        Some(Self { end, servers, operations })
    }

    /// Whether the violation is about this server; about all of them if it names none.
    pub(super) fn is_about(&self, server: &str) -> bool {
        self.servers.is_empty() || self.servers.contains(server)
    }
}

/// The nodes on which tasks run.
fn nodes(events: &[Event]) -> impl Iterator<Item = &str> {
    events.iter().map(|event| &*event.node).filter(|node| !["test", ""].contains(node))
}

/// Whether this is the node, or one of the group, with this name: `S0`, or `group 101` for
/// `server-101-0`.
fn is_named(node: &str, name: &str) -> bool {
    match name.strip_prefix("group ") {
        Some(group) => node.split('-').nth(1) == Some(group),
        None => node == name,
    }
}
