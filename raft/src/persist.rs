//! Figure 2's persistent state as bytes, and back.

use labrpc::{Persister, decode, encode};
use serde::{Deserialize, Serialize};

use crate::log::{Entry, Log, LogPos};
use crate::state::State;
use crate::{Index, PeerId, Term};

/// What stands before the entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    current_term: Term,
    voted_for: Option<PeerId>,
    last_included: LogPos,
}

/// A server's disk, and an image of what is on it.
///
/// Entries hardly ever change once they are written, so each is encoded once between two snapshots,
/// and kept: writing the whole state anew, as the persister wants it, is then a matter of copying
/// bytes.
#[derive(Debug)]
pub(crate) struct Storage {
    persister: Persister,
    header: Header,
    /// The encoded entries, one after the other.
    entries: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Storage {
    /// The storage on this disk, with nothing known to be on it.
    pub(crate) fn new(persister: Persister) -> Self {
        Self { persister, header: Header::default(), entries: Vec::new(), ends: Vec::new() }
    }

    /// What a server had saved before it crashed: term, vote and log. A new server starts in term
    /// 0.
    pub(crate) fn load(&self) -> (Term, Option<PeerId>, Log) {
        let state = self.persister.raft_state();
        let (header, entries): (Header, Vec<Entry>) = match state.is_empty() {
            true => Default::default(),
            false => decode(&state).expect("the persister returns what was saved"),
        };
        let log = Log::restore(header.last_included, self.persister.snapshot(), entries);
        (header.current_term, header.voted_for, log)
    }

    /// Saves what has changed of the persistent state, if anything has.
    pub(crate) fn save(&mut self, state: &mut State) {
        let header = Header {
            current_term: state.current_term,
            voted_for: state.voted_for,
            last_included: state.log.last_included(),
        };
        let changed_from = state.log.take_changed_from();
        if header == self.header && changed_from.is_none() {
            return;
        }
        let compacted = header.last_included != self.header.last_included;
        if compacted {
            self.truncate(0);
        } else if let Some(index) = changed_from {
            self.truncate((index - header.last_included.index - 1) as usize);
        }
        self.header = header;
        let first_missing = header.last_included.index + 1 + self.ends.len() as Index;
        for entry in state.log.entries_from(first_missing) {
            self.entries.extend(encode(entry));
            self.ends.push(self.entries.len());
        }
        let bytes = self.bytes();
        if compacted {
            self.persister.save(bytes, state.log.snapshot_data().to_vec());
        } else {
            self.persister.save_raft_state(bytes);
        }
    }

    /// Forgets all but the first `count` encoded entries.
    fn truncate(&mut self, count: usize) {
        self.ends.truncate(count);
        self.entries.truncate(self.ends.last().copied().unwrap_or(0));
    }

    /// The encoding of the header and a list of all entries. A list is encoded as its length, a
    /// `u64`, and then its items, so [`Storage::load`] can decode it as a `Vec`.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = encode(&(self.header, self.ends.len() as u64));
        bytes.extend(&self.entries);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::follower;

    /// What a server that restarts from this disk knows.
    fn reload(persister: &Persister) -> (Term, Option<PeerId>, LogPos, Vec<Entry>) {
        let (term, voted_for, log) = Storage::new(persister.clone()).load();
        let first = log.last_included().index + 1;
        (term, voted_for, log.last_included(), log.entries_from(first).to_vec())
    }

    #[test]
    fn empty_disk_is_a_new_server() {
        assert_eq!(reload(&Persister::new()), (0, None, LogPos::default(), vec![]));
    }

    #[test]
    fn everything_that_changes_is_saved() {
        let persister = Persister::new();
        let mut storage = Storage::new(persister.clone());
        let mut state = follower(1, &[1, 1, 1]);
        let mut check = |state: &mut State| {
            storage.save(state);
            let first = state.log.last_included().index + 1;
            let entries = state.log.entries_from(first).to_vec();
            let expected =
                (state.current_term, state.voted_for, state.log.last_included(), entries);
            assert_eq!(reload(&persister), expected);
            assert_eq!(persister.snapshot(), state.log.snapshot_data());
        };
        check(&mut state);
        state.voted_for = Some(2);
        check(&mut state);
        state.current_term = 2;
        state.log.append(Entry { term: 2, command: b"x".to_vec() });
        check(&mut state);
        state.log.store(1, vec![Entry { term: 2, command: vec![7; 300] }]);
        check(&mut state);
        state.log.compact(LogPos { index: 1, term: 1 }, b"one".to_vec());
        check(&mut state);
        state.log.append(Entry { term: 2, command: vec![] });
        check(&mut state);
        state.log.compact(LogPos { index: 9, term: 2 }, b"nine".to_vec());
        check(&mut state);
    }

    #[test]
    fn nothing_is_written_if_nothing_has_changed() {
        let persister = Persister::new();
        let mut storage = Storage::new(persister.clone());
        let mut state = follower(1, &[1]);
        storage.save(&mut state);
        persister.save_raft_state(Vec::new());
        storage.save(&mut state);
        assert_eq!(persister.raft_state_size(), 0);
    }
}
