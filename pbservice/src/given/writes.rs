//! What a server has decided to write to its disk.
//!
//! Decisions are taken under the server's lock, and a sync takes long, so the two are apart:
//! decisions queue here, and one task, [the writer](crate::given::writer), carries them out in order without
//! the lock. It takes all that has gathered while it was busy and syncs once for all of it: group
//! commit.

use std::mem::take;

use crate::given::record::Record;
use crate::given::snapshot::Snapshot;
use crate::given::version::{Epoch, Order};

/// One change of what is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// An epoch was promised.
    Promise(Epoch),
    /// Records are added to the log.
    Append(Vec<Record>),
    /// The records from this order on are cut off.
    CutOffFrom(Order),
    /// A snapshot of this server's own state; the log up to it is dropped.
    Snapshot(Snapshot),
    /// A snapshot from the primary, which replaces the whole log.
    Install(Snapshot),
    /// The same for a damaged log, which is sound again with it.
    Repair(Snapshot),
    /// A server whose directory was empty counts from now on.
    Begin,
}

/// The queue of writes. Tickets number them, from 1.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    queue: Vec<Write>,
    /// Bytes of the records in it.
    queued_bytes: usize,
    /// Bytes of the records that were taken from it, until they are on disk.
    taken_bytes: usize,
    /// The last ticket given.
    queued: u64,
    /// The last ticket whose write is on disk.
    finished: u64,
}

impl Writes {
    /// Adds a write. Records that follow each other become one. A snapshot takes the place of one
    /// that is still queued, and one from the primary that of another one just before it: a queue with
    /// many of them would take many times the table's memory.
    pub(crate) fn push(&mut self, write: Write) {
        self.queued += 1;
        match write {
            Write::Append(more) => {
                self.queued_bytes += more.iter().map(Record::size).sum::<usize>();
                if let Some(Write::Append(records)) = self.queue.last_mut() {
                    records.extend(more);
                } else {
                    self.queue.push(Write::Append(more));
                }
            }
            Write::Snapshot(_) => {
                self.queue.retain(|queued| !matches!(queued, Write::Snapshot(_)));
                self.queue.push(write);
            }
            Write::Install(_) => {
                self.queue.pop_if(|last| matches!(last, Write::Install(_)));
                self.queue.push(write);
            }
            _ => self.queue.push(write),
        }
    }

    /// The ticket of the last write that was added.
    pub(crate) fn last_ticket(&self) -> u64 {
        self.queued
    }

    /// Whether there is something to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Takes all that is to be done, with the ticket of the last of it. What was taken before must
    /// be finished.
    pub(crate) fn take(&mut self) -> (Vec<Write>, u64) {
        self.taken_bytes = take(&mut self.queued_bytes);
        (take(&mut self.queue), self.queued)
    }

    /// All up to `ticket`, which came with what was taken last, is on disk.
    pub(crate) fn finish(&mut self, ticket: u64) {
        assert!(ticket >= self.finished, "writes are finished in order");
        self.finished = ticket;
        self.taken_bytes = 0;
    }

    /// About how many bytes the records take that are not on disk yet.
    pub(crate) fn unfinished_bytes(&self) -> usize {
        self.queued_bytes + self.taken_bytes
    }

    /// Whether all up to `ticket` is on disk.
    pub(crate) fn is_finished(&self, ticket: u64) -> bool {
        self.finished >= ticket
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::table::Table;
    use crate::given::tail::tests::{at, no_op};

    #[test]
    fn records_in_a_row_become_one_write() {
        let mut writes = Writes::default();
        writes.push(Write::Append(vec![no_op(at(1, 1))]));
        writes.push(Write::Append(vec![no_op(at(2, 1))]));
        writes.push(Write::Promise(2));
        writes.push(Write::Append(vec![no_op(at(3, 2))]));
        let (queue, ticket) = writes.take();
        assert_eq!(ticket, 4);
        assert!(matches!(&queue[..], [Write::Append(two), Write::Promise(2), Write::Append(one)]
            if two.len() == 2 && one.len() == 1));
        assert!(writes.is_empty() && !writes.is_finished(1));
        writes.finish(ticket);
        assert!(writes.is_finished(4));
    }

    #[test]
    fn records_count_until_they_are_on_disk() {
        let mut writes = Writes::default();
        let size = no_op(at(1, 1)).size();
        writes.push(Write::Append(vec![no_op(at(1, 1)), no_op(at(2, 1))]));
        let (_, ticket) = writes.take();
        writes.push(Write::Append(vec![no_op(at(3, 1))]));
        assert_eq!(writes.unfinished_bytes(), 3 * size);
        writes.finish(ticket);
        assert_eq!(writes.unfinished_bytes(), size);
    }

    #[test]
    fn only_the_last_of_the_primarys_snapshots_is_queued() {
        let mut writes = Writes::default();
        let install =
            |order| Write::Install(Snapshot { last: at(order, 1), table: Table::default() });
        writes.push(Write::Promise(1));
        (1..4).for_each(|order| writes.push(install(order)));
        assert_eq!(writes.take(), (vec![Write::Promise(1), install(3)], 4));
    }

    #[test]
    fn only_the_last_snapshot_is_queued() {
        let mut writes = Writes::default();
        for order in 1..4 {
            let last = at(order, 1);
            writes.push(Write::Append(vec![no_op(last)]));
            writes.push(Write::Snapshot(Snapshot { last, table: Table::default() }));
        }
        let (queue, ticket) = writes.take();
        assert_eq!(ticket, 6);
        let snapshots: Vec<_> = queue
            .iter()
            .filter_map(|write| match write {
                Write::Snapshot(snapshot) => Some(snapshot.last),
                _ => None,
            })
            .collect();
        assert_eq!(snapshots, [at(3, 1)]);
        assert!(matches!(queue.last(), Some(Write::Snapshot(_))), "its last record comes first");
    }
}
