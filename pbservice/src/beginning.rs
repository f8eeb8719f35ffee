//! How a service begins: servers with empty directories find out that all of them are new.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use log::{info, warn};

use crate::rpc::CheckReply;
use crate::state::State;
use crate::writes::Write;

/// A server that has asked this often without an answer from all others says so: after about six
/// seconds.
const FRUITLESS_CHECKS: u32 = 10;

impl State {
    /// A server whose directory was empty may have acknowledged and promised anything, in a
    /// directory that was emptied since. But if *no* server has ever promised an epoch, it has not:
    /// a candidate promises its epoch itself before it asks others to, and before any record is
    /// written there is a primary. So when every other server answers that it has promised nothing,
    /// this one counts from now on.
    ///
    /// If only some of them answer, the others may know of an epoch. Then it takes a primary to
    /// repair this server, or an operator who says that it is new.
    pub(crate) fn maybe_begin(&mut self, answers: &[CheckReply]) {
        let Some(damage) = self.damage else { return };
        let new = answers.iter().filter(|answer| answer.promised == 0);
        let new: BTreeSet<SocketAddr> = new.map(|answer| answer.address).collect();
        if self.promised == 0 && self.others().all(|other| new.contains(&other)) {
            info!(target: "ROLE", "{self} counts: all servers are new");
            self.damage = None;
            self.writes.push(Write::Begin);
        } else if damage.forgot_promise {
            self.tell_why_it_does_not_count(&new, answers.len());
        }
    }

    /// Whether servers that answer have still to find out that all are new. They are waited for:
    /// once an epoch is promised, it takes a primary to repair them.
    pub(crate) fn is_beginning(&self, all: &[CheckReply]) -> bool {
        all.len() == self.servers.len()
            && all.iter().all(|answer| answer.promised == 0)
            && all.iter().any(|answer| answer.version.is_none())
    }

    /// Tells the operator, once, what this server waits for. `new` are the servers that have
    /// answered that they have promised nothing, among so many answers.
    fn tell_why_it_does_not_count(&mut self, new: &BTreeSet<SocketAddr>, answers: usize) {
        let has_begun = self.promised > 0 || new.len() < answers;
        let is_told = self.fruitless_checks >= FRUITLESS_CHECKS;
        self.fruitless_checks =
            if has_begun { FRUITLESS_CHECKS } else { self.fruitless_checks + 1 };
        if is_told || self.fruitless_checks < FRUITLESS_CHECKS {
            return;
        }
        let until = if has_begun {
            "a primary has repaired it".to_string()
        } else {
            let silent = self.others().filter(|other| !new.contains(other));
            let silent: Vec<String> = silent.map(|other| other.to_string()).collect();
            format!("{} say that they are new too", silent.join(", "))
        };
        warn!(target: "ROLE", "{self} had an empty directory, and does not count until {until}");
    }
}
