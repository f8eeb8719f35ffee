//! Makes a recording small enough for one page: what tells least is left out first.
//!
//! What is near to the culprit or to the end stays, and so do faults, operations of clients, terms
//! and leaders, however long the run is.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::mem;

use contract::recording::{self, Event, State, What};

use super::cut::cut;
use super::effects::{Call, calls};

/// How many characters are left of arguments and replies that are cut.
const SHORT: usize = 80;

/// A stall of less than this many microseconds is not longer than a message takes.
const SHORT_STALL: u64 = 1_000;

/// How much something tells. What tells least is left out first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A task starts, a short stall.
    Trifle,
    /// A call of one server to another without an effect, like the one before. That a server has
    /// applied more.
    Repetition,
    /// Another call without an effect.
    Idle,
    /// Any other call; a log line, a save, a long stall.
    Telling,
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
    /// The events in JSON; empty if they are left out.
    lines: Vec<String>,
    size: usize,
    /// The greatest size.
    most: usize,
    left_out: BTreeMap<String, u64>,
}

impl Budget {
    /// All events, of which at most this number of bytes should be left.
    pub(super) fn new(events: Vec<Event>, most: usize) -> Self {
        let lines: Vec<String> = events.iter().map(recording::line).collect();
        let size = lines.iter().map(String::len).sum();
        Self { events, lines, size, most, left_out: BTreeMap::new() }
    }

    /// Leaves out what tells least; near to the events `focus` last.
    pub(super) fn keep(&mut self, focus: &[usize]) {
        if self.size <= self.most {
            return;
        }
        let mut units = self.units(focus);
        units.sort_by_key(|unit| (unit.rank, Reverse(unit.distance)));
        let (trifles, others) =
            units.split_at(units.partition_point(|unit| unit.rank == Rank::Trifle));
        self.leave_out(trifles);
        let mut by_distance: Vec<&Unit> = others.iter().collect();
        by_distance.sort_by_key(|unit| Reverse(unit.distance));
        self.shorten(&by_distance);
        self.leave_out(others);
    }

    /// The lines that are left, and what is left out.
    pub(super) fn finish(self) -> (String, BTreeMap<String, u64>) {
        (self.lines.concat(), self.left_out)
    }

    /// Leaves out units until the rest is small enough.
    fn leave_out(&mut self, units: &[Unit]) {
        for unit in units {
            if self.size <= self.most {
                return;
            }
            for &index in &unit.events {
                self.size -= mem::take(&mut self.lines[index]).len();
            }
            self.count(unit.name);
        }
    }

    /// Shortens arguments and replies until the rest is small enough.
    fn shorten(&mut self, units: &[&Unit]) {
        for &index in units.iter().flat_map(|unit| &unit.events) {
            if self.size <= self.most {
                return;
            }
            let text = match &mut self.events[index].what {
                What::Request { args: text, .. } | What::Return { reply: text, .. } => text,
                _ => continue,
            };
            if cut(text, SHORT, 0) {
                let line = recording::line(&self.events[index]);
                self.size -= self.lines[index].len() - line.len();
                self.lines[index] = line;
                self.count("ends of arguments and replies");
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
            distance: distance(&events),
            name,
            events,
        };
        let mut units: Vec<Unit> = calls(&self.events)
            .into_values()
            .map(|call| unit((rank_of_call(&call), "messages"), call.events))
            .collect();
        let mut states = BTreeMap::new();
        for (index, event) in self.events.iter().enumerate() {
            units.extend(rank(&event.what, &mut states).map(|kind| unit(kind, vec![index])));
        }
        units
    }
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
