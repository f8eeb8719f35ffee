//! The recorder: what happens in a run that is to be drawn, down to every message.
//!
//! A run has one only if [`Simulation::record`](crate::Simulation::record) asks for it. The recorder
//! observes: it costs no virtual time, draws no random numbers, and no operation that it makes
//! student code do takes effect, so that the run is the same with and without it.

pub(crate) mod words;

use std::cell::{Cell, RefCell};

use contract::recording::{Event, What};

use super::core::current::dispatch;

/// A run with more events is a loop that sends or logs: the oldest are forgotten.
const MOST_EVENTS: usize = 400_000;

/// The events of one run so far.
#[derive(Default)]
pub(crate) struct Recorder {
    events: RefCell<Vec<Event>>,
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

impl Recorder {
    /// Adds an event.
    pub(crate) fn push(&self, event: Event) {
        if self.closed.get() {
            return;
        }
        let mut events = self.events.borrow_mut();
        if events.len() == MOST_EVENTS {
            let mut age = MOST_EVENTS;
            events.retain(|event| {
                age -= 1;
                age < MOST_EVENTS / 2 || is_lasting(&event.what)
            });
            let forgotten = (MOST_EVENTS - events.len()) as u64;
            self.forgotten.set(self.forgotten.get() + forgotten);
        }
        events.push(event);
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

/// Whether an event says what is the case until another event ends it.
fn is_lasting(what: &What) -> bool {
    use What::{Begin, Complete, Fault, Network, Note, Shard, State, Violation};
    match what {
        Fault(fault) => fault.micros.is_none(),
        State(_) | Network { .. } | Begin { .. } | Complete { .. } | Shard { .. } => true,
        Note { .. } | Violation { .. } => true,
        _ => false,
    }
}

/// Records an event of the running task, if the run is recorded: for test harnesses, which know of
/// faults, clients and servers. It costs no virtual time.
pub fn record(what: impl FnOnce() -> What) {
    dispatch(|core| core.map(|core| core.draw(what)));
}

/// Whether the run is recorded.
pub fn is_recorded() -> bool {
    dispatch(|core| core.is_some_and(|core| core.recorder.is_some()))
}
