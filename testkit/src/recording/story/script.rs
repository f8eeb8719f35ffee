//! What the test did to servers and links, and who led.

use std::collections::{BTreeMap, BTreeSet};

use contract::recording::{Event, Fault, State, What};

use super::Line;

/// Faults of one kind that are at most this many microseconds apart are told in one line.
const AT_ONCE: u64 = 1_000;

/// The most changes of leaders that are told.
const MOST_LEADERS: usize = 4;

/// The most servers that are listed.
const MOST_NAMES: usize = 8;

/// How the network usually is.
const USUAL: [&str; 2] = ["reliable", "long delays"];

/// What a test did, step by step.
pub(super) struct Script<'a> {
    events: &'a [Event],
    steps: Vec<Step<'a>>,
}

/// One or more like faults at the same time.
struct Step<'a> {
    index: usize,
    what: Act<'a>,
    /// What it is done to.
    objects: Vec<String>,
}

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act<'a> {
    Fault(&'a str),
    Network,
    Note,
}

impl<'a> Script<'a> {
    /// The script of a run.
    pub(super) fn of(events: &'a [Event]) -> Self {
        let servers = states(events).map(|(_, state)| &*state.server).collect::<BTreeSet<_>>();
        let mut steps: Vec<Step<'a>> = Vec::new();
        let mut known = BTreeSet::new();
        for (index, event) in events.iter().enumerate() {
            let Some((what, object)) = act(&event.what, servers.len()) else { continue };
            let is_preparation = match what {
                Act::Fault(verb @ ("start" | "connect")) => known.insert((verb, object.clone())),
                Act::Fault(_) | Act::Note => false,
                Act::Network => steps.is_empty() && USUAL.contains(&&*object),
            };
            if is_preparation {
                continue;
            }
            let is_same = |step: &&mut Step<'_>| {
                step.what == what && event.at <= events[step.index].at + AT_ONCE
            };
            match steps.last_mut().filter(is_same) {
                Some(step) => step.objects.push(object),
                None => steps.push(Step { index, what, objects: vec![object] }),
            }
        }
        Self { events, steps }
    }

    /// A line for each step.
    pub(super) fn lines(&self) -> Vec<Line> {
        let line = |step: &Step<'_>| Line::new(self.events, step.index, step.text());
        self.steps.iter().map(line).collect()
    }

    /// How many steps come before the event `first`, and what they have left; `None` if there are
    /// none.
    pub(super) fn left_out(&self, first: Option<usize>) -> Option<Line> {
        let first = first.unwrap_or(self.events.len());
        let mut before = self.steps.iter().filter(|step| step.index < first);
        let (count, last) = (before.clone().count(), before.next_back()?.index);
        let left = left_by(&self.events[..first]);
        let left = if left.is_empty() { "all is whole again".to_string() } else { left };
        let plural = if count == 1 { "" } else { "s" };
        let text = format!("the test: {count} earlier step{plural}, after which {left}");
        Some(Line::new(self.events, last, text))
    }
}

impl Step<'_> {
    fn text(&self) -> String {
        let objects = self.objects.join(", ");
        let verb = match self.what {
            Act::Network => return format!("the test sets the network to: {objects}"),
            Act::Note => return format!("the test: {objects}"),
            Act::Fault(verb) => verb,
        };
        let done = match verb {
            "start" => format!("starts {objects}"),
            "crash" => format!("cuts the power of {objects}"),
            "kill" => format!("kills the process of {objects}"),
            "shutdown" => format!("shuts {objects} down"),
            "connect" => format!("connects {objects}"),
            "disconnect" => format!("cuts {objects} off"),
            "cut" => format!("cuts the link {objects}"),
            "mend" => format!("mends the link {objects}"),
            "hold requests" => format!("holds requests on the link {objects}"),
            "hold replies" => format!("holds the replies to requests on the link {objects}"),
            "pass" => format!("lets messages pass on the link {objects}"),
            "release" => "releases the messages that it held".to_string(),
            "partition" => format!("splits the servers into {objects}"),
            "heal" => "mends all links".to_string(),
            "reach" => format!("lets {objects}"),
            verb => format!("{verb} {objects}"),
        };
        format!("the test {done}")
    }
}

/// What is done, and to what; `None` if it is no step of the test, or means nothing.
fn act(what: &What, servers: usize) -> Option<(Act<'_>, String)> {
    let fault = match what {
        What::Network { text } => return Some((Act::Network, text.clone())),
        What::Note { text } => return Some((Act::Note, text.clone())),
        What::Fault(fault) => fault,
        _ => return None,
    };
    let Fault { verb, servers: names, sides, .. } = fault;
    let object = match (&**verb, &names[..]) {
        ("stall", _) => return None,
        ("partition", _) => {
            let sides = sides.iter().filter(|side| !side.is_empty());
            sides.map(|side| side.join(" ")).collect::<Vec<_>>().join(" | ")
        }
        ("reach", [client, reached @ ..]) => {
            // It reaches all of them: so it does from the beginning.
            if reached.len() >= servers {
                return None;
            }
            let reached = if reached.is_empty() { "no server".into() } else { reached.join(" ") };
            format!("{client} reach only {reached}")
        }
        ("cut" | "mend" | "hold requests" | "hold replies" | "pass", [from, to]) => {
            format!("{from}>{to}")
        }
        (_, names) => names.join(" "),
    };
    Some((Act::Fault(verb), object))
}

/// What faults have left, in words; empty if everything is whole.
fn left_by(events: &[Event]) -> String {
    let (mut cut, mut sides) = (BTreeSet::new(), String::new());
    for event in events {
        let What::Fault(Fault { verb, servers, .. }) = &event.what else { continue };
        match (&**verb, &servers[..]) {
            ("cut", [from, to]) => drop(cut.insert((from, to))),
            ("mend", [from, to]) => drop(cut.remove(&(from, to))),
            ("partition", _) => sides = act(&event.what, 0).map_or(String::new(), |(_, it)| it),
            ("heal", _) => {
                cut.clear();
                sides.clear();
            }
            _ => {}
        }
    }
    let last: BTreeMap<&str, &State> =
        states(events).map(|(_, state)| (&*state.server, state)).collect();
    let of = |is_so: fn(&State) -> bool, what: &str| {
        let names = last.values().filter(|state| is_so(state)).map(|state| &*state.server);
        let names: Vec<&str> = names.collect();
        let more = names.len().saturating_sub(MOST_NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let names = &names[..names.len().min(MOST_NAMES)];
        (!names.is_empty()).then(|| format!("{}{more} {what}", names.join(", ")))
    };
    let links: Vec<String> = cut.iter().map(|(from, to)| format!("{from}>{to}")).collect();
    let parts = [
        of(|state| !state.up, "down"),
        of(|state| state.up && !state.connected, "cut off"),
        (!links.is_empty()).then(|| format!("cut links {}", links.join(" "))),
        (!sides.is_empty()).then(|| format!("the sides {sides}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// What the harness saw of servers.
fn states(events: &[Event]) -> impl Iterator<Item = (usize, &State)> {
    events.iter().enumerate().filter_map(|(index, event)| match &event.what {
        What::State(state) => Some((index, state)),
        _ => None,
    })
}

/// Who was last seen to lead.
pub(super) fn leaders(events: &[Event]) -> Vec<Line> {
    let mut leading: BTreeMap<&str, Option<u64>> = BTreeMap::new();
    let mut lines = Vec::new();
    for (index, state) in states(events) {
        let is_leader = state.role.as_deref() == Some("leader");
        let term = state.term.filter(|_| is_leader);
        let before = leading.insert(&state.server, term);
        if let Some(term) = term.filter(|_| before.flatten() != term) {
            let text = format!("the test sees that {} leads in term {term}", state.server);
            lines.push(Line::new(events, index, text));
        }
    }
    lines.drain(..lines.len().saturating_sub(MOST_LEADERS));
    lines
}
