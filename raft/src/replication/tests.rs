//! Figure 2, AppendEntries and leaders' rules, as tables.

use super::*;
use crate::log::Entry;
use crate::state::tests::{applied, follower, later, leader};

/// A leader's request in `term`: entries of these terms after `prev`, and its commit index.
fn request(term: Term, prev: (Index, Term), terms: &[Term], commit: Index) -> AppendEntriesArgs {
    AppendEntriesArgs {
        term,
        prev_log: LogPos { index: prev.0, term: prev.1 },
        entries: terms.iter().map(|&term| Entry { term, command: vec![9] }).collect(),
        leader_commit: commit,
    }
}

/// The terms of all entries.
fn terms(state: &State) -> Vec<Term> {
    let first = state.log.last_included().index + 1;
    state.log.entries_from(first).iter().map(|entry| entry.term).collect()
}

/// The place in a follower's log where it stops to agree.
fn conflict(term: Option<Term>, first_index: Index) -> AppendOutcome {
    AppendOutcome::Conflict(Conflict { term, first_index })
}

#[test]
fn append_entries_table() {
    // Name, follower's log, request, outcome, log afterwards, commit index. The term is 4.
    type Row =
        (&'static str, &'static [Term], AppendEntriesArgs, AppendOutcome, &'static [Term], Index);
    let stored = AppendOutcome::Stored;
    let table: [Row; 9] = [
        ("old term", &[1], request(3, (1, 1), &[3], 1), AppendOutcome::StaleTerm, &[1], 0),
        ("first entry", &[], request(4, (0, 0), &[4], 0), stored.clone(), &[4], 0),
        ("log too short", &[1], request(4, (3, 3), &[4], 3), conflict(None, 2), &[1], 0),
        (
            "other term",
            &[1, 2, 2],
            request(4, (3, 3), &[4], 3),
            conflict(Some(2), 2),
            &[1, 2, 2],
            0,
        ),
        ("overwrites", &[1, 2, 2], request(4, (1, 1), &[3], 0), stored.clone(), &[1, 3], 0),
        (
            "keeps what follows",
            &[1, 1, 1],
            request(4, (0, 0), &[1], 0),
            stored.clone(),
            &[1, 1, 1],
            0,
        ),
        ("commits what it sent", &[1], request(4, (1, 1), &[4], 9), stored.clone(), &[1, 4], 2),
        // Entries 2 and 3 may be of an older leader: the heartbeat shows only that 1 is right.
        ("commits no more", &[1, 2, 2], request(4, (1, 1), &[], 3), stored.clone(), &[1, 2, 2], 1),
        ("commits what leader did", &[1, 1, 1], request(4, (3, 1), &[], 2), stored, &[1, 1, 1], 2),
    ];
    for (name, log, args, outcome, after, commit_index) in table {
        let mut state = follower(4, log);
        let reply = state.handle_append_entries(args, later());
        assert_eq!(reply, AppendEntriesReply { term: 4, outcome }, "{name}");
        assert_eq!((&terms(&state)[..], state.commit_index), (after, commit_index), "{name}");
    }
}

#[test]
fn entries_that_the_snapshot_contains_are_skipped() {
    let mut state = applied(1, &[1, 1, 1], 3);
    state.compact_log(2, b"two".to_vec());
    let reply = state.handle_append_entries(request(1, (0, 0), &[1, 1, 1, 1], 4), later());
    assert_eq!(reply.outcome, AppendOutcome::Stored);
    assert_eq!((state.log.last_index(), state.commit_index), (4, 4));
    state.handle_append_entries(request(1, (0, 0), &[1], 4), later());
    assert_eq!(state.log.last_index(), 4, "an old request changes nothing");
}

#[test]
fn leaders_request_ends_a_candidacy_of_its_term() {
    let mut state = follower(1, &[1]);
    state.become_candidate(later());
    state.handle_append_entries(request(2, (1, 1), &[], 0), later());
    assert!(matches!(state.role, Role::Follower { .. }));
    assert_eq!((state.current_term, state.voted_for), (2, Some(0)), "the vote of the term stays");
}

/// The latest request to follower 1, and the number of the call.
fn take(state: &mut State) -> Option<(AppendEntriesArgs, u64)> {
    let messages = state.take_replication();
    messages.into_iter().find_map(|(peer, message)| match message {
        Message::AppendEntries(args, call) if peer == 1 => Some((args, call)),
        _ => None,
    })
}

/// Follower 1's answer in the leader's term.
fn answer(state: &mut State, (sent, call): (AppendEntriesArgs, u64), outcome: AppendOutcome) {
    let reply = AppendEntriesReply { term: state.current_term, outcome };
    state.handle_append_reply(1, &sent, call, Some(&reply), later());
}

/// What the leader knows of follower 1: match index and next index.
fn known(state: &State) -> (Index, Index) {
    let Role::Leader { followers } = &state.role else { panic!("not a leader") };
    (followers[&1].match_index, followers[&1].next_index)
}

#[test]
fn one_call_at_a_time_besides_heartbeats() {
    let mut state = leader(2, &[1], &[0, 0]);
    let heartbeat = take(&mut state).unwrap();
    assert_eq!((heartbeat.0.prev_log.index, heartbeat.0.entries.len()), (1, 0));
    state.log.append(Entry { term: 2, command: vec![1] });
    state.log.append(Entry { term: 2, command: vec![2] });
    assert_eq!(take(&mut state), None, "the follower owes an answer");
    answer(&mut state, heartbeat, AppendOutcome::Stored);
    let (first, call) = take(&mut state).unwrap();
    assert_eq!(first.entries.len(), 2, "what has arrived meanwhile goes together");
    state.demand_heartbeats();
    let second = take(&mut state).unwrap();
    assert_eq!(second.0.entries.len(), 2, "a heartbeat repeats what may have been lost");
    state.handle_append_reply(1, &first, call, None, later());
    assert_eq!(take(&mut state), None, "the later call is still under way");
    answer(&mut state, second, AppendOutcome::Stored);
    assert_eq!((known(&state), state.commit_index), ((3, 4), 3));
    assert_eq!(take(&mut state).unwrap().0.leader_commit, 3, "the follower learns of the commit");
}

#[test]
fn reply_table() {
    // Name, outcome, match and next index afterwards. The leader's log has terms 1 1 2 2 4, and it
    // has probed at 5.
    let table = [
        ("follower's log is shorter", conflict(None, 3), (0, 3)),
        ("leader lacks the term", conflict(Some(3), 4), (0, 4)),
        ("leader has the term", conflict(Some(1), 1), (0, 3)),
        ("conflict at the very beginning", conflict(None, 1), (0, 1)),
        ("stored", AppendOutcome::Stored, (5, 6)),
    ];
    for (name, outcome, expected) in table {
        let mut state = leader(5, &[1, 1, 2, 2, 4], &[0, 0]);
        let sent = take(&mut state).unwrap();
        answer(&mut state, sent, outcome);
        assert_eq!(known(&state), expected, "{name}");
    }
}

#[test]
fn late_replies_do_no_harm() {
    let mut state = leader(2, &[1, 1], &[0, 0]);
    let old = take(&mut state).unwrap();
    state.demand_heartbeats();
    let (new, call) = take(&mut state).unwrap();
    answer(&mut state, (new.clone(), call), AppendOutcome::Stored);
    answer(&mut state, old, conflict(None, 1));
    assert_eq!(known(&state), (2, 3), "a conflict that was resolved since");

    let stale = AppendEntriesArgs { term: 1, ..new };
    let reply = AppendEntriesReply { term: 1, outcome: AppendOutcome::Stored };
    state.handle_append_reply(2, &stale, call, Some(&reply), later());
    assert_eq!(state.commit_index, 0, "a reply to an older term's request");
}

#[test]
fn follower_behind_the_snapshot_gets_the_snapshot() {
    let mut state = leader(2, &[1, 1, 2], &[0, 0]);
    let sent = take(&mut state).unwrap();
    (state.commit_index, state.last_applied) = (3, 3);
    state.compact_log(2, b"two".to_vec());
    answer(&mut state, sent, conflict(None, 1));
    let messages = state.take_replication();
    let snapshot = messages.iter().find(|(peer, _)| *peer == 1).map(|(_, message)| message);
    let Some(Message::InstallSnapshot(args, _)) = snapshot else { panic!("{snapshot:?}") };
    assert_eq!(args.last_included, LogPos { index: 2, term: 1 });
}
