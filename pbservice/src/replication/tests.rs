//! What a primary sends, and what a backup makes of it.

use super::*;
use crate::given::record::Operation;
use crate::given::tail::tests::at as version;
use crate::given::version::{Prefix, Version};
use crate::repair::DamageId;
use crate::rpc::PingArgs;
use crate::state::tests::{address, at, damage, primary, server};

/// Lets a backup ping.
pub(crate) fn ping_from(
    primary: &mut State,
    backup: u8,
    log: Result<Version, DamageId>,
    now: Instant,
) {
    primary.handle_ping(&PingArgs { from: address(backup), promised: 3, version: log }, now);
}

/// The records that the primary sends to a backup now.
fn copy_to(primary: &mut State, backup: u8, now: Instant) -> Option<CopyArgs> {
    match primary.next_message(address(backup), now)? {
        Message::Copy(args) => Some(args),
        Message::Install(_) => panic!("S{backup} does not need everything"),
    }
}

#[test]
fn a_backup_that_has_lost_records_gets_them_again() {
    let mut primary = primary();
    primary.write(7, 1, Operation::NoOp);
    let args = copy_to(&mut primary, 2, at(1.1)).expect("it lacks a record");
    let mut backup = server(2, &[1]);
    let reply = backup.handle_copy(args, at(1.2));
    assert_eq!(reply, CopyReply::Differs(version(1, 1)));
    primary.handle_copy_reply(address(2), 3, reply, at(1.2));

    let args = copy_to(&mut primary, 2, at(1.2)).expect("it lacks records");
    assert_eq!((args.previous.last, args.records.len()), (version(1, 1), 4));
    let reply = backup.handle_copy(args, at(1.3));
    assert_eq!((reply.clone(), backup.version()), (CopyReply::Stored, Some(version(5, 3))));
    primary.handle_copy_reply(address(2), 3, reply, at(1.3));
    assert!(copy_to(&mut primary, 2, at(1.3)).is_none(), "it has everything");

    // Also while nothing is written.
    ping_from(&mut primary, 2, Ok(version(1, 1)), at(1.4));
    let args = copy_to(&mut primary, 2, at(1.4)).expect("it lacks records");
    assert_eq!(args.records.len(), 4);
}

#[test]
fn an_answer_from_before_the_log_was_lost_does_not_count() {
    let mut primary = primary();
    primary.write(7, 1, Operation::NoOp);
    copy_to(&mut primary, 4, at(1.1)).expect("it lacks a record");
    ping_from(&mut primary, 4, Err(damage(7)), at(1.2));
    // From before the damage as well, and late.
    ping_from(&mut primary, 4, Ok(version(4, 3)), at(1.3));
    primary.handle_copy_reply(address(4), 3, CopyReply::Stored, at(1.4));
    let Role::Primary(office) = &primary.role else { unreachable!("it is primary") };
    assert_eq!(office.backups[&address(4)].matched, 0);
}

#[test]
fn a_late_copy_cuts_nothing_off() {
    let mut backup = server(2, &[1]);
    let all = crate::given::tail::tests::log(&[1, 1, 2, 2]);
    let copy = |previous: Version, count| CopyArgs {
        epoch: 2,
        primary: address(1),
        previous: all.prefix_at(previous.order).expect("it is in the log"),
        records: all.after(previous.order)[..count].to_vec(),
        committed: all.prefix_at(1).expect("it is in the log"),
    };
    for (previous, count) in
        [(version(1, 1), 2), (version(3, 2), 1), (version(1, 1), 1), (version(1, 1), 2)]
    {
        assert_eq!(backup.handle_copy(copy(previous, count), at(1.1)), CopyReply::Stored);
    }
    assert_eq!(backup.version(), Some(version(4, 2)));
}

#[test]
fn pings_alone_keep_nobody_in_office() {
    let mut primary = primary();
    primary.write(7, 1, Operation::Put { key: "x".into(), value: "1".into() });
    for tenth in 11..=300 {
        let now = at(f64::from(tenth) / 10.0);
        for backup in 2..=5 {
            ping_from(&mut primary, backup, Ok(version(4, 3)), now);
            drop(copy_to(&mut primary, backup, now)); // It is not answered.
        }
        primary.maybe_step_down(now);
        assert_eq!(primary.is_primary(), tenth < 11 + 200, "after {tenth} tenths of a second");
    }
}

#[test]
fn a_round_that_was_lost_is_asked_again() {
    let mut primary = primary();
    let round = primary.accept_read().expect("it is primary");
    for backup in 2..=5 {
        copy_to(&mut primary, backup, at(1.1)).expect("it is asked");
    }
    for backup in 2..=3 {
        assert_eq!(primary.readable_round(), Some(round - 1));
        copy_to(&mut primary, backup, at(1.4)).expect("it is asked once more");
        primary.handle_copy_reply(address(backup), 3, CopyReply::Stored, at(1.5));
    }
    assert_eq!(primary.readable_round(), Some(round));
}

/// A backup whose log has the same version as that of the primary of epoch 2, and another first
/// record; and what the primary sends.
fn fork() -> (State, CopyArgs) {
    let ours = crate::given::tail::tests::log(&[1, 1, 2]);
    let mut theirs = vec![Record { client: 7, ..ours.after(0)[0].clone() }];
    theirs.extend_from_slice(ours.after(1));
    let theirs = Tail::new(Prefix::default(), theirs);
    let args = CopyArgs {
        epoch: 2,
        primary: address(1),
        previous: theirs.whole(),
        records: Vec::new(),
        committed: Prefix::default(),
    };
    (server(2, &[1, 1, 2]), args)
}

#[test]
#[should_panic(expected = "the records of 10.0.0.2:7000@2 up to 3@2, committed up to 0, are not")]
fn equal_versions_are_not_taken_for_equal_records() {
    let (mut backup, args) = fork();
    backup.handle_copy(args, at(1.1));
}

#[test]
#[should_panic(expected = "the record 1@1 of 10.0.0.2:7000@2, committed up to 0, is not")]
fn a_record_that_is_there_is_compared() {
    let (mut backup, args) = fork();
    let first = Record { client: 7, ..backup.tail.after(0)[0].clone() };
    let args = CopyArgs { previous: Prefix::default(), records: vec![first], ..args };
    backup.handle_copy(args, at(1.1));
}

#[test]
#[should_panic(expected = "the records of 10.0.0.2:7000@2 up to 3@2, committed up to 0, are not")]
fn what_is_committed_is_compared() {
    let (mut backup, args) = fork();
    backup.learn_committed(args.previous);
}
