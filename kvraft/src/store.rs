//! The key/value store: the pure state machine that is replicated.

use std::collections::BTreeMap;

use labrpc::{decode, encode};
use serde::{Deserialize, Serialize};

use crate::rpc::Op;
use crate::rsm::StateMachine;

/// Strings by string keys. A key that was never written has the value "".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KvStore(BTreeMap<String, String>);

impl StateMachine for KvStore {
    type Command = Op;
    /// The value for a `Get`, "" for the others.
    type Reply = String;

    fn apply(&mut self, op: Op) -> String {
        match op {
            Op::Get { key } => return self.0.get(&key).cloned().unwrap_or_default(),
            Op::Put { key, value } => drop(self.0.insert(key, value)),
            Op::Append { key, value } => self.0.entry(key).or_default().push_str(&value),
        }
        String::new()
    }

    fn snapshot(&self) -> Vec<u8> {
        encode(&self.0)
    }

    fn restore(&mut self, snapshot: &[u8]) {
        self.0 = decode(snapshot).expect("a snapshot is what some store has made");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn put_replaces_append_extends_and_a_missing_key_is_empty() {
        let mut store = KvStore::default();
        let key = || "k".to_string();
        assert_eq!(store.apply(Op::Get { key: key() }), "");
        store.apply(Op::Append { key: key(), value: "a".to_string() });
        store.apply(Op::Append { key: key(), value: "b".to_string() });
        assert_eq!(store.apply(Op::Get { key: key() }), "ab");
        store.apply(Op::Put { key: key(), value: "c".to_string() });
        assert_eq!(store.apply(Op::Get { key: key() }), "c");
        let mut restored = KvStore::default();
        restored.restore(&store.snapshot());
        assert_eq!(restored, store);
    }
}
