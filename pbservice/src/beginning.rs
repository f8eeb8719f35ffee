//! How a service begins: servers with empty directories find out that all of them are new.

use log::info;

use crate::given::beginning::Beginning;
use crate::given::writes::Write;
use crate::rpc::CheckReply;
use crate::state::State;

impl State {
    /// A damaged server counts from now on, if [all servers are new](Beginning::all_are_new).
    pub(crate) fn maybe_begin(&mut self, answers: &[CheckReply]) {
        let Some(damage) = self.damage else { return };
        let answers = answers.iter().map(|answer| (answer.address, answer.promised));
        let beginning = Beginning::new(self.promised, self.others(), answers);
        if beginning.all_are_new() {
            info!(target: "ROLE", "{self} counts: all servers are new");
            self.damage = None;
            self.writes.push(Write::Begin);
        } else if damage.forgot_promise {
            self.fruitless_checks = beginning.tell_why(self, self.fruitless_checks);
        }
    }

    /// Whether servers that answer have still to find out that all are new. They are waited for:
    /// once an epoch is promised, it takes a primary to repair them.
    pub(crate) fn is_beginning(&self, all: &[CheckReply]) -> bool {
        all.len() == self.servers.len()
            && all.iter().all(|answer| answer.promised == 0)
            && all.iter().any(|answer| answer.version.is_none())
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
