//! Clients' requests that wait at a primary: writes until they are committed, reads until a
//! majority has confirmed that this still is the primary.

use std::collections::BTreeMap;

use labrpc::{Receiver, Sender, channel};

use crate::given::version::Order;
use crate::state::{Round, State};

/// The requests that wait. When the server stops being primary all of them are dropped, which tells
/// those who wait that they have to ask another server.
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
    value: Sender<Option<String>>,
}

impl Waiting {
    /// Waits until the record at this place is committed.
    pub(crate) fn add_write(&mut self, order: Order) -> Receiver<()> {
        let (sender, receiver) = channel();
        self.writes.entry(order).or_default().push(sender);
        receiver
    }

    /// Waits until the value of a key may be read, in this round.
    pub(crate) fn add_read(&mut self, round: Round, key: String) -> Receiver<Option<String>> {
        let (value, receiver) = channel();
        self.reads.entry(round).or_default().push(Read { key, value });
        receiver
    }

    /// Nobody waits any more.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Answers whoever can be answered now. To be called after each change of the state, so that no
    /// change of role is missed.
    pub(crate) fn answer(&mut self, state: &State) {
        if !state.is_primary() {
            return self.clear();
        }
        let later = self.writes.split_off(&(state.committed + 1));
        let committed = std::mem::replace(&mut self.writes, later);
        for sender in committed.into_values().flatten() {
            sender.send(()).ok(); // Nobody waits if the client's handler has died.
        }
        let Some(round) = state.readable_round() else { return };
        let later = self.reads.split_off(&(round + 1));
        let readable = std::mem::replace(&mut self.reads, later);
        for Read { key, value } in readable.into_values().flatten() {
            value.send(state.table.pairs.get(&key).cloned()).ok(); // As above.
        }
    }
}
