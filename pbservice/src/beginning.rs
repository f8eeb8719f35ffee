//! How a service begins: servers with empty directories find out that all of them are new.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use log::{info, warn};

use crate::given::writes::Write;
use crate::rpc::CheckReply;
use crate::state::State;

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
    /// answered that they have promised nothing, `answers` is the number of all answers.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::version::Version;
    use crate::repair::DamageId;
    use crate::state::tests::{address, at, damaged_server};

    /// What servers 2 to 5 answer that have promised these epochs; those that count say a version.
    fn answers(promised: &[u64], count: bool) -> Vec<CheckReply> {
        let answer = |(server, &promised)| CheckReply {
            address: address(server),
            version: count.then(Version::default),
            promised,
            primary: None,
        };
        (2..).zip(promised).map(answer).collect()
    }

    #[test]
    fn a_server_without_files_counts_when_all_others_are_new() {
        for (promised, counts) in
            [(&[0, 0, 0, 0][..], true), (&[0, 0, 0], false), (&[0, 0, 1, 0], false), (&[], false)]
        {
            for others_count in [false, true] {
                let mut state = damaged_server(1, DamageId { number: 7, forgot_promise: true });
                state.maybe_begin(&answers(promised, others_count));
                assert_eq!(state.version().is_some(), counts, "{promised:?}");
                assert_eq!(!state.writes.is_empty(), counts, "{promised:?}");
            }
        }
    }

    #[test]
    fn one_that_has_followed_a_primary_is_not_new() {
        let mut state = damaged_server(1, DamageId { number: 7, forgot_promise: true });
        state.promise(1);
        state.maybe_begin(&answers(&[0, 0, 0, 0], true));
        assert_eq!(state.version(), None);
    }

    #[test]
    fn the_first_primary_waits_until_all_count() {
        let mut state = damaged_server(1, DamageId { number: 7, forgot_promise: true });
        let stands = |state: &mut State, answers: &[CheckReply]| {
            state.conclude_check(answers, at(1.0), at(1.0), at(2.0)).is_some()
        };
        assert!(!stands(&mut state, &answers(&[0, 0, 0, 0], false)));
        assert!(stands(&mut state, &answers(&[0, 0, 0, 0], true)));
    }
}
