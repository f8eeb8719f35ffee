//! When an entry is committed: the majority's match index, and the rule of the current term.

use ::log::info;

use crate::Index;
use crate::state::{Role, State};

impl State {
    /// Figure 2, last rule for leaders: commits the highest index that a majority stores, if its
    /// entry is of the current term.
    ///
    /// An entry of an older term is never committed by counting (§5.4.2): in Figure 8, a later
    /// leader could still overwrite it. It is committed together with a later one of this term.
    pub(crate) fn maybe_advance_commit_index(&mut self) {
        let Role::Leader { followers } = &self.role else { return };
        let mut stored: Vec<Index> =
            followers.values().map(|progress| progress.match_index).collect();
        stored.push(self.log.last_index());
        let index = majority_index(&mut stored);
        if self.log.term_at(index) == Some(self.current_term) {
            self.commit_up_to(index);
        }
    }

    /// Moves the commit index forward, never back.
    pub(crate) fn commit_up_to(&mut self, index: Index) {
        if index > self.commit_index {
            assert!(index <= self.log.last_index(), "{self} cannot commit {index}, beyond its log");
            self.commit_index = index;
            info!(target: "CMIT", "{self} commits up to {index}");
        }
    }
}

/// The highest index that a majority of servers has reached.
fn majority_index(reached: &mut [Index]) -> Index {
    // From high to low: the first len / 2 + 1 servers are a majority, and the last of these has
    // reached the least.
    reached.sort_unstable_by(|a, b| b.cmp(a));
    reached[reached.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::{follower, leader};

    #[test]
    fn majority_index_table() {
        let table: &[(&[Index], Index)] = &[
            (&[7], 7),
            (&[7, 5], 5),
            (&[7, 5, 3], 5),
            (&[7, 0, 0], 0),
            (&[9, 1, 7, 7, 2], 7),
            (&[9, 9, 1, 1, 1], 1),
        ];
        for (reached, expected) in table {
            assert_eq!(majority_index(&mut reached.to_vec()), *expected, "{reached:?}");
        }
    }

    #[test]
    fn old_terms_entry_is_not_committed_by_counting() {
        // Figure 8 (c): S0 is leader of term 4 and has replicated its entry of term 2.
        let mut state = leader(4, &[1, 2], &[2, 0, 0, 2]);
        state.maybe_advance_commit_index();
        assert_eq!(state.commit_index, 0);
        // (e): once an entry of term 4 is on a majority, the older one is safe too.
        let mut state = leader(4, &[1, 2, 4], &[3, 0, 0, 3]);
        state.maybe_advance_commit_index();
        assert_eq!(state.commit_index, 3);
    }

    #[test]
    fn commit_index_never_goes_back() {
        let mut state = follower(1, &[1, 1]);
        state.commit_up_to(2);
        state.commit_up_to(1);
        assert_eq!(state.commit_index, 2);
    }
}
