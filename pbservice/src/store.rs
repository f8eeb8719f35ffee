//! The key/value table: the state machine that every server applies the same log to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::{ClientId, Operation, Record};

/// The table, and what has to be remembered with it so that no operation takes effect twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// Values by key. A key that was never written is not there.
    pub table: BTreeMap<String, String>,
    /// The duplicate table: the number of each client's last operation. One is enough, since a client
    /// begins its next operation only when the last one is done.
    pub sessions: BTreeMap<ClientId, u64>,
}

impl Store {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<String> {
        self.table.get(key).cloned()
    }

    /// Whether this operation of a client has taken effect.
    pub fn has_executed(&self, client: ClientId, sequence: u64) -> bool {
        self.sessions.get(&client).is_some_and(|&last| last >= sequence)
    }

    /// Applies the next record of the log. A client whose reply was lost sends its operation again,
    /// so the log may hold it twice; it takes effect once.
    pub fn apply(&mut self, record: &Record) {
        let Record { client, sequence, operation, .. } = record;
        let (key, value) = match operation {
            Operation::NoOp => return,
            _ if self.has_executed(*client, *sequence) => return,
            Operation::Put { key, value } => {
                self.table.insert(key.clone(), value.clone());
                self.sessions.insert(*client, *sequence);
                return;
            }
            Operation::Append { key, value } => (key, value),
        };
        self.table.entry(key.clone()).or_default().push_str(value);
        self.sessions.insert(*client, *sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record of client 7; its place does not matter to the store.
    fn record(sequence: u64, operation: Operation) -> Record {
        Record { order: 1, epoch: 1, client: 7, sequence, operation }
    }

    /// An append to key `k`.
    fn append(value: &str) -> Operation {
        Operation::Append { key: "k".into(), value: value.into() }
    }

    #[test]
    fn put_replaces_append_extends_and_a_missing_key_is_none() {
        let mut store = Store::default();
        assert_eq!(store.get("k"), None);
        store.apply(&record(1, append("a")));
        store.apply(&record(2, append("b")));
        assert_eq!(store.get("k").as_deref(), Some("ab"));
        store.apply(&record(3, Operation::Put { key: "k".into(), value: String::new() }));
        assert_eq!(store.get("k").as_deref(), Some(""), "empty is not missing");
    }

    #[test]
    fn a_record_that_comes_twice_takes_effect_once() {
        let mut store = Store::default();
        for sequence in [1, 2, 1, 2] {
            store.apply(&record(sequence, append(&sequence.to_string())));
        }
        assert_eq!(store.get("k").as_deref(), Some("12"));
        assert!(store.has_executed(7, 2) && !store.has_executed(7, 3));
        assert!(!store.has_executed(8, 1));
    }
}
