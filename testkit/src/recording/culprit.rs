//! Where a failing run went wrong, as far as its events tell.

use contract::record;
use contract::recording::{Culprit, Event, What};
use labrpc::Failure;

use crate::notes::Notes;

/// A test that complains about the result of an operation does so within this many microseconds.
const AT_ONCE: u64 = 1_000;

/// Adds a violation if no test has noticed the failure, but the runtime: a panic or a deadlock, for
/// instance. Adds what is not said of a culprit.
pub(super) fn add(
    events: &mut Vec<Event>,
    at: u64,
    noticed: &record::Failure,
    failure: &Failure,
    notes: &Notes,
) {
    let place = events.iter().position(|event| matches!(event.what, What::Violation { .. }));
    let place = place.unwrap_or(events.len());
    if place == events.len() {
        let (property, actual) = (noticed.property.clone(), noticed.actual.clone());
        let known = notes.violation.as_ref().and_then(|violation| violation.culprit.as_deref());
        let what = What::Violation { property, actual, culprit: known.cloned() };
        let node = failure.task.as_ref().and_then(|task| Some(task.split_once(": task ")?.0));
        events.push(Event { at, task: 0, node: node.unwrap_or("test").to_string(), what });
    }
    let guess = guess(&events[..place], &events[place]);
    if let What::Violation { culprit, .. } = &mut events[place].what {
        match culprit {
            None => *culprit = guess,
            // It says where in the log the mistake is, and not who made it.
            Some(Culprit { server: None, operations, .. }) if operations.is_empty() => {
                operations.extend(guess.into_iter().flat_map(|guess| guess.operations));
            }
            Some(_) => {}
        }
    }
}

/// The culprit of a violation that names none: the server whose task has failed, or the operation
/// whose result has just come. Servers of which the violation speaks may be its victims.
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
    operation.map(|operation| Culprit { operations: vec![operation], ..Culprit::default() })
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
