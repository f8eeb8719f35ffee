//! The replicated state: what a log makes of an empty table.

use crate::given::record::{ClientId, Operation, Record};
use crate::given::table::Table;

impl Table {
    /// Does what a record says, unless the client's operation has been done already: a client that
    /// hears nothing asks again, so that one operation may have several records.
    pub fn apply(&mut self, record: &Record) {
        self.note(record);
        if record.operation == Operation::NoOp || self.has_done(record.client, record.sequence) {
            return;
        }
        self.sequences.insert(record.client, record.sequence);
        match &record.operation {
            Operation::Put { key, value } => {
                self.pairs.insert(key.clone(), value.as_str().into());
            }
            Operation::Append { key, value } => {
                self.pairs.entry(key.clone()).or_default().push_str(value);
            }
            Operation::NoOp => {}
        }
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
        table.pairs.remove("x").unwrap_or_default().into()
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
