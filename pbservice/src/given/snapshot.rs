//! The table at one place of the log, which stands for all records up to there.

use serde::{Deserialize, Serialize};

use crate::given::table::Table;
use crate::given::version::Prefix;
use crate::given::version::Version;

/// The table, and the last record that it contains.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last record that was applied. It must be committed: what is in a snapshot is never
    /// undone.
    pub last: Version,
    /// The table after it.
    pub table: Table,
}

impl Snapshot {
    /// The log for which it stands.
    pub(crate) fn prefix(&self) -> Prefix {
        Prefix { last: self.last, chain: self.table.chain }
    }
}
