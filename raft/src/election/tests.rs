//! Figure 2, RequestVote and candidates' rules, as tables.

use super::*;
use crate::log::LogPos;
use crate::state::tests::{follower, later, leader, soon};

/// Server 1's request for a vote in `term`, with a log that ends at `last_log`.
fn request(term: u64, last_log: (u64, u64)) -> RequestVoteArgs {
    let last_log = LogPos { index: last_log.0, term: last_log.1 };
    RequestVoteArgs { term, candidate_id: 1, last_log }
}

#[test]
fn request_vote_table() {
    // Name, earlier vote, request's term, end of the candidate's log, whether the vote is granted.
    // The voter is in term 3 and its log ends at 2@2.
    let table = [
        ("same log", None, 3, (2, 2), true),
        ("longer log of the same term", None, 3, (3, 2), true),
        ("shorter log of a later term", None, 3, (1, 3), true),
        ("shorter log of the same term", None, 3, (1, 2), false),
        ("longer log of an earlier term", None, 3, (9, 1), false),
        ("voted for this candidate before", Some(1), 3, (2, 2), true),
        ("voted for another", Some(2), 3, (2, 2), false),
        ("voted for another in an older term", Some(2), 4, (2, 2), true),
        ("request of an older term", None, 2, (9, 2), false),
        ("higher term but an old log", Some(2), 4, (1, 2), false),
    ];
    for (name, voted_for, term, last_log, granted) in table {
        let mut state = follower(3, &[1, 2]);
        state.voted_for = voted_for;
        let reply = state.handle_request_vote(&request(term, last_log), later());
        assert_eq!(reply.vote_granted, granted, "{name}");
        assert_eq!(reply.term, term.max(3), "{name}");
        let deadline = if granted { later() } else { soon() };
        assert_eq!(state.election_deadline(), Some(deadline), "{name}: only a vote postpones");
    }
}

#[test]
fn leader_refuses_candidates_of_its_own_term() {
    let mut state = leader(3, &[1], &[0, 0]);
    assert!(!state.handle_request_vote(&request(3, (9, 3)), later()).vote_granted);
    assert!(state.is_leader());
}

/// A candidate that has asked for votes, and its request.
fn candidate() -> (State, RequestVoteArgs) {
    let mut state = follower(1, &[1]);
    state.maybe_start_election(soon(), later());
    let mut requests = state.take_vote_requests();
    assert_eq!(requests.iter().map(|(peer, _)| *peer).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(state.take_vote_requests(), [], "everyone is asked once");
    let Some((_, Message::RequestVote(args))) = requests.pop() else { panic!("{requests:?}") };
    (state, args)
}

#[test]
fn election_begins_at_the_deadline_and_asks_everyone_once() {
    let mut early = follower(1, &[1]);
    early.maybe_start_election(soon() - std::time::Duration::from_nanos(1), later());
    assert_eq!(early.current_term, 1);
    let (state, args) = candidate();
    assert_eq!((state.current_term, state.voted_for), (2, Some(0)));
    assert_eq!((args.term, args.last_log), (2, LogPos { index: 1, term: 1 }));
    assert_eq!(state.election_deadline(), Some(later()));
}

#[test]
fn majority_of_votes_wins() {
    let (mut state, args) = candidate();
    let reply = RequestVoteReply { term: 2, vote_granted: true };
    state.handle_vote_reply(1, &args, &reply, later());
    assert!(state.is_leader());
}

#[test]
fn votes_that_do_not_count() {
    let granted = RequestVoteReply { term: 2, vote_granted: true };
    let denied = RequestVoteReply { term: 2, vote_granted: false };
    let (mut state, args) = candidate();
    state.handle_vote_reply(1, &args, &denied, later());
    assert!(!state.is_leader(), "a denied vote");

    let (mut state, args) = candidate();
    state.maybe_start_election(later(), later());
    state.handle_vote_reply(1, &args, &granted, later());
    assert!(!state.is_leader(), "a vote of the last election");

    let (mut state, args) = candidate();
    state.observe_term(7, later());
    state.handle_vote_reply(1, &args, &granted, later());
    assert!(!state.is_leader(), "a vote for a candidate that has given up");
}

#[test]
fn one_server_elects_itself() {
    let mut state = State::new(0, 1, (0, None, crate::log::Log::default()), soon());
    state.maybe_start_election(soon(), later());
    assert!(state.is_leader());
}
