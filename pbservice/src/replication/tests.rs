//! What a primary sends, and what a backup makes of it.

use super::*;
use crate::record::Operation;
use crate::rpc::PingArgs;
use crate::state::tests::{address, at, damage, damaged_server, primary, server};
use crate::tail::tests::at as version;
use crate::version::{Prefix, Version};

/// What the primary sends to a backup now.
fn message_to(primary: &mut State, backup: u8, now: Instant) -> Option<Message> {
    let mut messages = primary.take_messages(now).into_iter();
    messages.find(|(to, _)| *to == address(backup)).map(|(_, message)| message)
}

/// Lets a backup ping.
fn ping_from(primary: &mut State, backup: u8, log: Result<Version, DamageId>, now: Instant) {
    primary.handle_ping(&PingArgs { from: address(backup), promised: 3, version: log }, now);
}

#[test]
fn only_an_install_for_this_damage_repairs() {
    let mut primary = primary();
    ping_from(&mut primary, 4, Err(damage(7)), at(1.1));
    let Some(Message::Install(args, _)) = message_to(&mut primary, 4, at(1.1)) else {
        panic!("a damaged server is sent everything");
    };
    assert_eq!((args.repairs, args.snapshot.last), (Some(damage(7)), version(4, 3)));

    // It was restarted meanwhile; or this was meant for it before its log was damaged.
    let mut backup = damaged_server(4, damage(8));
    for repairs in [Some(damage(7)), None] {
        let late = InstallArgs { repairs, ..(*args).clone() };
        assert_eq!(backup.handle_install(late, at(1.2)), CopyReply::Damaged(damage(8)));
        assert_eq!(backup.version(), None);
    }
    ping_from(&mut primary, 4, Err(damage(8)), at(1.2));
    let Some(Message::Install(args, _)) = message_to(&mut primary, 4, at(1.2)) else {
        panic!("it is sent everything anew");
    };
    assert_eq!(backup.handle_install(*args, at(1.3)), CopyReply::Stored);
    assert_eq!(backup.version(), Some(version(4, 3)));
}

#[test]
fn a_backup_that_has_lost_records_gets_them_again() {
    let mut primary = primary();
    primary.write(7, 1, Operation::NoOp);
    let Some(Message::Copy(args, sent)) = message_to(&mut primary, 2, at(1.1)) else {
        panic!("it lacks a record");
    };
    let mut backup = server(2, &[1]);
    let reply = backup.handle_copy(args, at(1.2));
    assert_eq!(reply, CopyReply::Differs(version(1, 1)));
    primary.handle_copy_reply(address(2), sent, Some(reply), at(1.2));

    let Some(Message::Copy(args, sent)) = message_to(&mut primary, 2, at(1.2)) else {
        panic!("it lacks records");
    };
    assert_eq!((args.previous.last, args.records.len()), (version(1, 1), 4));
    let reply = backup.handle_copy(args, at(1.3));
    assert_eq!((reply.clone(), backup.version()), (CopyReply::Stored, Some(version(5, 3))));
    primary.handle_copy_reply(address(2), sent, Some(reply), at(1.3));
    assert!(message_to(&mut primary, 2, at(1.3)).is_none(), "it has everything");

    // Also while nothing is written.
    ping_from(&mut primary, 2, Ok(version(1, 1)), at(1.4));
    let message = message_to(&mut primary, 2, at(1.4));
    assert!(matches!(message, Some(Message::Copy(args, _)) if args.records.len() == 4));
}

#[test]
fn what_is_not_answered_is_sent_again_after_longer_and_longer_times() {
    let mut primary = primary();
    let mut sent_at = Vec::new();
    for tenth in 11..400 {
        let now = at(f64::from(tenth) / 10.0);
        ping_from(&mut primary, 4, Err(damage(7)), now);
        if message_to(&mut primary, 4, now).is_some() {
            sent_at.push(tenth);
        }
    }
    assert_eq!(sent_at, [11, 13, 17, 25, 41, 73, 137, 201, 265, 329, 393]);
}

#[test]
fn a_long_message_is_given_the_time_that_it_takes() {
    let mut primary = primary();
    primary.table.pairs.insert("x".into(), "1".repeat(4 << 20));
    ping_from(&mut primary, 4, Err(damage(7)), at(1.1));
    let Some(Message::Install(args, sent)) = message_to(&mut primary, 4, at(1.1)) else {
        panic!("a damaged server is sent everything");
    };
    for tenth in 12..53 {
        let now = at(f64::from(tenth) / 10.0);
        ping_from(&mut primary, 4, Err(damage(7)), now);
        assert!(message_to(&mut primary, 4, now).is_none(), "it may still be on its way");
    }

    // It has arrived, and its answer is lost: the next ping tells.
    let mut backup = damaged_server(4, damage(7));
    assert_eq!(backup.handle_install(*args, at(5.3)), CopyReply::Stored);
    let log = backup.version().expect("it is repaired");
    ping_from(&mut primary, 4, Ok(log), at(5.3));
    let Some(Message::Copy(args, question)) = message_to(&mut primary, 4, at(5.3)) else {
        panic!("what counts is its word");
    };
    assert_eq!((args.previous.last, args.records.len()), (log, 0));
    primary.handle_copy_reply(address(4), question, Some(CopyReply::Stored), at(5.4));
    primary.handle_copy_reply(address(4), sent, None, at(6.1));
    assert!(message_to(&mut primary, 4, at(6.2)).is_none(), "it has everything");
}

#[test]
fn a_late_copy_cuts_nothing_off() {
    let mut backup = server(2, &[1]);
    let all = crate::tail::tests::log(&[1, 1, 2, 2]);
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
        }
        drop(primary.take_messages(now)); // None is answered.
        primary.maybe_step_down(now);
        assert_eq!(primary.is_primary(), tenth < 11 + 200, "after {tenth} tenths of a second");
    }
}

#[test]
fn a_round_that_was_lost_is_asked_again() {
    let mut primary = primary();
    let round = primary.accept_read().expect("it is primary");
    let lost = primary.take_messages(at(1.1));
    assert_eq!(lost.len(), 4);
    assert!(primary.take_messages(at(1.2)).is_empty(), "they may still be answered");
    let again = primary.take_messages(at(1.4));
    for (backup, message) in again.into_iter().take(2) {
        assert_eq!(primary.readable_round(), Some(round - 1));
        let Message::Copy(_, sent) = message else { panic!("they have everything") };
        primary.handle_copy_reply(backup, sent, Some(CopyReply::Stored), at(1.5));
    }
    assert_eq!(primary.readable_round(), Some(round));
}

#[test]
fn a_forgotten_promise_helps_no_second_primary() {
    // What the backup has forgotten may have helped another primary into office. With the
    // backup's promise, that one needs two of the three others, so two of them must follow.
    let forgot_promise = DamageId { number: 7, forgot_promise: true };
    let mut primary = primary();
    ping_from(&mut primary, 4, Err(forgot_promise), at(1.1));
    let round = primary.take_messages(at(1.1));
    assert!(round.iter().all(|(to, _)| *to != address(4)), "nobody was asked yet");
    let mut asked = round.into_iter();
    let mut confirm = |primary: &mut State| {
        let (backup, Message::Copy(_, sent)) = asked.next().expect("three are asked") else {
            panic!("they lack nothing");
        };
        primary.handle_copy_reply(backup, sent, Some(CopyReply::Stored), at(1.2));
    };
    confirm(&mut primary);
    assert!(message_to(&mut primary, 4, at(1.2)).is_none(), "one is not enough");
    confirm(&mut primary);
    let message = message_to(&mut primary, 4, at(1.2));
    assert!(
        matches!(message, Some(Message::Install(args, _)) if args.repairs == Some(forgot_promise))
    );

    // After another start it is the same again: it may have promised in between.
    let forgot_again = DamageId { number: 8, ..forgot_promise };
    ping_from(&mut primary, 4, Err(forgot_again), at(1.3));
    assert!(message_to(&mut primary, 4, at(1.3)).is_none(), "they are asked once more");
}

/// A backup whose log has the same version as that of the primary of epoch 2, and another first
/// record; and what the primary sends.
fn fork() -> (State, CopyArgs) {
    let ours = crate::tail::tests::log(&[1, 1, 2]);
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
#[should_panic(expected = "the records of 10.0.0.2:7000@2 up to 3@2 are not those of its primary")]
fn equal_versions_are_not_taken_for_equal_records() {
    let (mut backup, args) = fork();
    backup.handle_copy(args, at(1.1));
}

#[test]
#[should_panic(expected = "the record 1@1 of 10.0.0.2:7000@2 is not that of its primary")]
fn a_record_that_is_there_is_compared() {
    let (mut backup, args) = fork();
    let first = Record { client: 7, ..backup.tail.after(0)[0].clone() };
    let args = CopyArgs { previous: Prefix::default(), records: vec![first], ..args };
    backup.handle_copy(args, at(1.1));
}

#[test]
#[should_panic(expected = "the records of 10.0.0.2:7000@2 up to 3@2 are not those of its primary")]
fn what_is_committed_is_compared() {
    let (mut backup, args) = fork();
    backup.learn_committed(args.previous);
}
