//! The write-ahead log as a file: what is in its frames, and what is to be made of bad ones.
//!
//! # A torn tail, or damage in the middle?
//!
//! A crash destroys only what was not synced, so the two are told apart by what is *known to have
//! been synced*. Every frame says how many bytes of the file were synced when it was written. When
//! a frame is bad, the rest of the file is searched for a sound one that was written when the bad
//! one was already synced:
//!
//! * There is one: no crash can have destroyed the bad frame. This is **damage**, and records that
//!   were acknowledged may be gone.
//! * There is none: the bad frame and all that follow it were written after the last sync that the
//!   file tells of. This is a **torn tail**. A disk may write blocks in any order, so a torn tail
//!   may well have sound frames behind the bad one; they were never acknowledged either.
//!
//! Without rotten bits, nothing acknowledged is lost: it was synced first, what was synced is whole
//! after a crash, so the first bad frame comes later. With rotten bits, the last synced frames are
//! protected as soon as a later frame is on the disk, at the latest the next commit mark, which a
//! server writes when it has been idle for a while, and when it is stopped. If it is killed before
//! that, and bits of them rot, their loss looks like a torn tail.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::format::{push_frame, read_frame};
use crate::given::record::Record;
use crate::given::version::Order;
use crate::given::version::{Prefix, Version};

/// A frame of the log.
#[derive(Serialize, Deserialize)]
pub(super) struct Frame<'a> {
    /// Bytes of the file that were known to be durable when this was written.
    synced: u64,
    /// What it says.
    entry: Entry<'a>,
}

/// What a frame of the log says.
#[derive(Serialize, Deserialize)]
pub(super) enum Entry<'a> {
    /// The first frame: where the log begins.
    Start {
        /// The log up to the record before the first one.
        before: Prefix,
        /// The order of the last record known to be committed when the file was written.
        committed: u64,
    },
    /// A record.
    Record(Cow<'a, Record>),
    /// The order of the last record known to be committed: written with the next record, so it lags
    /// behind.
    Committed(u64),
}

/// Appends a frame to bytes that will be at offset `origin` of the file.
pub(super) fn push_entry(bytes: &mut Vec<u8>, origin: u64, synced: u64, entry: Entry<'_>) {
    push_frame(bytes, origin, &Frame { synced, entry });
}

/// What was found in a log.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// The log up to the record before the first one.
    pub(super) before: Prefix,
    /// The records up to the first bad frame.
    pub(super) records: Vec<Record>,
    /// The order of the last record known to be committed.
    pub(super) committed: u64,
    /// Where the sound frames end.
    pub(super) end: u64,
    /// What comes then.
    pub(super) rest: Rest,
}

impl Scan {
    /// The last record.
    pub(super) fn last(&self) -> Version {
        self.records.last().map_or(self.before.last, Record::version)
    }

    /// The log up to this order; `None` if it ends before, or starts after that.
    pub(super) fn prefix_at(&self, order: Order) -> Option<Prefix> {
        let count = order.checked_sub(self.before.last.order)? as usize;
        let records = self.records.get(..count)?;
        Some(records.iter().fold(self.before, |prefix, record| prefix.followed_by(record)))
    }
}

/// What follows the sound frames of a log.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing.
    #[default]
    Nothing,
    /// What a crash has left of frames that were not synced.
    TornTail,
    /// What no crash can have done, in words.
    Damage(String),
}

/// Reads a log whose header ends at `start`.
pub(super) fn scan(bytes: &[u8], start: usize) -> Scan {
    let Some((Frame { entry: Entry::Start { before, committed }, .. }, mut at)) =
        read_frame(bytes, start)
    else {
        // A log gets its name when its start is on the disk.
        let rest = Rest::Damage("the log does not say where it starts".into());
        return Scan { end: start as u64, rest, ..Scan::default() };
    };
    let mut found = Scan { before, committed, ..Scan::default() };
    let mut last = before.last;
    while at < bytes.len() && found.rest == Rest::Nothing {
        match read_frame(bytes, at) {
            Some((Frame { entry: Entry::Record(record), .. }, end)) if follows(last, &record) => {
                last = record.version();
                found.records.push(record.into_owned());
                at = end;
            }
            Some((Frame { entry: Entry::Committed(order), .. }, end)) => {
                found.committed = found.committed.max(order);
                at = end;
            }
            Some(_) => found.rest = Rest::Damage(format!("the next record does not follow {last}")),
            None => found.rest = judge(bytes, at),
        }
    }
    found.end = at as u64;
    found
}

/// Whether a record may come after the one at `last`.
fn follows(last: Version, record: &Record) -> bool {
    record.order == last.order + 1 && record.epoch >= last.epoch
}

/// What the bad frame at `bad` means: see the head of this file.
fn judge(bytes: &[u8], bad: usize) -> Rest {
    for at in bad + 1..bytes.len() {
        if let Some((Frame { synced, .. }, _)) = read_frame(bytes, at)
            && synced > bad as u64
        {
            let problem = format!(
                "bad record, though {synced} bytes were synced when that at byte {at} was written"
            );
            return Rest::Damage(problem);
        }
    }
    Rest::TornTail
}
