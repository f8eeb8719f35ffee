//! What clients and servers said to each other.

use std::collections::{BTreeMap, BTreeSet};

use contract::property::without_numbers;
use contract::recording::{Event, Loss, What};

use super::super::cut::cut;
use super::Line;
use super::scope::Scope;

/// The most kinds of calls that are told.
const MOST: usize = 8;

/// The most servers that are listed with which calls are alike.
const MOST_PEERS: usize = 6;

/// How many characters are left of arguments and of a reply.
const LONG: usize = 120;

/// Replies are alike if they begin alike, as far as this, but for numbers.
const ALIKE: usize = 60;

/// A call.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    /// When it was sent.
    pub(super) sent: u64,
    /// The index of its last event.
    pub(super) index: usize,
    method: &'a str,
    args: &'a str,
    outcome: Outcome<'a>,
}

/// What has come of a call.
#[derive(Clone, Copy)]
enum Outcome<'a> {
    /// Nothing yet.
    Open,
    /// The handler has returned this, and the reply has not arrived.
    Returned(&'a str),
    /// This reply.
    Reply(&'a str),
    /// No reply.
    Lost(Loss),
}

/// The calls of a run, in the order in which they were sent.
pub(super) fn calls_of(events: &[Event]) -> Vec<Call<'_>> {
    let mut calls: BTreeMap<u64, Call<'_>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        if let What::Request { call, from, to, method, args, .. } = &event.what {
            let method = method.rsplit('.').next().unwrap_or(method);
            let (sent, outcome) = (event.at, Outcome::Open);
            calls.insert(*call, Call { from, to, sent, index, method, args, outcome });
            continue;
        }
        let (number, outcome) = match &event.what {
            What::Return { call, reply, .. } => (call, Outcome::Returned(reply)),
            What::Reply { call } => match calls.get(call).map(|call| call.outcome) {
                Some(Outcome::Returned(reply)) => (call, Outcome::Reply(reply)),
                _ => continue,
            },
            What::Lost { call, why } => (call, Outcome::Lost(*why)),
            _ => continue,
        };
        if let Some(call) = calls.get_mut(number) {
            (call.index, call.outcome) = (index, outcome);
        }
    }
    calls.into_values().collect()
}

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

/// Whether this is the name of a client, such as `C3`.
fn is_client(name: &str) -> bool {
    let number = name.strip_prefix('C').unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Calls that are alike.
struct Kind<'a> {
    last: Call<'a>,
    count: usize,
    peers: BTreeSet<&'a str>,
}

/// The last call of each kind, in order of time, with the number of those that are like it. Calls of
/// a server, or to it, may be alike whichever the other server is.
fn distinct<'a>(scope: &Scope<'a>, calls: impl Iterator<Item = &'a Call<'a>>) -> Vec<Line> {
    let mut kinds: BTreeMap<(bool, &str, &str, String), Kind<'a>> = BTreeMap::new();
    for &call in calls {
        let is_caller = scope.is_about(call.from) || is_client(call.from);
        let (server, peer) = if is_caller { (call.from, call.to) } else { (call.to, call.from) };
        let key = (is_caller, server, call.method, call.outcome.kind());
        let peers = BTreeSet::new();
        let kind = kinds.entry(key).or_insert(Kind { last: call, count: 0, peers });
        (kind.last, kind.count) = (call, kind.count + 1);
        kind.peers.insert(peer);
    }
    let mut kinds: Vec<Kind<'a>> = kinds.into_values().collect();
    kinds.sort_by_key(|kind| kind.last.index);
    kinds.drain(..kinds.len().saturating_sub(MOST));
    kinds.iter().map(|kind| kind.line(scope.seen)).collect()
}

impl Kind<'_> {
    /// The last call in a line.
    fn line(&self, events: &[Event]) -> Line {
        let Call { from, to, method, args, outcome, index, .. } = self.last;
        let peers: Vec<&str> = self.peers.iter().copied().take(MOST_PEERS).collect();
        let alike = match (self.count, peers.len()) {
            (1, _) => String::new(),
            (count, 1) => format!(" ({count} alike)"),
            (count, _) => format!(" ({count} alike, with {})", peers.join(" ")),
        };
        let (args, outcome) = (short(args), outcome.text());
        let text = format!("{from} calls {method} of {to}: {args} -> {outcome}{alike}");
        Line::new(events, index, text)
    }
}

impl<'a> Outcome<'a> {
    /// What the handler has returned.
    fn reply(self) -> Option<&'a str> {
        match self {
            Outcome::Returned(reply) | Outcome::Reply(reply) => Some(reply),
            Outcome::Open | Outcome::Lost(_) => None,
        }
    }

    /// Outcomes of the same kind are alike.
    fn kind(self) -> String {
        let mut kind = self.reply().map_or_else(|| self.text(), without_numbers);
        cut(&mut kind, ALIKE, 0);
        kind
    }

    fn text(self) -> String {
        match self {
            Outcome::Open => "no reply yet".to_string(),
            Outcome::Returned(reply) => format!("{}, which has not arrived", short(reply)),
            Outcome::Reply(reply) => short(reply),
            Outcome::Lost(why) => match why {
                Loss::Unreachable | Loss::Gone => "unreachable",
                Loss::Request => "the request is lost",
                Loss::HandlerDied => "the handler dies",
                Loss::Cut => "the link is cut meanwhile",
                Loss::Reply => "the reply is lost",
            }
            .to_string(),
        }
    }
}

/// The beginning of a text.
fn short(text: &str) -> String {
    let mut text = text.to_string();
    cut(&mut text, LONG, 0);
    text
}
