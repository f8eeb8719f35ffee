//! The recorder: what happens in a run that is to be drawn, down to every message.
//!
//! A run has one only if [`Simulation::record`](crate::Simulation::record) asks for it. The recorder
//! observes: it costs no virtual time, draws no random numbers, and no operation that it makes
//! student code do takes effect, so that the run is the same with and without it.

pub(crate) mod words;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use contract::recording::{Event, What};

/// Of a run with more events, the oldest are forgotten.
const MOST_EVENTS: usize = 300_000;

/// The events of one run so far.
pub(crate) struct Recorder {
    events: RefCell<Vec<Event>>,
    /// With this number of events, the oldest are forgotten.
    most: Cell<usize>,
    /// The tasks that handle a request, and those that they have started.
    handlers: RefCell<BTreeSet<u32>>,
    forgotten: Cell<u64>,
    closed: Cell<bool>,
}

/// The events of a run, as [`Outcome`](crate::Outcome) has them.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// The events, in the order in which they happened.
    pub events: Vec<Event>,
    /// How many events were forgotten because there were too many.
    pub forgotten: u64,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            events: RefCell::default(),
            most: Cell::new(MOST_EVENTS),
            handlers: RefCell::default(),
            forgotten: Cell::default(),
            closed: Cell::default(),
        }
    }
}

impl Recorder {
    /// Adds an event.
    pub(crate) fn push(&self, event: Event) {
        if self.closed.get() || !self.is_wanted(&event) {
            return;
        }
        let mut events = self.events.borrow_mut();
        if events.len() == self.most.get() {
            self.forget(&mut events);
        }
        events.push(event);
    }

    /// Forgets the older half of the events, but for those that last.
    fn forget(&self, events: &mut Vec<Event>) {
        let before = events.len();
        let mut age = before;
        events.retain(|event| {
            age -= 1;
            age < before / 2 || is_lasting(&event.what)
        });
        self.forgotten.set(self.forgotten.get() + (before - events.len()) as u64);
        if events.len() > before / 4 * 3 {
            self.most.set(2 * before); // Most of them last: to look again soon is of no use.
        }
    }

    /// Whether an event tells anything. Most tasks that start do not: only the start of one by a
    /// handler, whose work it continues.
    fn is_wanted(&self, event: &Event) -> bool {
        let mut handlers = self.handlers.borrow_mut();
        match event.what {
            What::Arrive { .. } => handlers.insert(event.task),
            What::Spawn { child, .. } => handlers.contains(&event.task) && handlers.insert(child),
            _ => true,
        }
    }

    /// Ignores what happens from now on: the run is over, and its tasks are killed.
    pub(crate) fn close(&self) {
        self.closed.set(true);
    }

    /// What was recorded.
    pub(crate) fn take(&self) -> Recording {
        Recording { events: self.events.take(), forgotten: self.forgotten.get() }
    }
}

/// Whether an event says what is the case until another event ends it, or what the run is about.
fn is_lasting(what: &What) -> bool {
    use What::{Accident, Begin, Complete, Fault, Network, Note, Shard, State, Violation};
    match what {
        Fault(fault) => fault.micros.is_none(),
        State(_) | Network { .. } | Begin { .. } | Complete { .. } | Shard { .. } => true,
        Note { .. } | Violation { .. } | Accident { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use contract::recording::Fault;

    use super::*;

    /// Records something at a time.
    fn push(recorder: &Recorder, at: u64, what: What) {
        recorder.push(Event { at, task: 1, node: "test".to_string(), what });
    }

    #[test]
    fn of_too_many_events_the_oldest_are_forgotten_except_faults() {
        let recorder = Recorder::default();
        push(&recorder, 0, What::Fault(Fault::default()));
        for call in 1..=MOST_EVENTS as u64 {
            push(&recorder, call, What::Reply { call });
        }
        let Recording { events, forgotten } = recorder.take();
        assert_eq!(events.len() as u64 + forgotten, MOST_EVENTS as u64 + 1);
        assert_eq!(events.len(), MOST_EVENTS / 2 + 2);
        assert_eq!((events[0].at, events[1].at), (0, MOST_EVENTS as u64 / 2));
    }

    #[test]
    fn events_that_last_are_never_forgotten() {
        let recorder = Recorder::default();
        for at in 0..=2 * MOST_EVENTS as u64 {
            push(&recorder, at, What::Fault(Fault::default()));
        }
        let Recording { events, forgotten } = recorder.take();
        assert_eq!((events.len(), forgotten), (2 * MOST_EVENTS + 1, 0));
    }

    #[test]
    fn only_tasks_that_continue_the_work_of_a_handler_are_told_of() {
        let recorder = Recorder::default();
        let spawn = |task, child| {
            let what = What::Spawn { child, on: "S0".to_string() };
            recorder.push(Event { at: 0, task, node: "S0".to_string(), what });
        };
        spawn(1, 2);
        recorder.push(Event {
            at: 0,
            task: 3,
            node: "S0".to_string(),
            what: What::Arrive { call: 1 },
        });
        spawn(3, 4);
        spawn(4, 5);
        spawn(2, 6);
        let children = recorder.take().events.into_iter().filter_map(|event| match event.what {
            What::Spawn { child, .. } => Some(child),
            _ => None,
        });
        assert_eq!(children.collect::<Vec<_>>(), [4, 5]);
    }
}
