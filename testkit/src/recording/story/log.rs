//! What servers logged.

use std::collections::BTreeMap;

use contract::property::without_numbers;
use contract::recording::{Event, What};

use super::scope::Scope;
use super::varying::varying;
use super::{APART, Line};

/// The most lines that are told.
const MOST: usize = 12;

/// A line of the log.
struct Logged<'a> {
    index: usize,
    node: &'a str,
    topic: &'a str,
    text: &'a str,
}

/// The first and the last lines of each kind: those of the servers that the violation is about, and
/// before them those of others, of which the rarest say most. What matters most comes last.
pub(super) fn lines(scope: &Scope<'_>) -> Vec<Line> {
    let (named, others): (Vec<_>, Vec<_>) =
        logged(scope.seen).partition(|line| scope.is_about(line.node));
    let mut named = kinds(named, scope.has_servers());
    let mut others = kinds(others, false);
    named.sort_by_key(|kind| kind.last().index);
    others.sort_by_key(|kind| (usize::MAX - kind.lines.len(), kind.last().index));
    let named = told(&named, scope, MOST);
    let mut lines = told(&others, scope, MOST.saturating_sub(named.len()));
    lines.extend(named);
    lines
}

/// Lines that are alike.
struct Kind<'a> {
    lines: Vec<Logged<'a>>,
}

/// Lines that differ only in numbers are alike; those of different servers may be, too, unless each
/// server matters.
fn kinds<'a>(lines: Vec<Logged<'a>>, of_each: bool) -> Vec<Kind<'a>> {
    let mut kinds: BTreeMap<(&str, String), Kind<'a>> = BTreeMap::new();
    for line in lines {
        let node = if of_each { line.node } else { "" };
        let key = (node, format!("{} {}", line.topic, without_numbers(line.text)));
        kinds.entry(key).or_insert(Kind { lines: Vec::new() }).lines.push(line);
    }
    kinds.into_values().collect()
}

/// The last lines of the last kinds with the first ones, unless these are older than the last step of
/// the test: at most this many.
fn told(kinds: &[Kind<'_>], scope: &Scope<'_>, most: usize) -> Vec<Line> {
    let (mut old, mut lines) = (Vec::new(), Vec::new());
    for kind in kinds {
        let first = kind.first(scope.seen);
        let is_new = first.as_ref().is_some_and(|line| line.at >= scope.last_step);
        if is_new { &mut lines } else { &mut old }.extend(first);
        lines.push(kind.last().told(scope.seen, &kind.alike("last")));
    }
    old.extend(lines);
    old.drain(..old.len().saturating_sub(most));
    old
}

impl Kind<'_> {
    fn last(&self) -> &Logged<'_> {
        self.lines.last().expect("a kind has a line")
    }

    /// The first line, if it is worth a line beside the last one.
    fn first(&self, events: &[Event]) -> Option<Line> {
        let (first, last) = (self.lines.first()?, self.last());
        let is_apart = events[first.index].at + APART <= events[last.index].at;
        // Of two lines none is left out.
        let is_told = is_apart || self.lines.len() == 2;
        is_told.then(|| first.told(events, &self.alike("first")))
    }

    /// How many there are, and in what they differ if it is little.
    fn alike(&self, which: &str) -> String {
        let texts: Vec<&str> = self.lines.iter().map(|line| line.text).collect();
        let values = varying(&texts).filter(|_| which == "last");
        let values = values.map_or_else(String::new, |values| format!("; {values}"));
        match self.lines.len() {
            1 | 2 => String::new(),
            count => format!(" (the {which} of {count} alike{values})"),
        }
    }
}

/// The lines of servers.
fn logged(events: &[Event]) -> impl Iterator<Item = Logged<'_>> {
    events.iter().enumerate().filter_map(|(index, event)| {
        let What::Log { topic, text } = &event.what else { return None };
        let node = &*event.node;
        (!["test", ""].contains(&node)).then_some(Logged { index, node, topic, text })
    })
}

impl Logged<'_> {
    /// The line, with this end.
    fn told(&self, events: &[Event], end: &str) -> Line {
        let Self { index, node, topic, text } = self;
        Line::new(events, *index, format!("{node} logs {topic} {text}{end}"))
    }
}
