//! Locks that were held while their owner waited for something else.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::panic::Location;

use crate::runtime::seconds::seconds;
use crate::runtime::task::Wait;

/// By the two places, where the lock was taken and where its owner waited.
#[derive(Clone, Default)]
pub(crate) struct HeldOver(
    BTreeMap<(&'static Location<'static>, &'static Location<'static>), Span>,
);

/// How often and how long a lock was held over one kind of wait.
#[derive(Clone)]
struct Span {
    what: Wait,
    times: u64,
    longest: u64,
}

impl HeldOver {
    /// Notes that a lock taken at `taken` was held over a wait at `at` that took `nanos`.
    pub(crate) fn add(
        &mut self,
        taken: &'static Location<'static>,
        what: Wait,
        at: &'static Location<'static>,
        nanos: u64,
    ) {
        if matches!(what, Wait::Call | Wait::Sleep | Wait::Send) {
            let span = self.0.entry((taken, at)).or_insert(Span { what, times: 0, longest: 0 });
            span.times += 1;
            span.longest = span.longest.max(nanos);
        }
    }

    /// One line for each pair of places, the longest wait first.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |(&(taken, at), span): (&(_, _), &Span)| {
            let Span { what, times, longest } = span;
            let longest = seconds(*longest);
            format!(
                "taken at {taken}, held over {what} at {at}: {times} times, at most {longest} s"
            )
        };
        let mut spans: Vec<_> = self.0.iter().collect();
        spans.sort_by_key(|(_, span)| Reverse(span.longest)); // Stable: ties keep their order.
        spans.into_iter().map(line).collect()
    }
}
