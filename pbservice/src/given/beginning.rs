//! How a service begins: servers with empty directories find out that all of them are new.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;

use log::warn;

use crate::given::version::Epoch;

/// A server that has asked this often without an answer from all others says so: after about six
/// seconds.
const FRUITLESS_CHECKS: u32 = 10;

/// What a server that does not count knows of the others.
#[derive(Debug)]
pub(crate) struct Beginning {
    /// The epoch that this server has promised.
    promised: Epoch,
    /// All other servers.
    others: BTreeSet<SocketAddr>,
    /// Those that have answered that they have promised nothing.
    new: BTreeSet<SocketAddr>,
    /// Whether another server has answered that it has promised an epoch.
    has_begun: bool,
}

impl Beginning {
    /// What follows from the epochs that this server and those that have answered have promised.
    pub(crate) fn new(
        promised: Epoch,
        others: impl Iterator<Item = SocketAddr>,
        answers: impl Iterator<Item = (SocketAddr, Epoch)>,
    ) -> Self {
        let (new, rest): (Vec<_>, Vec<_>) = answers.partition(|&(_, promised)| promised == 0);
        let new = new.into_iter().map(|(address, _)| address).collect();
        let has_begun = promised > 0 || !rest.is_empty();
        Self { promised, others: others.collect(), new, has_begun }
    }

    /// Whether all servers are new.
    ///
    /// A server whose directory was empty may have acknowledged and promised anything, in a
    /// directory that was emptied since. But if *no* server has ever promised an epoch, it has not:
    /// a candidate promises its epoch itself before it asks others to, and before any record is
    /// written there is a primary. So when every other server answers that it has promised nothing,
    /// this one counts from now on.
    ///
    /// If only some of them answer, the others may know of an epoch. Then it takes a primary to
    /// repair this server, or an operator who says that it is new.
    pub(crate) fn all_are_new(&self) -> bool {
        self.promised == 0 && self.others.is_subset(&self.new)
    }

    /// Tells the operator, once, what `server` waits for, whose directory was empty. `fruitless` is
    /// the number of times that it has asked before without success; returns the new number.
    pub(crate) fn tell_why(&self, server: &impl fmt::Display, fruitless: u32) -> u32 {
        let now = if self.has_begun { FRUITLESS_CHECKS } else { fruitless + 1 };
        if fruitless < FRUITLESS_CHECKS && now >= FRUITLESS_CHECKS {
            let until = if self.has_begun {
                "a primary has repaired it".to_string()
            } else {
                let silent = self.others.difference(&self.new);
                let silent: Vec<String> = silent.map(ToString::to_string).collect();
                format!("{} say that they are new too", silent.join(", "))
            };
            warn!(
                target: "ROLE",
                "{server} had an empty directory, and does not count until {until}"
            );
        }
        now
    }
}
