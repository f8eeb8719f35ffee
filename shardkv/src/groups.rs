//! The way to groups, of which configurations only give the servers' names.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use kvraft::LeaderFinder;
use labrpc::ClientEnd;

/// Makes an end from the name of a server.
pub(crate) type MakeEnd = Arc<dyn Fn(&str) -> ClientEnd + Send + Sync>;

/// All groups that were ever asked, and who led them then.
#[derive(Clone)]
pub(crate) struct Groups {
    make_end: MakeEnd,
    /// By the servers: that is what configurations give.
    finders: BTreeMap<Vec<String>, LeaderFinder>,
}

impl Groups {
    /// No group was asked yet.
    pub(crate) fn new(make_end: MakeEnd) -> Self {
        Self { make_end, finders: BTreeMap::new() }
    }

    /// The way to the group of these servers.
    pub(crate) fn of_servers(&mut self, servers: &[String]) -> &mut LeaderFinder {
        self.finders.entry(servers.to_vec()).or_insert_with(|| {
            LeaderFinder::new(servers.iter().map(|server| (self.make_end)(server)).collect())
        })
    }
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Groups").field(&self.finders).finish()
    }
}
