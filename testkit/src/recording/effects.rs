//! Which calls of a recording matter: those that changed something, or said something new.

use std::collections::{BTreeMap, BTreeSet};

use contract::recording::{Event, What};

/// How long after a reply the caller's task still acts on it, in microseconds.
const EFFECT_OF_REPLY: u64 = 500;

/// How long a task that a handler has started still acts for its message, in microseconds.
const EFFECT_OF_CHILDREN: u64 = 2_000;

/// What is known of a call.
#[derive(Clone, Debug, Default)]
pub(super) struct Call {
    /// Its events: indices into the recording.
    pub(super) events: Vec<usize>,
    /// The request is not in the recording.
    pub(super) is_partial: bool,
    /// Its handler, or its caller after the reply, has logged or saved something.
    pub(super) has_effect: bool,
    /// It repeats the call before on the same link: method, arguments and reply.
    pub(super) is_repetition: bool,
    /// It was lost.
    pub(super) is_lost: bool,
    /// Its caller is a server.
    pub(super) is_between_servers: bool,
}

/// The calls of a recording, by number.
pub(super) fn calls(events: &[Event]) -> BTreeMap<u64, Call> {
    let mut calls = BTreeMap::new();
    let mut tasks = Tasks::default();
    for (index, event) in events.iter().enumerate() {
        if let Some(number) = number(&event.what) {
            let call: &mut Call = calls.entry(number).or_default();
            if call.events.is_empty() {
                call.is_partial = !matches!(event.what, What::Request { .. });
            }
            call.is_lost |= matches!(event.what, What::Lost { .. });
            call.events.push(index);
        }
        if let Some(number) = tasks.effect_of(event)
            && let Some(call) = calls.get_mut(&number)
        {
            call.has_effect = true;
        }
    }
    mark_repetitions(events, &mut calls);
    mark_servers(events, &mut calls);
    calls
}

/// The number of the call that an event belongs to.
fn number(what: &What) -> Option<u64> {
    match what {
        What::Request { call, .. }
        | What::Arrive { call }
        | What::Return { call, .. }
        | What::Held { call, .. }
        | What::Reply { call }
        | What::Lost { call, .. } => Some(*call),
        _ => None,
    }
}

/// What the tasks are busy with.
#[derive(Default)]
struct Tasks {
    /// The calls that tasks handle, and until when.
    handling: BTreeMap<u32, (u64, u64)>,
    /// The tasks that wait for calls.
    callers: BTreeMap<u64, u32>,
    /// The calls that tasks have a reply to, and since when.
    replies: BTreeMap<u32, (u64, u64)>,
}

impl Tasks {
    /// Notes an event; returns the call that it is an effect of.
    fn effect_of(&mut self, event: &Event) -> Option<u64> {
        match &event.what {
            What::Request { call, .. } => drop(self.callers.insert(*call, event.task)),
            What::Arrive { call } => drop(self.handling.insert(event.task, (*call, u64::MAX))),
            What::Spawn { child, .. } => {
                if let Some((call, until)) = self.handling.get(&event.task) {
                    let until = *until.min(&(event.at + EFFECT_OF_CHILDREN));
                    self.handling.insert(*child, (*call, until));
                }
            }
            What::Return { .. } => drop(self.handling.remove(&event.task)),
            What::Lost { call, .. } => drop(self.callers.remove(call)),
            What::Reply { call } => {
                if let Some(task) = self.callers.remove(call) {
                    self.replies.insert(task, (*call, event.at));
                }
            }
            What::Log { .. } | What::Save { .. } => {
                let replied = || {
                    let (call, at) = self.replies.get(&event.task)?;
                    (event.at - at <= EFFECT_OF_REPLY).then_some(*call)
                };
                let handled = || {
                    let (call, until) = self.handling.get(&event.task)?;
                    (event.at <= *until).then_some(*call)
                };
                return handled().or_else(replied);
            }
            _ => {}
        }
        None
    }
}

/// Finds the calls that are like the one before on their link.
fn mark_repetitions(events: &[Event], calls: &mut BTreeMap<u64, Call>) {
    let mut last: BTreeMap<&str, [&str; 3]> = BTreeMap::new();
    for call in calls.values_mut() {
        let mut link = "";
        let mut content = [""; 3];
        for &index in &call.events {
            match &events[index].what {
                What::Request { end, method, args, .. } => {
                    link = end;
                    (content[0], content[1]) = (method, args);
                }
                What::Return { reply, .. } => content[2] = reply,
                _ => {}
            }
        }
        call.is_repetition = last.insert(link, content) == Some(content);
    }
}

/// Finds the calls whose caller is called itself.
fn mark_servers(events: &[Event], calls: &mut BTreeMap<u64, Call>) {
    let servers: BTreeSet<&str> = events.iter().filter_map(|event| callee(&event.what)).collect();
    for call in calls.values_mut() {
        let request = call.events.first().map(|&index| &events[index].what);
        call.is_between_servers = matches!(
            request, Some(What::Request { from, .. }) if servers.contains(&**from)
        );
    }
}

/// The server that a request is for.
fn callee(what: &What) -> Option<&str> {
    match what {
        What::Request { to, .. } => Some(to),
        _ => None,
    }
}
