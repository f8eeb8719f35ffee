//! The end of the log, in memory: what a primary may have to copy to others.

use crate::given::record::Record;
use crate::given::version::Order;
use crate::given::version::{Chain, Prefix, Version};

/// Records are copied in pieces of about so many bytes, so that no message becomes too long, and a
/// backup that lacks much shows soon that it is alive.
const PIECE: usize = 256 << 10;

/// The records behind a base. The base and what is before it are done, and part of a snapshot.
///
/// Invariants: orders have no gaps, and epochs never fall.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail {
    /// The log up to the record before the first one here.
    base: Prefix,
    records: Vec<Record>,
    /// The checksum of the log up to each of the records.
    chains: Vec<Chain>,
    /// The number of bytes of all records up to each of them, those before the base included as far
    /// as they were here.
    sizes: Vec<usize>,
    /// The same up to the base.
    size_of_base: usize,
}

impl Tail {
    /// A log that goes on behind `base`.
    pub(crate) fn new(base: Prefix, records: Vec<Record>) -> Self {
        let mut tail = Self { base, ..Self::default() };
        records.into_iter().for_each(|record| tail.append(record));
        tail
    }

    /// The version of the log.
    pub(crate) fn version(&self) -> Version {
        self.records.last().map_or(self.base.last, Record::version)
    }

    /// The whole log.
    pub(crate) fn whole(&self) -> Prefix {
        Prefix { last: self.version(), chain: *self.chains.last().unwrap_or(&self.base.chain) }
    }

    /// The version of the log up to `order`; `None` if it is shorter, or the place is before the
    /// base.
    pub(crate) fn version_at(&self, order: Order) -> Option<Version> {
        self.prefix_at(order).map(|prefix| prefix.last)
    }

    /// The log up to `order`; `None` in the same cases.
    pub(crate) fn prefix_at(&self, order: Order) -> Option<Prefix> {
        match order.checked_sub(self.base.last.order)? as usize {
            0 => Some(self.base),
            n => {
                Some(Prefix { last: self.records.get(n - 1)?.version(), chain: self.chains[n - 1] })
            }
        }
    }

    /// Whether the log has this very record.
    pub(crate) fn contains(&self, version: Version) -> bool {
        self.version_at(version.order) == Some(version)
    }

    /// A record.
    pub(crate) fn record(&self, order: Order) -> Option<&Record> {
        self.records.get(order.checked_sub(self.base.last.order + 1)? as usize)
    }

    /// The records behind `order`, which must not be before the base.
    pub(crate) fn after(&self, order: Order) -> &[Record] {
        assert!(order >= self.base.last.order, "records up to {} are dropped", self.base.last);
        let skipped = (order - self.base.last.order) as usize;
        self.records.get(skipped..).unwrap_or_default()
    }

    /// The first records behind `order`, about [`PIECE`] bytes of them, but one at least.
    pub(crate) fn piece_after(&self, order: Order) -> &[Record] {
        let records = self.after(order);
        let mut bytes = 0;
        let fits = |record: &&Record| {
            bytes += record.size();
            bytes <= PIECE
        };
        let count = records.iter().take_while(fits).count();
        &records[..count.max(1).min(records.len())]
    }

    /// Where two logs can agree at most: the last record whose order and epoch are both not beyond
    /// those of `theirs`; `None` if that is before the base.
    ///
    /// Each side asks this of its own log, in turn, until the answer is a record that it has. Every
    /// step skips all records of an epoch that one side does not have.
    pub(crate) fn last_not_beyond(&self, theirs: Version) -> Option<Version> {
        let base = self.base.last;
        if base.order > theirs.order || base.epoch > theirs.epoch {
            return None;
        }
        let upto = (theirs.order - base.order) as usize;
        let candidates = &self.records[..upto.min(self.records.len())];
        let count = candidates.partition_point(|record| record.epoch <= theirs.epoch);
        Some(count.checked_sub(1).map_or(base, |last| candidates[last].version()))
    }

    /// About how many bytes the records behind `from` take, up to `to`. Both must be in the log.
    pub(crate) fn size_between(&self, from: Order, to: Order) -> usize {
        let size_at = |order: Order| match (order - self.base.last.order) as usize {
            0 => self.size_of_base,
            n => self.sizes[n - 1],
        };
        size_at(to) - size_at(from)
    }

    /// Adds the next record.
    pub(crate) fn append(&mut self, record: Record) {
        let last = self.version();
        assert_eq!(record.order, last.order + 1, "after {last} comes no {}", record.version());
        assert!(record.epoch >= last.epoch, "after {last} comes no {}", record.version());
        self.chains.push(record.chained_to(self.whole().chain));
        self.sizes.push(self.sizes.last().unwrap_or(&self.size_of_base) + record.size());
        self.records.push(record);
    }

    /// Forgets the records from `order` on.
    pub(crate) fn cut_off_from(&mut self, order: Order) {
        let base = self.base.last;
        assert!(order > base.order, "what is up to {base} is done");
        self.records.truncate((order - base.order - 1) as usize);
        self.chains.truncate(self.records.len());
        self.sizes.truncate(self.records.len());
    }

    /// Drops the records up to `order`.
    pub(crate) fn drop_up_to(&mut self, order: Order) {
        if let Some(base) = self.prefix_at(order) {
            let dropped = (order - self.base.last.order) as usize;
            self.records.drain(..dropped);
            self.chains.drain(..dropped);
            self.size_of_base =
                self.sizes.drain(..dropped).next_back().unwrap_or(self.size_of_base);
            self.base = base;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::given::record::Operation;
    use crate::given::version::Epoch;

    /// A log whose records have these epochs.
    pub(crate) fn log(epochs: &[Epoch]) -> Tail {
        let record = |(order, &epoch)| no_op(Version { epoch, order });
        Tail::new(Prefix::default(), (1..).zip(epochs).map(record).collect())
    }

    /// A record that does nothing.
    pub(crate) fn no_op(version: Version) -> Record {
        let Version { epoch, order } = version;
        Record { order, epoch, client: 0, sequence: 0, operation: Operation::NoOp }
    }

    /// `at(7, 5)` is 7@5.
    pub(crate) fn at(order: Order, epoch: Epoch) -> Version {
        Version { epoch, order }
    }

    #[test]
    fn places_behind_the_base_are_known() {
        let mut tail = log(&[1, 1, 2, 2, 3]);
        tail.drop_up_to(2);
        assert_eq!((tail.base.last, tail.version()), (at(2, 1), at(5, 3)));
        assert_eq!(tail.version_at(1), None);
        assert_eq!(tail.version_at(2), Some(at(2, 1)));
        assert_eq!(tail.version_at(6), None);
        assert!(tail.contains(at(3, 2)) && !tail.contains(at(3, 1)));
        assert_eq!(tail.after(4).len(), 1);
        assert_eq!(tail.size_between(2, 5), 3 * no_op(at(3, 2)).size());
        assert_eq!(tail.after(9).len(), 0);
        tail.cut_off_from(4);
        assert_eq!(tail.version(), at(3, 2));
    }

    #[test]
    fn checksums_tell_logs_of_the_same_version_apart() {
        let (mut long, same) = (log(&[1, 1, 2]), log(&[1, 1, 2]));
        assert_eq!(long.whole(), same.whole());
        let other = Record { client: 7, ..no_op(at(2, 1)) };
        let records = vec![no_op(at(1, 1)), other, no_op(at(3, 2))];
        let other = Tail::new(Prefix::default(), records);
        assert_eq!(other.version(), long.version());
        assert_eq!(other.prefix_at(1), long.prefix_at(1));
        assert_ne!(other.whole(), long.whole());
        // The same records have the same checksums, whatever was dropped or cut off.
        let whole = long.whole();
        long.drop_up_to(1);
        long.cut_off_from(3);
        long.append(no_op(at(3, 2)));
        assert_eq!(long.whole(), whole);
    }

    #[test]
    fn where_logs_can_agree() {
        let tail = log(&[1, 1, 2, 2, 4]);
        for (theirs, expected) in [
            (at(0, 0), at(0, 0)),
            (at(2, 1), at(2, 1)),
            (at(9, 1), at(2, 1)),
            (at(3, 9), at(3, 2)),
            (at(9, 3), at(4, 2)),
            (at(9, 9), at(5, 4)),
        ] {
            assert_eq!(tail.last_not_beyond(theirs), Some(expected), "{theirs}");
        }
        let mut dropped = tail;
        dropped.drop_up_to(3);
        assert_eq!(dropped.last_not_beyond(at(2, 1)), None);
        assert_eq!(dropped.last_not_beyond(at(9, 1)), None);
        assert_eq!(dropped.last_not_beyond(at(3, 2)), Some(at(3, 2)));
    }
}
