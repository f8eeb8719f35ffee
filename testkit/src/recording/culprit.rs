//! Where a failing run went wrong, as far as its events tell.

use std::collections::BTreeSet;

use contract::record;
use contract::recording::{Culprit, Event, What};
use labrpc::Failure;

/// A test that complains about the result of an operation does so within this many microseconds.
const AT_ONCE: u64 = 1_000;

/// Adds a violation if no test has noticed the failure, but the runtime: a panic or a deadlock, for
/// instance. Adds what is not said of a culprit.
pub(super) fn add(events: &mut Vec<Event>, at: u64, noticed: &record::Failure, failure: &Failure) {
    let place = events.iter().position(|event| matches!(event.what, What::Violation { .. }));
    let place = place.unwrap_or(events.len());
    if place == events.len() {
        let (property, actual) = (noticed.property.clone(), noticed.actual.clone());
        let what = What::Violation { property, actual, culprit: None };
        let node = failure.task.as_ref().and_then(|task| Some(task.split_once(": task ")?.0));
        events.push(Event { at, task: 0, node: node.unwrap_or("test").to_string(), what });
    }
    let guess = guess(&events[..place], &events[place]);
    if let What::Violation { culprit: culprit @ None, .. } = &mut events[place].what {
        *culprit = guess;
    }
}

/// The culprit of a violation that names none: the server whose task has failed, the operation whose
/// result has just come, or the only server of which the violation speaks.
fn guess(before: &[Event], violation: &Event) -> Option<Culprit> {
    if !["test", ""].contains(&&*violation.node) {
        return Some(Culprit { server: Some(violation.node.clone()), ..Culprit::default() });
    }
    let of_task = before.iter().rev().take_while(|event| event.at + AT_ONCE >= violation.at);
    let mut of_task = of_task.filter(|event| event.task == violation.task);
    let operation = of_task.find_map(|event| match event.what {
        What::Complete { operation, .. } => Some(operation),
        _ => None,
    });
    if let Some(operation) = operation {
        return Some(Culprit { operations: vec![operation], ..Culprit::default() });
    }
    let What::Violation { actual, .. } = &violation.what else { return None };
    let server = only_server(before, actual.lines().next()?)?;
    Some(Culprit { server: Some(server.to_string()), ..Culprit::default() })
}

/// The server that a line names, such as `S4@6 was elected`, if it names one and no other.
fn only_server<'a>(before: &[Event], line: &'a str) -> Option<&'a str> {
    let servers: BTreeSet<&str> = before.iter().filter_map(server).collect();
    let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let named: BTreeSet<&str> = words.filter(|word| servers.contains(word)).collect();
    named.first().copied().filter(|_| named.len() == 1)
}

/// The server whose state an event tells.
fn server(event: &Event) -> Option<&str> {
    match &event.what {
        What::State(state) => Some(&state.server),
        _ => None,
    }
}

/// The events that matter most: the end, the violation, and what the culprit did.
pub(super) fn focus(events: &[Event]) -> Vec<usize> {
    let mut focus = vec![events.len()];
    for (index, event) in events.iter().enumerate() {
        let What::Violation { culprit, .. } = &event.what else { continue };
        focus.push(index);
        let Some(Culprit { at, operations, .. }) = culprit else { continue };
        focus.extend(at.map(|at| events.partition_point(|event| event.at < at)));
        let is_guilty = |event: &Event| match event.what {
            What::Begin { operation, .. } | What::Complete { operation, .. } => {
                operations.contains(&operation)
            }
            _ => false,
        };
        let guilty = events.iter().enumerate().filter(|(_, event)| is_guilty(event));
        focus.extend(guilty.map(|(index, _)| index));
    }
    focus
}

#[cfg(test)]
mod tests {
    use contract::recording::State;

    use super::*;

    #[test]
    fn the_only_server_of_which_a_line_speaks_is_the_culprit() {
        let seen = |server: &str| {
            let state = State { server: server.to_string(), ..State::default() };
            Event { at: 0, task: 1, node: "test".to_string(), what: What::State(state) }
        };
        let events = ["S1", "S12", "server-100-0"].map(seen);
        for (line, expected) in [
            ("S12@3 was elected, and S12 is deposed", Some("S12")),
            ("server-100-0's Raft state: 900 bytes", Some("server-100-0")),
            ("S1 and S12 disagree", None),
            ("S7 is no server", None),
        ] {
            assert_eq!(only_server(&events, line), expected, "{line}");
        }
    }
}
