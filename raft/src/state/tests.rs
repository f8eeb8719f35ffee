//! Servers for table tests, and the rules of terms and roles.

use std::time::Duration;

use super::*;
use crate::log::{Entry, LogPos};

/// A log with entries of these terms.
fn log(terms: &[Term]) -> Log {
    let entry = |&term: &Term| Entry { term, command: vec![term as u8] };
    Log::restore(LogPos::default(), Vec::new(), terms.iter().map(entry).collect())
}

/// The deadline of a server that has not heard of a leader.
pub(crate) fn soon() -> Instant {
    Instant::from_nanos(1_000)
}

/// A fresh deadline.
pub(crate) fn later() -> Instant {
    soon() + Duration::from_secs(1)
}

/// Server 0 of three, a follower in `term`.
pub(crate) fn follower(term: Term, terms: &[Term]) -> State {
    State::new(0, 3, (term, None, log(terms)), soon())
}

/// The same, with entries committed and applied up to `index`.
pub(crate) fn applied(term: Term, terms: &[Term], index: Index) -> State {
    let mut state = follower(term, terms);
    (state.commit_index, state.last_applied) = (index, index);
    state
}

/// Server 0, leader in `term`, of as many others as there are match indices.
pub(crate) fn leader(term: Term, terms: &[Term], matches: &[Index]) -> State {
    let mut state = State::new(0, matches.len() + 1, (term - 1, None, log(terms)), soon());
    state.become_candidate(later());
    state.become_leader();
    let Role::Leader { followers } = &mut state.role else { unreachable!("just became leader") };
    for (progress, &matched) in followers.values_mut().zip(matches) {
        progress.confirm(matched);
    }
    state
}

#[test]
fn higher_term_voids_the_vote_and_keeps_the_timer() {
    let mut state = follower(3, &[]);
    state.voted_for = Some(1);
    state.observe_term(3, later());
    assert_eq!((state.current_term, state.voted_for), (3, Some(1)), "nothing new");
    state.observe_term(5, later());
    assert_eq!((state.current_term, state.voted_for), (5, None));
    assert_eq!(state.election_deadline(), Some(soon()));
}

#[test]
fn leader_that_steps_down_waits_a_whole_timeout() {
    let mut state = leader(3, &[], &[0, 0]);
    state.observe_term(4, later());
    assert_eq!(state.election_deadline(), Some(later()));
}

#[test]
#[should_panic(expected = "S0@3 is not the only leader of its term")]
fn second_leader_of_a_term_is_never_recognized() {
    leader(3, &[], &[0, 0]).recognize_leader(later());
}

#[test]
fn server_is_shown_with_its_term() {
    assert_eq!(follower(5, &[]).to_string(), "S0@5");
}
