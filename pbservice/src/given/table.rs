//! The replicated state as data. What a record does to it is not here: see
//! [`Table::apply`](crate::Table::apply).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::given::record::{ClientId, Record};
use crate::given::version::Chain;

/// Keys and values, and the last operation of each client. The same log makes the same table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The values.
    pub pairs: BTreeMap<String, Value>,
    /// The sequence number of each client's last operation: the duplicate table.
    pub sequences: BTreeMap<ClientId, u64>,
    /// The checksum of all records that were applied.
    pub(crate) chain: Chain,
}

impl Table {
    /// Notes that a record is applied. To be called once for each record, in order, also for one
    /// that changes nothing: the storage compares the checksum with that of the log.
    pub(crate) fn note(&mut self, record: &Record) {
        self.chain = record.chained_to(self.chain);
    }

    /// About how many bytes the table takes in memory. In a message it takes less.
    pub(crate) fn size(&self) -> usize {
        let pair = |(key, value): (&String, &Value)| PAIR + key.len() + value.as_str().len();
        self.pairs.iter().map(pair).sum::<usize>() + CLIENT * self.sequences.len()
    }
}

/// Bytes that a pair takes beside its key and its value: its share of a node of the map, and what
/// three allocations cost.
pub(crate) const PAIR: usize = 160;

/// Bytes that a client's entry takes in the duplicate table.
pub(crate) const CLIENT: usize = 32;

/// A value. Clones share its text until one of them is changed: a table is cloned under the lock,
/// for each snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value(Arc<String>);

impl Value {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Appends to it.
    pub fn push_str(&mut self, text: &str) {
        Arc::make_mut(&mut self.0).push_str(text);
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(Arc::new(text.to_string()))
    }
}

impl From<Value> for String {
    fn from(value: Value) -> Self {
        Arc::unwrap_or_clone(value.0)
    }
}

/// As of a `String`.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Arc::new(text)))
    }
}
