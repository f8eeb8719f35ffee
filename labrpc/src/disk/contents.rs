//! One simulated file: what its readers see, and what a crash would leave of it.

use std::collections::VecDeque;

use rand::{Rng, RngExt};

/// A change of a file.
#[derive(Clone, Debug)]
enum Change {
    /// These bytes were written at this offset, which was the end of the file.
    Write { offset: usize, bytes: Vec<u8> },
    /// The file was cut off.
    Truncate { len: usize },
}

impl Change {
    /// Makes this change, and of a write only the first `at_most` bytes. What an earlier write that
    /// was lost should have put before them is zeros.
    fn apply(&self, to: &mut Vec<u8>, at_most: usize) {
        match self {
            Self::Write { offset, bytes } => {
                let bytes = &bytes[..bytes.len().min(at_most)];
                let end = offset + bytes.len();
                to.resize(to.len().max(end), 0);
                to[*offset..end].copy_from_slice(bytes);
            }
            Self::Truncate { len } => to.truncate(*len),
        }
    }
}

/// A file.
///
/// Invariant, as long as no sync has failed: `durable` with all `pending` changes is `visible`.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    /// What readers see.
    visible: Vec<u8>,
    /// What survives a crash in any case.
    durable: Vec<u8>,
    /// Whether the file's name survives.
    name_is_durable: bool,
    /// The changes that no sync has saved, oldest first.
    pending: VecDeque<Change>,
    /// The number of changes that are no longer pending.
    settled: u64,
}

impl Contents {
    /// What readers see.
    pub(super) fn visible(&self) -> &[u8] {
        &self.visible
    }

    /// Adds bytes at the end.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        let change = Change::Write { offset: self.visible.len(), bytes: bytes.to_vec() };
        self.change(change);
    }

    /// Cuts the file off.
    pub(super) fn truncate(&mut self, len: usize) {
        self.change(Change::Truncate { len });
    }

    /// Makes a change, for readers.
    fn change(&mut self, change: Change) {
        change.apply(&mut self.visible, usize::MAX);
        self.pending.push_back(change);
    }

    /// The number of changes so far: what a sync that begins now must save.
    pub(super) fn changes(&self) -> u64 {
        self.settled + self.pending.len() as u64
    }

    /// A sync that began after this number of changes has succeeded.
    pub(super) fn sync(&mut self, changes: u64) {
        self.name_is_durable = true;
        while self.settled < changes
            && let Some(change) = self.pending.pop_front()
        {
            change.apply(&mut self.durable, usize::MAX);
            self.settled += 1;
        }
    }

    /// A sync that began after this number of changes has failed: what has not reached the disk
    /// by now never will.
    pub(super) fn fail_to_sync(&mut self, changes: u64, rng: &mut impl Rng) {
        let unsaved = changes.saturating_sub(self.settled);
        let saved = rng.random_range(0..=unsaved);
        self.sync(self.settled + saved);
        let lost = (unsaved - saved).min(self.pending.len() as u64);
        self.pending.drain(..lost as usize);
        self.settled += lost;
    }

    /// Changes what readers see and what survives alike.
    pub(super) fn damage(&mut self, f: impl Fn(&mut Vec<u8>)) {
        // What is pending becomes durable first: damage is done to a file that lies still.
        self.sync(self.changes());
        f(&mut self.durable);
        f(&mut self.visible);
    }

    /// What is there after a crash; `None` if the file is not.
    pub(super) fn crash(&self, rng: &mut impl Rng) -> Option<Self> {
        if !self.name_is_durable && rng.random_bool(0.5) {
            return None;
        }
        let mut left = self.durable.clone();
        let survive = rng.random_range(0..=self.pending.len() as u64) as usize;
        for change in self.pending.iter().take(survive) {
            change.apply(&mut left, usize::MAX);
        }
        if let Some(torn @ Change::Write { bytes, .. }) = self.pending.get(survive) {
            torn.apply(&mut left, rng.random_range(0..=bytes.len() as u64) as usize);
            // The blocks may have been allocated, and not written yet.
            if rng.random_bool(0.25) && left.len() < self.visible.len() {
                let mut garbage = vec![0; self.visible.len() - left.len()];
                if rng.random_bool(0.5) {
                    rng.fill_bytes(&mut garbage);
                }
                left.extend(garbage);
            }
        }
        Some(Self::at_rest(left))
    }

    /// What is there after a crash that the first `unsynced` bytes that were appended survive.
    pub(super) fn crash_keeping(&self, unsynced: u64) -> Option<Self> {
        let mut left = self.durable.clone();
        let mut budget = usize::try_from(unsynced).unwrap_or(usize::MAX);
        if budget == 0 && !self.name_is_durable {
            return None;
        }
        for change in &self.pending {
            if budget == 0 {
                break;
            }
            change.apply(&mut left, budget);
            if let Change::Write { bytes, .. } = change {
                budget = budget.saturating_sub(bytes.len());
            }
        }
        Some(Self::at_rest(left))
    }

    /// A file of which everything is durable.
    fn at_rest(bytes: Vec<u8>) -> Self {
        Self { visible: bytes.clone(), durable: bytes, name_is_durable: true, ..Self::default() }
    }
}
