//! Makes a recording small enough for one page: what tells least is left out first.
//!
//! What is near to the culprit or to the end stays, and so do faults, terms and leaders, however long
//! the run is.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::ops::Range;

use contract::recording::{self, Event, State, What};

use super::cut::cut;
use super::effects::{Call, calls};

/// How many characters are left of arguments and replies that are cut.
const SHORT: usize = 80;

/// Texts are not cut that are nearer than this to what matters, in events.
const NEAR: usize = 2_000;

/// A stall of less than this many microseconds is not longer than a message takes.
const SHORT_STALL: u64 = 1_000;

/// How much something tells. What tells less is left out nearer to what matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A task starts, a short stall. It is left out before anything else.
    Trifle,
    /// A call of one server to another without an effect, like the one before. That a server has
    /// applied more.
    Repetition,
    /// Another call without an effect.
    Idle,
    /// Any other call; a log line, a save, a long stall.
    Telling,
    /// An operation of a client, which tells of the run as a whole.
    Operation,
}

impl Rank {
    /// The factor by which it seems farther away than it is.
    fn weight(self) -> usize {
        match self {
            Rank::Trifle => usize::MAX,
            Rank::Repetition => 64,
            Rank::Idle => 32,
            Rank::Telling => 8,
            Rank::Operation => 1,
        }
    }
}

/// What can only be left out as a whole.
struct Unit {
    rank: Rank,
    /// How many events lie between it and what matters.
    distance: usize,
    name: &'static str,
    events: Vec<usize>,
}

/// A recording that is being made smaller.
pub(super) struct Budget {
    events: Vec<Event>,
    /// Events in JSON. An event that was shortened is in it twice; the older copy is not used.
    text: Vec<u8>,
    /// Where the events are in the text; empty if they are left out.
    places: Vec<Range<usize>>,
    /// The number of bytes in these places.
    size: usize,
    /// The greatest size.
    most: usize,
    left_out: BTreeMap<String, u64>,
    /// The indices of events that are left out and tell more than a repetition.
    gaps: BTreeSet<usize>,
    /// The index from which on the recorder has forgotten nothing, if it has forgotten any event.
    begin: Option<usize>,
}

/// What is left of a recording.
pub(super) struct Rest {
    /// The events in JSON.
    pub(super) lines: Vec<u8>,
    /// What is left out, and how often.
    pub(super) left_out: BTreeMap<String, u64>,
    /// The stretches of time of which no more than repetitions is left out; empty if there is no
    /// other.
    pub(super) whole: Vec<[u64; 2]>,
}

impl Budget {
    /// All events, of which at most this number of bytes should be left.
    pub(super) fn new(events: Vec<Event>, most: usize) -> Self {
        let mut text = Vec::new();
        let places = events.iter().map(|event| push(&mut text, event)).collect();
        let (size, left_out, gaps) = (text.len(), BTreeMap::new(), BTreeSet::new());
        Self { events, text, places, size, most, left_out, gaps, begin: None }
    }

    /// The recorder has forgotten events from before the first message or log line.
    pub(super) fn note_forgotten(&mut self) {
        let is_first = |event: &Event| {
            matches!(event.what, What::Request { .. } | What::Reply { .. } | What::Log { .. })
        };
        self.begin = self.events.iter().position(is_first);
    }

    /// Leaves out what tells least; near to the events `focus` last.
    pub(super) fn keep(&mut self, focus: &[usize]) {
        if self.size <= self.most {
            return;
        }
        let mut units = self.units(focus);
        units.sort_by_key(|unit| Reverse(unit.distance.saturating_mul(unit.rank.weight())));
        let (trifles, others) =
            units.split_at(units.partition_point(|unit| unit.rank == Rank::Trifle));
        self.leave_out(trifles);
        self.shorten(others);
        self.leave_out(others);
    }

    /// What is left, near to the events `focus` in one piece.
    pub(super) fn finish(self, focus: &[usize]) -> Rest {
        let mut whole: Vec<[u64; 2]> =
            focus.iter().filter_map(|&index| self.whole(index)).collect();
        whole.sort_unstable();
        whole.dedup();
        let mut lines = Vec::with_capacity(self.size);
        self.places.iter().for_each(|place| lines.extend_from_slice(&self.text[place.clone()]));
        Rest { lines, left_out: self.left_out, whole }
    }

    /// The stretch of time around an event of which no more than repetitions is left out, if there
    /// is any other.
    fn whole(&self, index: usize) -> Option<[u64; 2]> {
        let last = self.events.last()?.at;
        let at = |index: Option<&usize>| index.map(|&index| self.events[index].at);
        let before = at(self.gaps.range(..index).next_back().max(self.begin.as_ref()));
        let after = at(self.gaps.range(index..).next());
        let is_cut = self.begin.is_some() || !self.gaps.is_empty();
        (is_cut && Some(index) >= self.begin).then(|| [before.unwrap_or(0), after.unwrap_or(last)])
    }

    /// Leaves out units until the rest is small enough.
    fn leave_out(&mut self, units: &[Unit]) {
        for unit in units {
            if self.size <= self.most {
                return;
            }
            if matches!(unit.rank, Rank::Idle | Rank::Telling) {
                self.gaps.extend(&unit.events);
            }
            for &index in &unit.events {
                self.size -= mem::take(&mut self.places[index]).len();
            }
            self.count(unit.name);
        }
    }

    /// Shortens texts that are far from what matters until the rest is small enough.
    fn shorten(&mut self, units: &[Unit]) {
        let far = units.iter().filter(|unit| unit.distance > NEAR);
        for &index in far.flat_map(|unit| &unit.events) {
            if self.size <= self.most {
                return;
            }
            let is_cut = match &mut self.events[index].what {
                What::Request { args: text, .. } | What::Return { reply: text, .. } => {
                    cut(text, SHORT, 0)
                }
                What::Begin { text, .. } | What::Complete { text, .. } => {
                    cut(text, SHORT / 2, SHORT / 2)
                }
                _ => false,
            };
            if is_cut {
                let place = push(&mut self.text, &self.events[index]);
                self.size = self.size + place.len() - self.places[index].len();
                self.places[index] = place;
                self.count("parts of texts");
            }
        }
    }

    /// Counts something that is left out.
    fn count(&mut self, name: &str) {
        *self.left_out.entry(name.to_string()).or_default() += 1;
    }

    /// All that can be left out.
    fn units(&self, focus: &[usize]) -> Vec<Unit> {
        let distance = |events: &[usize]| {
            let of = |&index: &usize| focus.iter().map(|focus| focus.abs_diff(index)).min();
            events.iter().filter_map(of).min().unwrap_or(usize::MAX)
        };
        let unit = |(rank, name): (Rank, &'static str), events: Vec<usize>| Unit {
            rank,
            // Not zero, so that its weight counts.
            distance: distance(&events).max(1),
            name,
            events,
        };
        let mut units: Vec<Unit> = calls(&self.events)
            .into_values()
            .map(|call| unit((rank_of_call(&call), "messages"), call.events))
            .collect();
        let operations = operations(&self.events).into_values();
        units.extend(operations.map(|events| unit((Rank::Operation, "operations"), events)));
        let mut states = BTreeMap::new();
        for (index, event) in self.events.iter().enumerate() {
            units.extend(rank(&event.what, &mut states).map(|kind| unit(kind, vec![index])));
        }
        units
    }
}

/// Appends an event to a text; returns its place.
fn push(text: &mut Vec<u8>, event: &Event) -> Range<usize> {
    let start = text.len();
    recording::push_line(text, event);
    start..text.len()
}

/// The events of each operation.
fn operations(events: &[Event]) -> BTreeMap<u64, Vec<usize>> {
    let mut operations: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        if let What::Begin { operation, .. } | What::Complete { operation, .. } = event.what {
            operations.entry(operation).or_default().push(index);
        }
    }
    operations
}

/// How much a call tells. One without its beginning tells nothing.
fn rank_of_call(call: &Call) -> Rank {
    match call {
        Call { is_partial: true, .. } => Rank::Trifle,
        Call { has_effect: true, .. }
        | Call { is_lost: true, .. }
        | Call { is_between_servers: false, .. } => Rank::Telling,
        Call { is_repetition: true, .. } => Rank::Repetition,
        _ => Rank::Idle,
    }
}

/// How much an event tells that belongs to no call, and what it is called; `None` if it always
/// stays. `states` are the last states of all servers.
fn rank<'a>(
    what: &'a What,
    states: &mut BTreeMap<&'a str, &'a State>,
) -> Option<(Rank, &'static str)> {
    match what {
        What::Spawn { .. } => Some((Rank::Trifle, "starts of tasks")),
        What::Save { .. } => Some((Rank::Telling, "saves")),
        What::Log { .. } => Some((Rank::Telling, "log lines")),
        What::Fault(fault) => {
            let micros = fault.micros?;
            let rank = if micros < SHORT_STALL { Rank::Trifle } else { Rank::Telling };
            Some((rank, "stalls"))
        }
        What::State(state) => {
            let before = states.insert(&state.server, state)?;
            let same = State { applied: before.applied, ..state.clone() } == *before;
            same.then_some((Rank::Repetition, "applied indices"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
