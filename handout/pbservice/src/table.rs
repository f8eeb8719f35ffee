//! What a record does to the keys and values.

use labrpc::your_code_here;

use crate::{ClientId, Record, Table};

impl Table {
    /// PB1. Applies a record that is done. The log may hold the same operation twice, if the client
    /// has sent it twice; it must take effect once.
    pub fn apply(&mut self, record: &Record) {
        self.note(record); // The storage needs this for each record.
        your_code_here("Table::apply", (self, record))
    }

    /// PB1. Whether operation `sequence` of a client has been applied. Its operations come in
    /// order, but an old one may come again.
    pub fn has_done(&self, client: ClientId, sequence: u64) -> bool {
        your_code_here("Table::has_done", (self, client, sequence))
    }
}
