//! Whether the table has room for another operation: see [`MAX_TABLE`] and [`MAX_OPERATION`].

use crate::given::clerk::Refusal;
use crate::given::record::{MAX_OPERATION, MAX_TABLE, Operation, Record};
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
    /// Takes the room for an operation. To be called by the primary of this epoch, with its table
    /// and the records that are not applied to it yet.
    ///
    /// # Errors
    /// If there is not enough, or the value could become too long.
    pub(crate) fn take(
        &mut self,
        epoch: Epoch,
        operation: &Operation,
        table: &Table,
        pending: &[Record],
    ) -> Result<(), Refusal> {
        if size_after(operation, table, pending) > MAX_OPERATION {
            return Err(Refusal::TooLong);
        }
        let needed = operation.size() + PAIR + CLIENT;
        if self.epoch != epoch || self.left < needed {
            let added = |record: &Record| record.operation.size() + PAIR + CLIENT;
            let pending: usize = pending.iter().map(added).sum();
            *self = Self { epoch, left: MAX_TABLE.saturating_sub(table.size() + pending) };
        }
        self.left = self.left.checked_sub(needed).ok_or(Refusal::Full)?;
        Ok(())
    }
}

/// How many bytes the operation's key and value have after it. It can only be committed behind the
/// records that are pending.
fn size_after(operation: &Operation, table: &Table, pending: &[Record]) -> usize {
    let Operation::Append { key, .. } = operation else { return operation.size() };
    let there = table.pairs.get(key).map_or(0, |value| value.as_str().len());
    let after = |length: usize, record: &Record| match &record.operation {
        Operation::Put { key: other, value } if other == key => value.len(),
        Operation::Append { key: other, value } if other == key => length + value.len(),
        _ => length,
    };
    operation.size() + pending.iter().fold(there, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_do_not_grow_beyond_the_longest_operation() {
        let append = |length| Operation::Append { key: "x".into(), value: "y".repeat(length) };
        let record = |operation| Record { order: 1, epoch: 1, client: 7, sequence: 1, operation };
        let half = MAX_OPERATION / 2;
        let mut table = Table::default();
        let mut room = Room::default();
        table.pairs.insert("x".into(), "y".repeat(half).as_str().into());
        assert_eq!(room.take(1, &append(half - 1), &table, &[]), Ok(()));
        assert_eq!(room.take(1, &append(half), &table, &[]), Err(Refusal::TooLong));
        let pending = [record(append(1))];
        assert_eq!(room.take(1, &append(half - 1), &table, &pending), Err(Refusal::TooLong));
        assert_eq!(room.take(1, &append(half - 2), &table, &pending), Ok(()));
        let shorter = record(Operation::Put { key: "x".into(), value: "y".into() });
        let [first] = pending.clone();
        assert_eq!(room.take(1, &append(half), &table, &[first, shorter]), Ok(()));
        let other = Operation::Append { key: "z".into(), value: "y".repeat(half) };
        assert_eq!(room.take(1, &other, &table, &pending), Ok(()));
    }
}
