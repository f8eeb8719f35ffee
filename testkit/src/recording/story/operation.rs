//! An operation of a client in a recording.

use contract::recording::{Event, What};

use super::super::cut::cut;
use super::{Line, seconds};

/// How much is left of an operation and of its result: characters at the beginning and at the end.
const LONG_TEXT: (usize, usize) = (100, 40);

/// An operation that takes at least so long, in microseconds, is told with its time.
const LONG: u64 = 300_000;

/// An operation of a client.
pub(super) struct Operation<'a> {
    pub(super) number: u64,
    pub(super) client: &'a str,
    pub(super) key: Option<&'a str>,
    pub(super) text: &'a str,
    pub(super) begun: usize,
    pub(super) begun_at: u64,
    /// The index of the event, the time, and the result.
    pub(super) completed: Option<(usize, u64, &'a str)>,
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
    pub(super) fn line(&self, events: &[Event]) -> Line {
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
