//! What the simulation tells its recorder and the keyed mode.

use contract::recording::{Event, Fault, What};

use super::Core;

impl Core {
    /// Adds an event of the current task to the recording, if there is one.
    pub(crate) fn draw(&self, what: impl FnOnce() -> What) {
        let tossed = self.keyed.as_ref().filter(|it| it.awaits_effect(self.current_slot()));
        if self.recorder.is_none() && tossed.is_none() {
            return;
        }
        let what = what();
        if let (Some(keyed), What::Fault(fault)) = (tossed, &what) {
            keyed.effect(self.now(), fault);
        }
        if let Some(recorder) = &self.recorder {
            let node = match self.in_task() {
                true => self.node_name(self.current_node()).to_string(),
                false => String::new(),
            };
            let (at, task) = (self.now() / 1_000, self.current_serial());
            recorder.push(Event { at, task, node, what });
        }
    }

    /// A stall of the current task, for the recording.
    pub(super) fn stall(&self, nanos: u64) -> What {
        What::Fault(Fault {
            verb: "stall".to_string(),
            servers: vec![self.node_name(self.current_node()).to_string()],
            micros: Some(nanos / 1_000),
            ..Fault::default()
        })
    }
}
