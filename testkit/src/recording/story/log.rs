//! What servers logged.

use std::collections::BTreeMap;

use contract::property::without_numbers;
use contract::recording::{Event, What};

use super::Line;
use super::scope::Scope;

/// The most lines that are told.
const MOST: usize = 12;

/// The most lines that differ only in numbers.
const ALIKE: usize = 2;

/// A line of the log.
struct Logged<'a> {
    index: usize,
    node: &'a str,
    topic: &'a str,
    text: &'a str,
    /// What it has in common with lines that are like it.
    kind: String,
}

/// The last lines of the log: those of the servers that the violation is about, and before them those
/// of others, of which the rarest say most.
pub(super) fn lines(scope: &Scope<'_>) -> Vec<Line> {
    let logged: Vec<Logged<'_>> = logged(scope.seen).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    logged.iter().for_each(|line| *counts.entry(&line.kind).or_default() += 1);
    let (named, mut others): (Vec<&Logged<'_>>, Vec<&Logged<'_>>) =
        logged.iter().rev().partition(|line| scope.is_about(line.node));
    others.sort_by_key(|line| counts[&*line.kind]);
    let few = |lines: Vec<&Logged<'_>>, most: usize| {
        let mut alike: BTreeMap<&str, usize> = BTreeMap::new();
        let mut lines = lines;
        lines.retain(|line| {
            let count = alike.entry(&line.kind).or_default();
            *count += 1;
            *count <= ALIKE
        });
        lines.truncate(most);
        lines.iter().rev().map(|line| line.told(scope.seen)).collect::<Vec<_>>()
    };
    let named = few(named, MOST);
    let mut lines = few(others, MOST.saturating_sub(named.len()));
    lines.extend(named);
    lines
}

/// The lines of servers.
fn logged(events: &[Event]) -> impl Iterator<Item = Logged<'_>> {
    events.iter().enumerate().filter_map(|(index, event)| {
        let What::Log { topic, text } = &event.what else { return None };
        let node = &*event.node;
        let kind = format!("{topic} {}", without_numbers(text));
        (!["test", ""].contains(&node)).then_some(Logged { index, node, topic, text, kind })
    })
}

impl Logged<'_> {
    fn told(&self, events: &[Event]) -> Line {
        let Self { index, node, topic, text, .. } = self;
        Line::new(events, *index, format!("{node} logs {topic} {text}"))
    }
}
