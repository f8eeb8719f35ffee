//! The key/value store: the state machine of this lab (3A).

use labrpc::your_code_here;
use serde::{Deserialize, Serialize};

use crate::{Op, rsm::StateMachine};

/// Values by their keys.
#[derive(Debug, Default, Serialize, Deserialize, PartialEq, Eq, Clone)]
pub struct KvStore {
    // 3A: your fields here. Prefer a `BTreeMap`: `std`'s `HashMap` has another order in each run.
}

impl StateMachine for KvStore {
    type Command = Op;
    type Reply = String;

    /// 3A. The reply is the value for a `Get`, and "" for the others.
    fn apply(&mut self, op: Op) -> String {
        your_code_here("KvStore::apply", (self, op))
    }

    /// 3B.
    fn snapshot(&self) -> Vec<u8> {
        your_code_here("KvStore::snapshot", self)
    }

    /// 3B.
    fn restore(&mut self, snapshot: &[u8]) {
        your_code_here("KvStore::restore", (self, snapshot))
    }
}
