//! Whether the table has room for another operation: see [`MAX_TABLE`].

use crate::given::record::{MAX_TABLE, Operation, Record};
use crate::given::table::{CLIENT, PAIR, Table};
use crate::given::version::Epoch;

/// What the table and the log take at most, without looking at all of it for each operation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Room {
    /// The primary's epoch in which this was computed: other primaries have written since.
    epoch: Epoch,
    /// Bytes that may be written before it has to be computed again.
    left: usize,
}

impl Room {
    /// Takes the room for an operation, if there is enough. To be called by the primary of this
    /// epoch, with its table and the records that are not applied to it yet.
    pub(crate) fn take(
        &mut self,
        epoch: Epoch,
        operation: &Operation,
        table: &Table,
        pending: &[Record],
    ) -> bool {
        let needed = operation.size() + PAIR + CLIENT;
        if self.epoch != epoch || self.left < needed {
            let added = |record: &Record| record.operation.size() + PAIR + CLIENT;
            let pending: usize = pending.iter().map(added).sum();
            *self = Self { epoch, left: MAX_TABLE.saturating_sub(table.size() + pending) };
        }
        let is_enough = self.left >= needed;
        if is_enough {
            self.left -= needed;
        }
        is_enough
    }
}
