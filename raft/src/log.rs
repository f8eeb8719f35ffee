//! The replicated log: a snapshot, and the entries after it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Index, Term};

/// A command for the service, and the term in which a leader received it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// When it was received.
    pub(crate) term: Term,
    /// The service's business: Raft never looks into it.
    #[serde(with = "serde_bytes")]
    pub(crate) command: Vec<u8>,
}

/// A place in a log. Shown as `7@5`: index 7 of term 5. Used by the grading tests.
///
/// The order is that of §5.4.1: of two logs, the one whose last place is greater is more up to
/// date. The later term wins, and within a term the longer log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogPos {
    /// The term of the entry at this place.
    pub term: Term,
    /// The index, counted from 1. Index 0 is the empty log's end.
    pub index: Index,
}

impl fmt::Display for LogPos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.index, self.term)
    }
}

/// All entries that a server knows, the oldest of them as a snapshot (§7).
///
/// Invariants:
/// * indices count up from the snapshot's without a gap;
/// * terms never decrease;
/// * the snapshot never moves back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    /// The place of the last entry that the snapshot contains; `0@0` without a snapshot.
    last_included: LogPos,
    /// The service's state at that place.
    snapshot_data: Vec<u8>,
    /// The entries after it.
    entries: Vec<Entry>,
    /// The first entry that has changed since [`Log::take_changed_from`] was last called.
    changed_from: Option<Index>,
}

impl Log {
    /// A log restored from what was persisted.
    pub(crate) fn restore(
        last_included: LogPos,
        snapshot_data: Vec<u8>,
        entries: Vec<Entry>,
    ) -> Self {
        Self { last_included, snapshot_data, entries, changed_from: Some(last_included.index + 1) }
    }

    /// The place of the last entry.
    pub(crate) fn last(&self) -> LogPos {
        match self.entries.last() {
            Some(entry) => LogPos { index: self.last_index(), term: entry.term },
            None => self.last_included,
        }
    }

    /// The index of the last entry.
    pub(crate) fn last_index(&self) -> Index {
        self.last_included.index + self.entries.len() as Index
    }

    /// The place where the snapshot ends and the entries begin.
    pub(crate) fn last_included(&self) -> LogPos {
        self.last_included
    }

    /// The service's state in the snapshot; empty without one.
    pub(crate) fn snapshot_data(&self) -> &[u8] {
        &self.snapshot_data
    }

    /// The term of the entry at `index`; `None` if it is in the snapshot, but for its last entry,
    /// or beyond the end.
    pub(crate) fn term_at(&self, index: Index) -> Option<Term> {
        if index == self.last_included.index {
            return Some(self.last_included.term);
        }
        self.slot(index).map(|slot| self.entries[slot].term)
    }

    /// The entries from `index` on, which must not be in the snapshot.
    pub(crate) fn entries_from(&self, index: Index) -> &[Entry] {
        assert!(
            index > self.last_included.index,
            "entry {index} is in the snapshot {}",
            self.last_included
        );
        let slot = (index - self.last_included.index - 1) as usize;
        self.entries.get(slot..).unwrap_or(&[])
    }

    /// Whether the log has an entry at this place.
    pub(crate) fn contains(&self, place: LogPos) -> bool {
        self.term_at(place.index) == Some(place.term)
    }

    /// The first index of the entries of `term`, of those after the snapshot.
    pub(crate) fn first_index_of(&self, term: Term) -> Index {
        let before = self.entries.partition_point(|entry| entry.term < term);
        self.last_included.index + 1 + before as Index
    }

    /// The last index of an entry of `term`, if there is one.
    pub(crate) fn last_index_of(&self, term: Term) -> Option<Index> {
        let up_to = self.entries.partition_point(|entry| entry.term <= term);
        let last = self.last_included.index + up_to as Index;
        (self.term_at(last) == Some(term)).then_some(last)
    }

    /// Adds an entry at the end; returns its place.
    pub(crate) fn append(&mut self, entry: Entry) -> LogPos {
        assert!(entry.term >= self.last().term, "term {} after {}", entry.term, self.last());
        self.entries.push(entry);
        let last = self.last();
        self.note_change(last.index);
        last
    }

    /// Stores a leader's entries after the entry at `prev`, which must be in the log or be the
    /// snapshot's last.
    ///
    /// Entries that are there already stay, and so do those after them: a request that was
    /// overtaken by a later one must not undo it.
    pub(crate) fn store(&mut self, prev: Index, entries: Vec<Entry>) {
        for (index, entry) in (prev + 1..).zip(entries) {
            if self.term_at(index) == Some(entry.term) {
                continue;
            }
            // Figure 2, AppendEntries step 3: an existing entry that conflicts with a new one goes,
            // and all that follow it.
            self.truncate_from(index);
            // Step 4: append any new entries not already in the log.
            self.append(entry);
        }
    }

    /// Replaces all entries up to `place` by a snapshot. Entries after it stay if the log contains
    /// `place`; otherwise none does (Figure 13, steps 6 and 7).
    pub(crate) fn compact(&mut self, place: LogPos, data: Vec<u8>) {
        assert!(
            place.index > self.last_included.index,
            "snapshot {} back to {place}",
            self.last_included
        );
        if self.contains(place) {
            self.entries.drain(..(place.index - self.last_included.index) as usize);
        } else {
            self.entries.clear();
        }
        self.last_included = place;
        self.snapshot_data = data;
        self.changed_from = Some(place.index + 1);
    }

    /// The first entry that has changed since this was last asked.
    pub(crate) fn take_changed_from(&mut self) -> Option<Index> {
        self.changed_from.take()
    }

    /// Removes the entry at `index`, if there is one, and all that follow it.
    fn truncate_from(&mut self, index: Index) {
        if let Some(slot) = self.slot(index) {
            self.entries.truncate(slot);
            self.note_change(index);
        }
    }

    /// Where the entry with this index is stored.
    fn slot(&self, index: Index) -> Option<usize> {
        let slot = index.checked_sub(self.last_included.index + 1)? as usize;
        (slot < self.entries.len()).then_some(slot)
    }

    /// Remembers that the entry at `index` is not what it was.
    fn note_change(&mut self, index: Index) {
        self.changed_from = Some(self.changed_from.map_or(index, |from| from.min(index)));
    }
}

#[cfg(test)]
mod tests;
