//! What the test did to servers and links, and who led.

use std::collections::{BTreeMap, BTreeSet};

use contract::recording::{Event, Fault, State, What};

use super::Line;
use super::left::{self, Left};

/// Faults of one kind that are at most this many microseconds apart are told in one line.
const AT_ONCE: u64 = 1_000;

/// The most changes of leaders that are told.
const MOST_LEADERS: usize = 4;

/// A client whose reach changes more often than this is a probe: it looks at servers again and again,
/// and does nothing to them.
const MOST_CHANGES_OF_REACH: usize = 8;

/// The verb of servers that are started and connected.
const BOTH: &str = "start and connect";

/// How the network usually is.
const USUAL: [&str; 2] = ["reliable", "long delays"];

/// What a test did, step by step.
pub(super) struct Script<'a> {
    events: &'a [Event],
    /// Clients whose reach is not told.
    probes: BTreeSet<&'a str>,
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
        let probes = probes(events);
        let mut steps: Vec<Step<'a>> = Vec::new();
        let (mut known, mut left) = (BTreeSet::new(), Left::default());
        for (index, event) in events.iter().enumerate() {
            if client_of(&event.what).is_some_and(|client| probes.contains(client)) {
                continue;
            }
            let Some((what, object)) = act(&event.what) else { continue };
            let is_nothing_new = match what {
                Act::Fault(verb @ ("start" | "connect")) => known.insert((verb, object.clone())),
                Act::Fault("reach all") => !left.is_restricted(&object),
                Act::Fault(_) | Act::Note => false,
                Act::Network => steps.is_empty() && USUAL.contains(&&*object),
            };
            left.add(&event.what);
            if is_nothing_new {
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
        let steps = joined(events, steps);
        Self { events, probes, steps }
    }

    /// When the last step was, in microseconds.
    pub(super) fn last(&self) -> Option<u64> {
        self.steps.last().map(|step| self.events[step.index].at)
    }

    /// A line for each step.
    pub(super) fn lines(&self) -> Vec<Line> {
        let line = |step: &Step<'_>| Line::new(self.events, step.index, step.text());
        self.steps.iter().map(line).collect()
    }

    /// How many steps come before the event `first`, and what is known to be left of them; `None` if
    /// there are none.
    pub(super) fn left_out(&self, first: Option<usize>) -> Option<Line> {
        let first = first.unwrap_or(self.events.len());
        let mut before = self.steps.iter().filter(|step| step.index < first);
        let (count, last) = (before.clone().count(), before.next_back()?.index);
        let mut left = Left::default();
        for Event { what, .. } in &self.events[..first] {
            if client_of(what).is_none_or(|client| !self.probes.contains(client)) {
                left.add(what);
            }
        }
        let left = left.in_words();
        let left = if left.is_empty() { left } else { format!(", after which {left}") };
        let plural = if count == 1 { "" } else { "s" };
        let text = format!("the test: {count} earlier step{plural}{left}");
        Some(Line::new(self.events, last, text))
    }
}

/// The steps, with servers that are started and connected at once in one step.
fn joined<'a>(events: &[Event], steps: Vec<Step<'a>>) -> Vec<Step<'a>> {
    let mut joined: Vec<Step<'a>> = Vec::new();
    for step in steps {
        let at = events[step.index].at;
        let is_close = |other: &Step<'_>| at <= events[other.index].at + AT_ONCE;
        let started = joined.pop_if(|last| {
            let verbs = (last.what, step.what);
            let is_pair = verbs == (Act::Fault("start"), Act::Fault("connect"));
            is_pair && last.objects == step.objects && is_close(last)
        });
        let Some(started) = started else {
            joined.push(step);
            continue;
        };
        match joined.last_mut().filter(|last| last.what == Act::Fault(BOTH) && is_close(last)) {
            Some(last) => last.objects.extend(step.objects),
            None => joined.push(Step { what: Act::Fault(BOTH), ..started }),
        }
    }
    joined
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
            BOTH => format!("starts and connects {objects}"),
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
            "reach all" if self.objects.len() > 1 => {
                format!("lets {objects} reach all their servers")
            }
            "reach all" => format!("lets {objects} reach all its servers"),
            verb => format!("{verb} {objects}"),
        };
        format!("the test {done}")
    }
}

/// The clients that are probes.
fn probes(events: &[Event]) -> BTreeSet<&str> {
    let mut changes: BTreeMap<&str, usize> = BTreeMap::new();
    for client in events.iter().filter_map(|event| client_of(&event.what)) {
        *changes.entry(client).or_default() += 1;
    }
    changes.retain(|_, changes| *changes > MOST_CHANGES_OF_REACH);
    changes.into_keys().collect()
}

/// The client whose reach changes.
fn client_of(what: &What) -> Option<&str> {
    match what {
        What::Fault(Fault { verb, servers, .. }) if verb.starts_with("reach") => {
            servers.first().map(String::as_str)
        }
        _ => None,
    }
}

/// What is done, and to what; `None` if it is no step of the test, or means nothing.
fn act(what: &What) -> Option<(Act<'_>, String)> {
    let fault = match what {
        What::Network { text } => return Some((Act::Network, text.clone())),
        What::Note { text } => return Some((Act::Note, text.clone())),
        What::Fault(fault) => fault,
        _ => return None,
    };
    let Fault { verb, servers: names, sides, .. } = fault;
    let object = match (&**verb, &names[..]) {
        ("stall", _) => return None,
        ("partition", _) => left::in_words(sides),
        ("reach", [client, reached @ ..]) => format!("{client} reach {}", left::only(reached)),
        ("cut" | "mend" | "hold requests" | "hold replies" | "pass", [from, to]) => {
            format!("{from}>{to}")
        }
        (_, names) => names.join(" "),
    };
    Some((Act::Fault(verb), object))
}

/// What the harness saw of servers.
pub(super) fn states(events: &[Event]) -> impl Iterator<Item = (usize, &State)> {
    events.iter().enumerate().filter_map(|(index, event)| match &event.what {
        What::State(state) => Some((index, state)),
        _ => None,
    })
}

/// Which servers led.
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
