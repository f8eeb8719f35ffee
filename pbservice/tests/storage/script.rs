//! A run of operations on a storage, and what may be found after it was interrupted.

use pbservice::{Record, Recovered, Storage, StorageError};
use rand::RngExt as _;

use super::{records, snapshot_of};

/// An operation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Promises this epoch.
    Promise(u64),
    /// Appends so many records of this epoch.
    Append(u64, u64),
    /// Syncs.
    Sync,
    /// Marks all records as committed, and writes the mark.
    Mark,
    /// Cuts off the last so many records.
    CutOff(u64),
    /// Saves a snapshot without the last so many records.
    Snapshot(u64),
    /// Installs a snapshot with so many more records, or one that ends before, of this epoch.
    Install(u64, u64),
}

/// Everything that a storage can do, in an order in which each meets the other.
pub(crate) const EVERYTHING: [Step; 30] = {
    use Step::{Append, CutOff, Install, Mark, Promise, Snapshot, Sync};
    [
        Promise(1),
        Append(2, 1),
        Sync,
        Append(3, 1),
        Promise(2),
        Sync,
        Mark,
        Append(1, 2),
        Sync,
        Snapshot(1),
        Append(2, 2),
        Append(2, 2),
        Sync,
        CutOff(3),
        Append(2, 3),
        Sync,
        Snapshot(2),
        Append(4, 3),
        Promise(5),
        CutOff(2),
        Append(1, 5),
        Install(9, 6),
        Append(2, 6),
        Sync,
        Install(0, 6),
        Append(1, 7),
        Sync,
        Snapshot(0),
        Append(1, 7),
        Sync,
    ]
};

/// What a server knows of what it has done: what must be on its disk, and what may be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    /// The whole log, as in memory.
    log: Vec<Record>,
    /// These records were acknowledged: a beginning of the log.
    acknowledged: usize,
    /// And these are committed: they are never cut off.
    committed: usize,
    /// Another log, that may be there instead while it is being replaced.
    instead: Option<Vec<Record>>,
    /// The promise that was given, and one that was perhaps saved.
    promised: u64,
    promising: u64,
}

impl Model {
    /// Does a step.
    pub(crate) fn step(&mut self, storage: &mut Storage, step: Step) -> Result<(), StorageError> {
        self.begin(step);
        self.perform(storage, step)?;
        self.end(step);
        Ok(())
    }

    /// A step begins: from now on, what comes of it may be on the disk.
    pub(crate) fn begin(&mut self, step: Step) {
        match step {
            Step::Promise(epoch) => self.promising = epoch,
            Step::Append(count, epoch) => {
                let first = self.len() + 1;
                self.log.extend(records(first..=first + count - 1, epoch));
            }
            Step::CutOff(count) => {
                let keep = self.log.len() - count as usize;
                self.acknowledged = self.acknowledged.min(keep);
                self.instead = Some(self.log.clone());
                self.log.truncate(keep);
            }
            Step::Install(more, epoch) => {
                // The primary's log: ours without what was not acknowledged.
                let last = self.len() + more;
                self.instead = Some(self.log.clone());
                self.log.truncate(self.acknowledged);
                let first = self.len() + 1;
                self.log.extend(records(first..=last, epoch));
            }
            Step::Sync | Step::Mark | Step::Snapshot(_) => {}
        }
    }

    /// Calls the storage.
    fn perform(&self, storage: &mut Storage, step: Step) -> Result<(), StorageError> {
        match step {
            Step::Promise(epoch) => storage.save_promise(epoch),
            Step::Append(count, _) => storage.append(&self.log[self.log.len() - count as usize..]),
            Step::Sync => storage.sync(),
            Step::Mark => {
                storage.mark_committed(self.len());
                storage.write_mark()
            }
            Step::CutOff(_) => storage.truncate_from(self.len() + 1),
            Step::Snapshot(without) => {
                let end = self.log.len() - without as usize;
                storage.save_snapshot(&snapshot_of(&self.log[..end]))
            }
            Step::Install(..) => storage.install_snapshot(&snapshot_of(&self.log)),
        }
    }

    /// A step has succeeded: what comes of it must be on the disk.
    fn end(&mut self, step: Step) {
        self.instead = None;
        match step {
            Step::Promise(epoch) => self.promised = epoch,
            Step::Append(..) => {}
            Step::Sync | Step::CutOff(_) => self.acknowledged = self.log.len(),
            Step::Mark => self.committed = self.log.len(),
            Step::Snapshot(without) => {
                let end = self.log.len() - without as usize;
                self.acknowledged = self.acknowledged.max(end);
                self.committed = self.committed.max(end);
            }
            Step::Install(..) => {
                self.acknowledged = self.log.len();
                self.committed = self.log.len();
            }
        }
    }

    /// A step that can be done now.
    pub(crate) fn draw(&self) -> Step {
        let mut rng = labrpc::rng();
        let open = self.len() - self.committed as u64;
        let epoch = self.epoch() + rng.random_range(0..=1_u64);
        match rng.random_range(0..20_u32) {
            0 => Step::Promise(self.promised + 1),
            1 if open > 0 => Step::CutOff(rng.random_range(1..=open)),
            2 if open > 0 => Step::Snapshot(rng.random_range(0..open)),
            // Two logs that share a record share all before it: a primary with another log than
            // ours has another epoch.
            3 => Step::Install(rng.random_range(0..4), self.epoch() + 1),
            4..=5 => Step::Mark,
            6..=12 => Step::Sync,
            _ => Step::Append(rng.random_range(1..4), epoch),
        }
    }

    /// Checks what was found after a crash.
    pub(crate) fn check(&self, found: &Recovered, when: &str) {
        assert_eq!(found.damage, None, "{when}: a crash is no damage");
        let promises = self.promised..=self.promised.max(self.promising);
        assert!(promises.contains(&found.promise), "{when}: {} of {promises:?}", found.promise);
        let known = found.snapshot.last.order as usize;
        let end = known + found.records.len();
        assert!(end >= self.acknowledged, "{when}: {end} of {} records", self.acknowledged);
        let is_beginning_of = |log: &Vec<Record>| {
            end <= log.len()
                && found.snapshot == snapshot_of(&log[..known])
                && found.records == log[known..end]
        };
        let possible = is_beginning_of(&self.log) || self.instead.iter().any(is_beginning_of);
        assert!(
            possible,
            "{when}: found {} after the snapshot {}, which is no part of {}, {} of it \
             acknowledged, or of {}",
            end_of(&found.records),
            found.snapshot.last,
            end_of(&self.log),
            self.acknowledged,
            end_of(self.instead.as_deref().unwrap_or_default()),
        );
        assert!(found.committed as usize <= end, "{when}");
    }

    /// The server goes on with what was found.
    pub(crate) fn go_on(&mut self, found: &Recovered) {
        let end = found.snapshot.last.order as usize + found.records.len();
        let last = found.records.last().map_or(found.snapshot.last, Record::version);
        let is_there =
            |log: &Vec<Record>| end == 0 || log.get(end - 1).is_some_and(|r| r.version() == last);
        if !is_there(&self.log) {
            self.log = self.instead.take().expect("checked: it is one of the two");
        }
        self.log.truncate(end);
        self.instead = None;
        self.acknowledged = end;
        self.committed = self.committed.max(found.committed as usize).min(end);
        (self.promised, self.promising) = (found.promise, found.promise);
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> u64 {
        self.log.len() as u64
    }

    /// The epoch of the last record.
    pub(crate) fn epoch(&self) -> u64 {
        self.log.last().map_or(1, |record| record.epoch)
    }
}

/// The places of the last records of a log, for messages.
fn end_of(log: &[Record]) -> String {
    let last = &log[log.len().saturating_sub(20)..];
    last.iter().map(|record| record.version().to_string()).collect::<Vec<_>>().join(" ")
}
