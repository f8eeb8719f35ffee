//! What clients and servers said to each other.

use std::collections::{BTreeMap, BTreeSet};

use contract::recording::Event;

use super::call::{Call, Outcome, is_client};
use super::scope::Scope;
use super::varying::varying;
use super::{APART, Line, seconds};

/// The most kinds of calls that are told.
const MOST: usize = 8;

/// The most servers that are listed with which calls are alike.
const MOST_PEERS: usize = 6;

/// With so many calls it means something that all of them have the same outcome.
const MANY: usize = 5;

/// The calls of the operations that the violation names.
pub(super) fn of_operations<'a>(scope: &'a Scope<'a>) -> Vec<Line> {
    let named: Vec<_> = scope.operations.iter().filter(|it| scope.names(it)).collect();
    let is_theirs = |call: &&Call<'_>| named.iter().any(|it| it.may_make(call.from, call.sent));
    distinct(scope, scope.calls.iter().filter(is_theirs))
}

/// What the servers that the violation is about answered to others, and were answered.
pub(super) fn between_servers<'a>(scope: &'a Scope<'a>) -> Vec<Line> {
    let is_told = |call: &&Call<'_>| {
        let is_known = scope.is_about(call.from) || scope.is_about(call.to);
        call.outcome.reply().is_some() && is_known && !is_client(call.from)
    };
    distinct(scope, scope.calls.iter().filter(is_told))
}

/// Calls that are alike.
struct Kind<'a> {
    first: Call<'a>,
    last: Call<'a>,
    count: usize,
    peers: BTreeSet<&'a str>,
    /// The arguments of all of them.
    args: Vec<&'a str>,
}

/// What calls of a kind have in common: whether a client or a server of which the violation speaks
/// is the caller or the called, its name, the method, and the outcome.
type Key<'a> = (bool, &'a str, &'a str, String);

/// The last call of each kind, with the number of those that are like it, and the first one if it is far
/// from the last: before that if it is later than the last step of the test, else before all. What
/// matters most comes last. Calls of a server, or to it, may be alike whichever the other server is.
fn distinct<'a>(scope: &Scope<'a>, calls: impl Iterator<Item = &'a Call<'a>>) -> Vec<Line> {
    let mut kinds: BTreeMap<Key<'_>, Kind<'a>> = BTreeMap::new();
    for &call in calls {
        let is_caller = scope.is_about(call.from) || is_client(call.from);
        let (server, peer) = if is_caller { (call.from, call.to) } else { (call.to, call.from) };
        let key = (is_caller, server, call.method, call.outcome.kind());
        let kind = kinds.entry(key).or_insert(Kind::new(call));
        kind.args.push(call.args);
        (kind.last, kind.count) = (call, kind.count + 1);
        kind.peers.insert(peer);
    }
    let mut kinds: Vec<(Key<'_>, Kind<'a>)> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, kind)| kind.last.index);
    kinds.drain(..kinds.len().saturating_sub(MOST));
    let (mut old, mut lines) = (Vec::new(), Vec::new());
    for (key, kind) in kinds {
        let first = kind.first_line(scope.seen);
        let is_new = kind.first.sent >= scope.last_step;
        if is_new { &mut lines } else { &mut old }.extend(first);
        lines.push(kind.last_line(scope.seen, kind.is_only(&key, scope)));
    }
    old.extend(lines);
    old
}

impl<'a> Kind<'a> {
    /// That of this call.
    fn new(call: Call<'a>) -> Self {
        let (peers, args) = (BTreeSet::new(), Vec::new());
        Self { first: call, last: call, count: 0, peers, args }
    }

    /// Whether calls between the same servers had no other outcome since the first one.
    fn is_only(&self, (is_caller, server, method, outcome): &Key<'_>, scope: &Scope<'a>) -> bool {
        let is_other = |call: &Call<'_>| {
            let (one, peer) = if *is_caller { (call.from, call.to) } else { (call.to, call.from) };
            call.sent >= self.first.sent
                && (one, call.method) == (*server, *method)
                && self.peers.contains(peer)
                && !matches!(call.outcome, Outcome::Open)
                && call.outcome.kind() != *outcome
        };
        self.count >= MANY && !scope.calls.iter().any(is_other)
    }

    /// The first call in a line, if it was long before the last one.
    fn first_line(&self, events: &[Event]) -> Option<Line> {
        let is_apart = events[self.first.index].at + APART <= self.last.sent;
        let alike = format!(" (the first of {} alike)", self.count);
        is_apart.then(|| self.first.line(events, &alike))
    }

    /// The last call in a line that says whether the outcome is the only one.
    fn last_line(&self, events: &[Event], is_only: bool) -> Line {
        let since = seconds(self.first.sent);
        let mut alike = match self.count {
            1 => return self.last.line(events, ""),
            count => format!(" (the last of {count} alike since {since}"),
        };
        if self.peers.len() > 1 {
            let peers: Vec<&str> = self.peers.iter().copied().take(MOST_PEERS).collect();
            alike += &format!(", with {}", peers.join(" "));
        }
        if let Some(values) = varying(&self.args) {
            alike += &format!("; {values}");
        }
        alike += if is_only { ", and no other outcome)" } else { ")" };
        self.last.line(events, &alike)
    }
}
