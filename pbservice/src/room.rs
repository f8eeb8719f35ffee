//! Whether the table has room for another write: see [`MAX_TABLE`].

use crate::given::record::{ClientId, MAX_TABLE, Operation};
use crate::given::version::Epoch;
use crate::state::State;

/// What the table and the log take at most, without looking at all of it for each write.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Room {
    /// The primary's epoch in which this was computed: other primaries have written since.
    epoch: Epoch,
    /// Bytes that may be written before it has to be computed again.
    left: usize,
}

impl State {
    /// Whether a client's operation may be taken into the log. One that is there already may: it
    /// takes no more room, and refusing it would say that it is not done.
    pub(crate) fn has_room_for(
        &mut self,
        client: ClientId,
        sequence: u64,
        operation: &Operation,
    ) -> bool {
        /// The client's entry in the duplicate table, and the lengths of key and value.
        const NUMBERS: usize = 24;
        if !self.is_primary() {
            return true; // It has to ask the primary.
        }
        let needed = operation.size() + NUMBERS;
        if self.room.epoch != self.promised || self.room.left < needed {
            let pending = self.tail.after(self.committed);
            let pending: usize = pending.iter().map(|record| record.size()).sum();
            let left = MAX_TABLE.saturating_sub(self.table.size() + pending);
            self.room = Room { epoch: self.promised, left };
        }
        if self.room.left >= needed {
            self.room.left -= needed;
            return true;
        }
        let mut pending = self.tail.after(self.committed).iter();
        self.table.has_done(client, sequence)
            || pending.any(|record| record.client == client && record.sequence == sequence)
    }
}
