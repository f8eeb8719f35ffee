//! What clients asked for, and what came of it.

use std::collections::BTreeSet;

use contract::recording::{Event, What};

use super::super::cut::cut;
use super::scope::Scope;
use super::{Line, seconds};

/// The most operations that are told of those that the violation names.
const MOST: usize = 8;

/// The most operations before them.
const BEFORE: usize = 5;

/// If there are not more clients than this, their last operations matter also if the violation
/// names none.
const FEW_CLIENTS: usize = 2;

/// How much is left of an operation and of its result: characters at the beginning and at the end.
const LONG_TEXT: (usize, usize) = (100, 40);

/// An operation that takes at least so long, in microseconds, is told with its time.
const LONG: u64 = 300_000;

/// A test that complains about an operation does so within this many microseconds of its end.
const AT_ONCE: u64 = 1_000;

/// An operation of a client.
pub(super) struct Operation<'a> {
    pub(super) number: u64,
    pub(super) client: &'a str,
    key: Option<&'a str>,
    pub(super) text: &'a str,
    begun: usize,
    begun_at: u64,
    /// The index of the event, the time, and the result.
    completed: Option<(usize, u64, &'a str)>,
}

/// The operations of a run, in the order in which they began.
pub(super) fn operations_of(events: &[Event]) -> Vec<Operation<'_>> {
    let mut list: Vec<Operation<'_>> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        match &event.what {
            What::Begin { operation, client, text, key } => list.push(Operation {
                number: *operation,
                client,
                key: key.as_deref(),
                text,
                begun: index,
                begun_at: event.at,
                completed: None,
            }),
            What::Complete { operation, text } => {
                let begun = list.iter_mut().rev().find(|it| it.number == *operation);
                if let Some(begun) = begun {
                    begun.completed = Some((index, event.at, text));
                }
            }
            _ => {}
        }
    }
    list
}

impl Operation<'_> {
    /// Whether a call that a client sent at this time may be a part of it.
    pub(super) fn may_make(&self, client: &str, sent: u64) -> bool {
        let end = self.completed.map_or(u64::MAX, |(_, at, _)| at);
        client == self.client && (self.begun_at..=end).contains(&sent)
    }

    /// The operation in a line.
    fn line(&self, events: &[Event]) -> Line {
        let Self { client, begun_at, .. } = self;
        let shorter = |text: &str| {
            let mut text = text.to_string();
            cut(&mut text, LONG_TEXT.0, LONG_TEXT.1);
            text
        };
        let text = shorter(self.text);
        let Some((index, at, result)) = self.completed else {
            return Line::new(
                events,
                self.begun,
                format!("{client}: {text} begins, and no result"),
            );
        };
        let (took, result) = (at - begun_at, shorter(result));
        let time = match took >= LONG {
            true => format!(" (after {})", seconds(took)),
            false => String::new(),
        };
        Line::new(events, index, format!("{client}: {text} -> {result}{time}"))
    }
}

/// When the operation began that the test waits for at the end, or has waited for at least so long;
/// in microseconds.
pub(super) fn awaited(scope: &Scope<'_>, long: u64) -> Option<u64> {
    let is_awaited = |operation: &&Operation<'_>| match operation.completed {
        None => scope.names(operation),
        Some((_, at, _)) => at + AT_ONCE >= scope.end && at >= operation.begun_at + long,
    };
    scope.operations.iter().filter(is_awaited).map(|operation| operation.begun_at).min()
}

/// The operations that the violation names, and a few before them that have to do with them: the
/// most relevant ones last.
pub(super) fn lines(scope: &Scope<'_>) -> Vec<Line> {
    let list = &scope.operations;
    let (named, others): (Vec<_>, Vec<_>) = list.iter().partition(|it| scope.names(it));
    let mut others = others;
    match named.last() {
        Some(last) => {
            let keys: BTreeSet<_> = named.iter().map(|it| it.key).collect();
            // Those without a key may concern all keys: a change of the configuration, for instance.
            let is_related = |key: Option<&str>| key.is_none() || keys.contains(&key);
            others.retain(|it| it.begun < last.begun && is_related(it.key));
        }
        None => {
            let clients: BTreeSet<&str> = list.iter().map(|it| it.client).collect();
            if clients.len() > FEW_CLIENTS {
                others.clear();
            }
        }
    }
    let last = |list: &[&Operation<'_>], most: usize| -> Vec<Line> {
        list[list.len().saturating_sub(most)..].iter().map(|it| it.line(scope.seen)).collect()
    };
    let mut lines = last(&others, BEFORE);
    let more = named.len().saturating_sub(MOST);
    let mut named = last(&named, MOST);
    if let Some(first) = named.first_mut().filter(|_| more > 0) {
        first.text += &format!("; and {more} more that contradict each other");
    }
    lines.extend(named);
    lines
}
