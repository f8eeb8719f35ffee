//! What a violation is about: until when, which servers, which operations.

use std::collections::BTreeSet;

use contract::recording::{Culprit, Event, What};

use super::MOST_ACCIDENTS;
use super::call::{Call, calls_of};
use super::operation::{Operation, operations_of};
use super::script::Script;

/// What a violation is about.
pub(super) struct Scope<'a> {
    /// What happened up to the moment of the mistake, as far as it is known.
    pub(super) seen: &'a [Event],
    /// The calls therein.
    pub(super) calls: Vec<Call<'a>>,
    /// The operations therein.
    pub(super) operations: Vec<Operation<'a>>,
    /// When the last step of the test was, in microseconds.
    pub(super) last_step: u64,
    /// When the violation was noticed, in microseconds.
    pub(super) end: u64,
    /// Whether the test may have waited for something until then: the violation was not noticed by a
    /// task of a server, and the time of the mistake is not known.
    pub(super) may_have_waited: bool,
    /// The servers that the violation names, or that have answered the operations that it names.
    servers: BTreeSet<&'a str>,
    /// The numbers of the operations that it names or quotes.
    named: Vec<u64>,
    /// The numbers of the operations that accidents have hit.
    hit: Vec<u64>,
}

impl<'a> Scope<'a> {
    /// That of the first violation; `None` if there is none.
    pub(super) fn of(events: &'a [Event]) -> Option<Self> {
        let (place, observed, culprit) = events.iter().enumerate().find_map(|(place, event)| {
            let What::Violation { culprit, actual, .. } = &event.what else { return None };
            Some((place, actual, culprit.clone().unwrap_or_default()))
        })?;
        let Culprit { server, others, at, operations: mut named, .. } = culprit;
        let mistake = at.map(|at| events.partition_point(|event| event.at <= at));
        let seen = &events[..mistake.unwrap_or(place).min(place)];
        let mut servers = BTreeSet::new();
        for name in server.iter().chain(&others) {
            servers.extend(nodes(seen).filter(|node| is_named(node, name)));
        }
        let (calls, operations) = (calls_of(seen), operations_of(seen));
        named.extend(mentioned(&operations, observed));
        let hit = hit(&operations, &calls, seen);
        let is_told = |it: &&Operation<'_>| named.contains(&it.number) || hit.contains(&it.number);
        for operation in operations.iter().filter(is_told) {
            let calls = calls.iter().filter(|call| operation.may_make(call.from, call.sent));
            // Servers that refuse come first; the last one has answered.
            servers.extend(calls.max_by_key(|call| call.index).map(|call| call.to));
        }
        let end = events[place].at;
        let may_have_waited = at.is_none() && ["test", ""].contains(&&*events[place].node);
        let last_step = Script::of(seen).last().unwrap_or(0);
        Some(Self { seen, calls, operations, last_step, end, may_have_waited, servers, named, hit })
    }

    /// Whether the violation names or quotes this operation, or an accident has hit it.
    pub(super) fn names(&self, operation: &Operation<'_>) -> bool {
        self.quotes(operation) || self.hit.contains(&operation.number)
    }

    /// Whether the violation names or quotes this operation.
    pub(super) fn quotes(&self, operation: &Operation<'_>) -> bool {
        self.named.contains(&operation.number)
    }

    /// Whether the violation says which servers it is about.
    pub(super) fn has_servers(&self) -> bool {
        !self.servers.is_empty()
    }

    /// Whether the violation is about this server; about all of them if it names none.
    pub(super) fn is_about(&self, server: &str) -> bool {
        self.servers.is_empty() || self.servers.contains(server)
    }
}

/// The operations with a value that the violation quotes: an append that is lost, for instance.
fn mentioned(operations: &[Operation<'_>], observed: &str) -> Vec<u64> {
    let quoted = observed.lines().next().unwrap_or_default().split('"').skip(1).step_by(2);
    let mut mentioned = Vec::new();
    for value in quoted.filter(|value| !value.is_empty()) {
        let value = format!("\"{value}\"");
        let with_value = operations.iter().filter(|operation| operation.text.contains(&value));
        let with_value: Vec<u64> = with_value.map(|operation| operation.number).collect();
        // A value that many operations have names none.
        if let [number] = with_value[..] {
            mentioned.push(number);
        }
    }
    mentioned
}

/// The operations with a call that an accident has hit, if there are few: without these the run does
/// not fail.
fn hit(operations: &[Operation<'_>], calls: &[Call<'_>], seen: &[Event]) -> Vec<u64> {
    let hit = seen.iter().filter_map(|event| match event.what {
        What::Accident { call, .. } => call,
        _ => None,
    });
    let hit: Vec<u64> = hit.take(MOST_ACCIDENTS + 1).collect();
    if hit.len() > MOST_ACCIDENTS {
        return Vec::new();
    }
    let hit: Vec<&Call<'_>> = calls.iter().filter(|call| hit.contains(&call.number)).collect();
    let is_hit = |it: &&Operation<'_>| hit.iter().any(|call| it.may_make(call.from, call.sent));
    operations.iter().filter(is_hit).map(|operation| operation.number).collect()
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
