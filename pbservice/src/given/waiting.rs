//! Clients' requests that wait at a primary: writes until they are committed, reads until a
//! majority has confirmed that this still is the primary.

use std::collections::BTreeMap;
use std::mem::replace;

use labrpc::{Receiver, Sender, channel};

use crate::given::table::{Table, Value};
use crate::given::version::Order;

/// Numbers a primary's questions whether a majority still follows it.
pub(crate) type Round = u64;

/// The requests that wait. A receiver fails when its request was dropped.
#[derive(Default)]
pub(crate) struct Waiting {
    /// By the place of the record.
    writes: BTreeMap<Order, Vec<Sender<()>>>,
    /// By the round.
    reads: BTreeMap<Round, Vec<Read>>,
}

/// A question that waits.
struct Read {
    key: String,
    value: Sender<Option<Value>>,
}

impl Waiting {
    /// Waits until the record at this place is committed.
    pub(crate) fn add_write(&mut self, order: Order) -> Receiver<()> {
        let (sender, receiver) = channel();
        self.writes.entry(order).or_default().push(sender);
        receiver
    }

    /// Waits until the value of a key may be read, in this round.
    pub(crate) fn add_read(&mut self, round: Round, key: String) -> Receiver<Option<Value>> {
        let (value, receiver) = channel();
        self.reads.entry(round).or_default().push(Read { key, value });
        receiver
    }

    /// Forgets all requests that wait: each learns that it has to ask another server.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Answers the writes up to `committed`.
    pub(crate) fn answer_writes(&mut self, committed: Order) {
        let later = self.writes.split_off(&(committed + 1));
        for sender in replace(&mut self.writes, later).into_values().flatten() {
            sender.send(()).ok(); // Fails if the client's handler has died.
        }
    }

    /// Answers the reads up to this round, from `table`.
    pub(crate) fn answer_reads(&mut self, round: Round, table: &Table) {
        let later = self.reads.split_off(&(round + 1));
        for Read { key, value } in replace(&mut self.reads, later).into_values().flatten() {
            value.send(table.pairs.get(&key).cloned()).ok(); // As above.
        }
    }
}
