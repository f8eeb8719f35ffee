//! The replicated state as data. What a record does to it is not here: see
//! [`Table::apply`](crate::Table::apply).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::given::record::{ClientId, Record};
use crate::given::version::Chain;

/// Keys and values, and the last operation of each client. The same log makes the same table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The values.
    pub pairs: BTreeMap<String, String>,
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

    /// About how many bytes the table takes in a message.
    pub(crate) fn size(&self) -> usize {
        let pairs: usize = self.pairs.iter().map(|(key, value)| key.len() + value.len() + 4).sum();
        pairs + 12 * self.sequences.len()
    }
}
