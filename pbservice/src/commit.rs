//! When a record is committed, and when a primary may serve.

use log::debug;

use crate::given::clerk::Refusal;
use crate::given::record::{ClientId, Operation, Record};
use crate::given::snapshot::Snapshot;
use crate::given::version::{Order, Version};
use crate::given::waiting::Round;
use crate::given::writes::Write;
use crate::state::{Office, Role, State};

/// A snapshot is taken after this number of bytes of records, if not before: 16 MiB.
const SNAPSHOT_AFTER_BYTES: usize = 16 << 20;

/// A primary refuses writes while more than 16 MiB of records wait for its own disk: a majority may
/// commit them without it, so nothing else limits them while this disk stands still.
const MAX_UNFINISHED_BYTES: usize = 16 << 20;

impl State {
    /// The log is on disk up to `last`.
    pub(crate) fn note_synced(&mut self, last: Version) {
        if let Role::Primary(office) = &mut self.role
            && last.epoch == self.promised
        {
            office.synced = office.synced.max(last.order);
            self.maybe_commit();
        }
    }

    /// A primary calls records committed that are on the disks of a majority, itself perhaps
    /// included, if the last of them is of its own epoch.
    ///
    /// A record of an older epoch is not committed because a majority has it: a server with a
    /// later, lonely record may still be chosen and cut it off everywhere. It is committed together
    /// with a later one of this epoch, at the latest with the no-op.
    pub(crate) fn maybe_commit(&mut self) {
        let Role::Primary(office) = &self.role else { return };
        let order = office.on_majority();
        if order >= office.no_op && order > self.committed {
            self.commit_up_to(order);
        }
    }

    /// Applies the records up to `order`, which are committed.
    pub(crate) fn commit_up_to(&mut self, order: Order) {
        assert!(order <= self.tail.version().order, "{self} cannot know that {order} is committed");
        for order in self.committed + 1..=order {
            let record = self.tail.record(order).expect("what is not committed is in the log");
            self.table.apply(record);
        }
        debug!(target: "DONE", "{self} has committed all up to {order}");
        self.committed = order;
        self.maybe_take_snapshot();
    }

    /// Takes a snapshot when one is due: after a number of records, or of bytes, since the records
    /// are in memory too. Drops the log up to the snapshot before, on disk too. Later records stay: a
    /// backup that lacks a few of them should not need the whole table.
    fn maybe_take_snapshot(&mut self) {
        let bytes = self.tail.size_between(self.snapshot, self.committed);
        if self.committed - self.snapshot >= self.snapshot_every || bytes >= SNAPSHOT_AFTER_BYTES {
            self.tail.drop_up_to(self.snapshot);
            self.snapshot = self.committed;
            let snapshot = Snapshot { last: self.committed_version(), table: self.table.clone() };
            self.writes.push(Write::Snapshot(snapshot));
        }
    }

    /// Takes a client's operation into the log. Returns its place there; `None` if it is committed
    /// already. One that is there already needs no room: refusing it would say that it is not done.
    ///
    /// # Errors
    /// If this server is not primary, or there is no room for the operation, in the table or in
    /// what waits for the disk.
    pub(crate) fn accept_write(
        &mut self,
        client: ClientId,
        sequence: u64,
        operation: Operation,
    ) -> Result<Option<Order>, Refusal> {
        if !self.is_primary() {
            return Err(Refusal::NotPrimary { known: self.primary() });
        }
        if self.table.has_done(client, sequence) {
            return Ok(None);
        }
        let pending = self.tail.after(self.committed);
        let is_same = |record: &&Record| record.client == client && record.sequence == sequence;
        if let Some(record) = pending.iter().find(is_same) {
            return Ok(Some(record.order));
        }
        if self.writes.unfinished_bytes() > MAX_UNFINISHED_BYTES {
            return Err(Refusal::Busy);
        }
        self.room.take(self.promised, &operation, &self.table, pending)?;
        Ok(Some(self.write(client, sequence, operation)))
    }

    /// Takes a client's question. Returns the round in which a majority must say that it still
    /// follows this primary before it may be answered: one that begins now.
    ///
    /// # Errors
    /// If this server is not primary.
    pub(crate) fn accept_read(&mut self) -> Result<Round, NotPrimary> {
        let Role::Primary(office) = &mut self.role else { return Err(NotPrimary) };
        office.round += 1;
        Ok(office.round)
    }

    /// Up to which round questions may be answered; `None` if none may be.
    pub(crate) fn readable_round(&self) -> Option<Round> {
        let Role::Primary(office) = &self.role else { return None };
        (self.committed >= office.no_op).then(|| office.confirmed_by_majority())
    }
}

/// This server is not primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotPrimary;

impl Office {
    /// The last record that is on the disks of a majority.
    fn on_majority(&self) -> Order {
        let backups = self.backups.values().map(|progress| progress.matched);
        reached_by_majority(backups.chain([self.synced]).collect())
    }

    /// The last round that a majority has confirmed. The primary follows itself.
    fn confirmed_by_majority(&self) -> Round {
        let backups = self.backups.values().map(|progress| progress.confirmed);
        reached_by_majority(backups.chain([self.round]).collect())
    }
}

/// The highest number that a majority of servers has reached.
fn reached_by_majority(mut reached: Vec<u64>) -> u64 {
    reached.sort_unstable_by(|a, b| b.cmp(a));
    reached[reached.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::record::MAX_OPERATION;
    use crate::state::tests::{address, primary};

    /// The others commit what a primary's own disk does not take.
    #[test]
    fn disk_that_stands_still_takes_a_limited_number_of_bytes() {
        let mut primary = primary();
        let put = |primary: &mut State, sequence: u64| {
            let operation = Operation::Put { key: "x".into(), value: "v".repeat(1 << 19) };
            let place = primary.accept_write(7, sequence, operation)?;
            commit_without_primary(primary);
            Ok(place)
        };
        let refused = (1..200).find_map(|number| Some((number, put(&mut primary, number).err()?)));
        let (number, refusal) = refused.expect("the disk stands still");
        assert_eq!(refusal, Refusal::Busy);
        assert!(primary.writes.unfinished_bytes() <= MAX_UNFINISHED_BYTES + MAX_OPERATION);
        let last = primary.tail.version().order;
        assert_eq!(put(&mut primary, number - 1), Ok(None), "that is done already");

        let (_, ticket) = primary.writes.take(); // It is being written.
        assert_eq!(put(&mut primary, number), Err(Refusal::Busy));
        primary.writes.finish(ticket);
        assert_eq!(put(&mut primary, number), Ok(Some(last + 1)), "nothing refused is in the log");
    }

    /// All others have the whole log on their disks.
    fn commit_without_primary(primary: &mut State) {
        let last = primary.tail.version().order;
        let Role::Primary(office) = &mut primary.role else { panic!("it is not primary") };
        for backup in 2..=5 {
            office.backups.get_mut(&address(backup)).expect("it is a backup").matched = last;
        }
        primary.maybe_commit();
    }
}
