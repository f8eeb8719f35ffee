//! The replicated state: what a log makes of an empty table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::state::ClientId;
use crate::version::Chain;
use crate::{Operation, Record};

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
    /// Does what a record says, unless the client's operation has been done already: a client that
    /// hears nothing asks again, so that one operation may have several records.
    pub fn apply(&mut self, record: &Record) {
        self.chain = record.chained_to(self.chain);
        if record.operation == Operation::NoOp || self.has_done(record.client, record.sequence) {
            return;
        }
        self.sequences.insert(record.client, record.sequence);
        match &record.operation {
            Operation::Put { key, value } => {
                self.pairs.insert(key.clone(), value.clone());
            }
            Operation::Append { key, value } => {
                self.pairs.entry(key.clone()).or_default().push_str(value);
            }
            Operation::NoOp => {}
        }
    }

    /// About how many bytes the table takes in a message.
    pub(crate) fn size(&self) -> usize {
        let pairs: usize = self.pairs.iter().map(|(key, value)| key.len() + value.len() + 4).sum();
        pairs + 12 * self.sequences.len()
    }

    /// Whether a client's operation is in the table.
    pub fn has_done(&self, client: ClientId, sequence: u64) -> bool {
        self.sequences.get(&client).is_some_and(|&last| sequence <= last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of `x` after appends of client 7 with these sequence numbers.
    fn after_appends(sequences: &[u64]) -> String {
        let mut table = Table::default();
        for (order, &sequence) in (1..).zip(sequences) {
            let operation = Operation::Append { key: "x".into(), value: sequence.to_string() };
            table.apply(&Record { order, epoch: 1, client: 7, sequence, operation });
        }
        table.pairs.remove("x").unwrap_or_default()
    }

    #[test]
    fn each_operation_is_done_once() {
        assert_eq!(after_appends(&[1, 2, 3]), "123");
        assert_eq!(after_appends(&[1, 1, 2, 1, 2, 3]), "123");
    }

    #[test]
    fn no_ops_change_nothing_but_the_checksum() {
        let mut table = Table::default();
        let operation = Operation::NoOp;
        table.apply(&Record { order: 1, epoch: 1, client: 0, sequence: 0, operation });
        assert_ne!(table.chain, 0);
        assert_eq!(Table { chain: 0, ..table }, Table::default());
    }
}
