//! Tables for [`Log`]: a log is written as the terms of its entries, after a snapshot.

use super::*;

/// A log with a snapshot up to `last_included` and entries of these terms.
fn log(last_included: LogPos, terms: &[Term]) -> Log {
    let entries = terms.iter().map(|&term| entry(term)).collect();
    Log::restore(last_included, b"state".to_vec(), entries)
}

/// An entry of this term.
fn entry(term: Term) -> Entry {
    Entry { term, command: format!("command of term {term}").into_bytes() }
}

/// A place in a log.
fn pos(index: Index, term: Term) -> LogPos {
    LogPos { term, index }
}

/// The terms of the entries after the snapshot.
fn terms(log: &Log) -> Vec<Term> {
    log.entries_from(log.last_included().index + 1).iter().map(|entry| entry.term).collect()
}

#[test]
fn up_to_date_means_later_term_then_longer_log() {
    // §5.4.1.
    assert!(pos(1, 2) > pos(9, 1));
    assert!(pos(9, 1) > pos(8, 1));
    assert_eq!(pos(7, 5).to_string(), "7@5");
}

#[test]
fn term_at_knows_the_snapshots_last_entry() {
    let log = log(pos(5, 2), &[2, 3]);
    let known: Vec<_> = (4..=8).map(|index| log.term_at(index)).collect();
    assert_eq!(known, [None, Some(2), Some(2), Some(3), None]);
    assert_eq!(log.last(), pos(7, 3));
    assert!(log.contains(pos(5, 2)) && !log.contains(pos(5, 1)) && !log.contains(pos(8, 3)));
}

#[test]
fn store_table() {
    // Name, terms of the log, prev, terms of the leader's entries, terms afterwards.
    type Row<'a> = (&'a str, &'a [Term], Index, &'a [Term], &'a [Term]);
    let table: &[Row] = &[
        ("appends at the end", &[1, 1], 2, &[1, 2], &[1, 1, 1, 2]),
        ("heartbeat changes nothing", &[1, 1], 1, &[], &[1, 1]),
        ("same entries change nothing", &[1, 1, 2], 1, &[1, 2], &[1, 1, 2]),
        ("overtaken request keeps what follows", &[1, 1, 2], 0, &[1], &[1, 1, 2]),
        ("conflict removes all that follow", &[1, 1, 1, 1], 1, &[2], &[1, 2]),
        ("conflict in the middle", &[1, 2, 2, 2], 1, &[2, 3], &[1, 2, 3]),
    ];
    for (name, before, prev, new, after) in table {
        let mut log = log(LogPos::default(), before);
        log.store(*prev, new.iter().map(|&term| entry(term)).collect());
        assert_eq!(terms(&log), *after, "{name}");
    }
}

#[test]
fn compact_keeps_what_follows_only_if_the_log_agrees() {
    // Figure 13, steps 6 and 7.
    let mut agreeing = log(pos(2, 1), &[1, 2, 2]);
    agreeing.compact(pos(4, 2), b"new".to_vec());
    assert_eq!((agreeing.last_included(), terms(&agreeing)), (pos(4, 2), vec![2]));

    let mut disagreeing = log(pos(2, 1), &[1, 1, 1]);
    disagreeing.compact(pos(4, 2), b"new".to_vec());
    assert_eq!((disagreeing.last(), terms(&disagreeing)), (pos(4, 2), vec![]));

    let mut shorter = log(pos(2, 1), &[1]);
    shorter.compact(pos(9, 3), b"new".to_vec());
    assert_eq!((shorter.last(), shorter.snapshot_data()), (pos(9, 3), &b"new"[..]));
}

#[test]
#[should_panic(expected = "snapshot 4@2 back to 3@2")]
fn snapshot_never_moves_back() {
    log(pos(4, 2), &[2]).compact(pos(3, 2), Vec::new());
}

#[test]
fn terms_are_found_by_their_first_and_last_index() {
    let log = log(pos(2, 1), &[1, 3, 3, 5]);
    assert_eq!((log.first_index_of(3), log.first_index_of(1)), (4, 3));
    let last: Vec<_> = (1..=5).map(|term| log.last_index_of(term)).collect();
    assert_eq!(last, [Some(3), None, Some(5), None, Some(6)]);
}

#[test]
fn changes_are_remembered_until_taken() {
    let mut log = log(LogPos::default(), &[1, 1, 1]);
    assert_eq!(log.take_changed_from(), Some(1));
    assert_eq!(log.take_changed_from(), None);
    log.append(entry(2));
    log.store(1, vec![entry(2)]);
    assert_eq!(log.take_changed_from(), Some(2));
    log.store(1, vec![entry(2)]);
    assert_eq!(log.take_changed_from(), None, "nothing was changed");
}
