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
    /// The last ticket given.
    queued: u64,
    /// The last ticket whose write is on disk.
    finished: u64,
}

impl Writes {
    /// Adds a write. Records that follow each other become one.
    pub(crate) fn push(&mut self, write: Write) {
        self.queued += 1;
        if let Write::Append(more) = write {
            if let Some(Write::Append(records)) = self.queue.last_mut() {
                records.extend(more);
            } else {
                self.queue.push(Write::Append(more));
            }
        } else {
            self.queue.push(write);
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

    /// Takes all that is to be done, with the ticket of the last of it.
    pub(crate) fn take(&mut self) -> (Vec<Write>, u64) {
        (take(&mut self.queue), self.queued)
    }

    /// All up to `ticket` is on disk.
    pub(crate) fn finish(&mut self, ticket: u64) {
        assert!(ticket >= self.finished, "writes are finished in order");
        self.finished = ticket;
    }

    /// Whether all up to `ticket` is on disk.
    pub(crate) fn is_finished(&self, ticket: u64) -> bool {
        self.finished >= ticket
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
}
