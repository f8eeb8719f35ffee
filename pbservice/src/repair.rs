//! How a server that has lost its log gets another one, and counts again.
//!
//! 1. A server that starts, and finds that its log has rotted or that its directory was emptied, is
//!    *damaged*. It follows a primary and hears clients out, but it has no version: it promises
//!    nothing, and does not count. It draws a number for the damage, a [`DamageId`].
//! 2. The damage is in its pings, and is its answer to all copies. So the primary learns of it, and
//!    forgets what it believed of that log: [`Office::note_damage`].
//! 3. The primary sends all that is committed, when that is all that was ever acknowledged:
//!    [`Office::may_repair`].
//! 4. The server takes that over, if it was sent for this very damage: [`State::accept_repair`].
//!    Anything else may be late, and lack what the server has acknowledged since. When it is on
//!    disk, as [`Write::Repair`], the damage is gone, also for the next start.
//!
//! Servers that are all new have nothing to repair: see [`State::maybe_begin`].

use std::net::SocketAddr;

use log::warn;
use serde::{Deserialize, Serialize};

use crate::given::snapshot::Snapshot;
use crate::given::version::Version;
use crate::given::waiting::Round;
use crate::given::writes::Write;
use crate::rpc::CopyReply;
use crate::state::{Next, Office, State};

/// Damage of a server's disk, as others know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct DamageId {
    /// The number that the server drew at its start: so that what was sent to the server before it
    /// was damaged is not taken for its repair.
    pub(crate) number: u64,
    /// Whether the server may have forgotten a promise too.
    pub(crate) forgot_promise: bool,
}

/// What a primary has to do for a damaged server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Repair {
    /// The damage.
    pub(crate) damage: DamageId,
    /// The round that has to be confirmed before, if the server may have forgotten a promise.
    confirmed_in: Option<Round>,
}

/// The primary's side.
impl Office {
    /// The backup has told of this damage: it needs everything.
    ///
    /// If it may have forgotten a promise, others may have elected a primary of a later epoch with
    /// its help, which this one has not heard of. So a round that begins now must be confirmed
    /// first.
    pub(crate) fn note_damage(&mut self, backup: SocketAddr, damage: DamageId) {
        let Some(progress) = self.backups.get_mut(&backup) else { return };
        if matches!(progress.next, Next::Everything(repair) if repair.damage == damage) {
            return;
        }
        progress.forget_log();
        let confirmed_in = damage.forgot_promise.then(|| {
            self.round += 1;
            self.round
        });
        progress.next = Next::Everything(Repair { damage, confirmed_in });
    }

    /// Whether all that was ever acknowledged is among what is committed, up to `committed`. A
    /// repaired server counts, so it must have everything that it may have helped to commit, also
    /// for a primary that this one has not heard of.
    pub(crate) fn may_repair(
        &self,
        backup: SocketAddr,
        repair: Repair,
        committed: Version,
    ) -> bool {
        let confirmed = self.confirmed_without(backup);
        committed.order >= self.no_op && repair.confirmed_in.is_none_or(|round| round <= confirmed)
    }

    /// The last round in which enough servers other than `backup` have said that they follow this
    /// primary: so many that they could not elect another one without one of these, even with a
    /// promise that `backup` has forgotten.
    fn confirmed_without(&self, backup: SocketAddr) -> Round {
        let others = self.backups.iter().filter(|&(&other, _)| other != backup);
        let confirmed = others.map(|(_, progress)| progress.confirmed);
        let mut confirmed: Vec<Round> = confirmed.chain([self.round]).collect();
        confirmed.sort_unstable_by(|a, b| b.cmp(a));
        // To elect one takes all but `minority` servers, with `backup` all but that many others.
        let minority = self.backups.len() / 2;
        confirmed[minority]
    }
}

/// The damaged server's side.
impl State {
    /// Replaces log and state by what the primary has sent, if that repairs this damage.
    pub(crate) fn accept_repair(
        &mut self,
        damage: DamageId,
        snapshot: Snapshot,
        repairs: Option<DamageId>,
    ) -> CopyReply {
        if repairs != Some(damage) {
            return CopyReply::Damaged(damage);
        }
        let is_all = snapshot.last.order >= self.committed;
        assert!(is_all, "{self} gets what it knows not to be all");
        self.take_over(&snapshot);
        self.damage = None;
        warn!(target: "DISK", "{self} is repaired, and counts again");
        self.writes.push(Write::Repair(snapshot));
        CopyReply::Stored
    }
}

#[cfg(test)]
mod tests {
    use labrpc::Instant;

    use super::*;
    use crate::given::tail::tests::at as version;
    use crate::replication::Message;
    use crate::replication::tests::ping_from;
    use crate::rpc::InstallArgs;
    use crate::state::tests::{address, at, damage, damaged_server, primary};

    /// The snapshot that the primary sends to a backup now.
    fn install_to(primary: &mut State, backup: u8, now: Instant) -> Option<InstallArgs> {
        match primary.next_message(address(backup), now)? {
            Message::Install(args) => Some(args),
            Message::Copy(_) => panic!("S{backup} needs everything"),
        }
    }

    #[test]
    fn only_an_install_for_this_damage_repairs() {
        let mut primary = primary();
        ping_from(&mut primary, 4, Err(damage(7)), at(1.1));
        let args = install_to(&mut primary, 4, at(1.1)).expect("it needs everything");
        assert_eq!((args.repairs, args.snapshot.last), (Some(damage(7)), version(4, 3)));

        // It was restarted meanwhile; or this was meant for it before its log was damaged.
        let mut backup = damaged_server(4, damage(8));
        for repairs in [Some(damage(7)), None] {
            let late = InstallArgs { repairs, ..args.clone() };
            assert_eq!(backup.handle_install(late, at(1.2)), CopyReply::Damaged(damage(8)));
            assert_eq!(backup.version(), None);
        }
        ping_from(&mut primary, 4, Err(damage(8)), at(1.2));
        let args = install_to(&mut primary, 4, at(1.2)).expect("it needs everything anew");
        assert_eq!(backup.handle_install(args, at(1.3)), CopyReply::Stored);
        assert_eq!(backup.version(), Some(version(4, 3)));
    }

    #[test]
    fn a_ping_tells_of_a_repair_whose_answer_is_lost() {
        let mut primary = primary();
        ping_from(&mut primary, 4, Err(damage(7)), at(1.1));
        let args = install_to(&mut primary, 4, at(1.1)).expect("it needs everything");
        let mut backup = damaged_server(4, damage(7));
        assert_eq!(backup.handle_install(args, at(1.2)), CopyReply::Stored);
        let log = backup.version().expect("it is repaired");
        ping_from(&mut primary, 4, Ok(log), at(1.3));
        let Some(Message::Copy(args)) = primary.next_message(address(4), at(1.3)) else {
            panic!("what counts is its word");
        };
        assert_eq!((args.previous.last, args.records.len()), (log, 0));
        primary.handle_copy_reply(address(4), 3, CopyReply::Stored, at(1.4));
        assert!(primary.next_message(address(4), at(1.4)).is_none(), "it has everything");
    }

    #[test]
    fn a_forgotten_promise_helps_no_second_primary() {
        // What the backup has forgotten may have helped another primary into office. With the
        // backup's promise, that one needs two of the three others, so two of them must follow.
        let forgot_promise = DamageId { forgot_promise: true, ..damage(7) };
        let mut primary = primary();
        ping_from(&mut primary, 4, Err(forgot_promise), at(1.1));
        assert!(install_to(&mut primary, 4, at(1.1)).is_none(), "nobody was asked yet");
        let confirm = |primary: &mut State, backup| {
            let message = primary.next_message(address(backup), at(1.1));
            assert!(matches!(message, Some(Message::Copy(_))), "S{backup} is asked");
            primary.handle_copy_reply(address(backup), 3, CopyReply::Stored, at(1.2));
        };
        confirm(&mut primary, 2);
        assert!(install_to(&mut primary, 4, at(1.2)).is_none(), "one is not enough");
        confirm(&mut primary, 3);
        let args = install_to(&mut primary, 4, at(1.2)).expect("two are enough");
        assert_eq!(args.repairs, Some(forgot_promise));

        // After another start it is the same again: it may have promised in between.
        let forgot_again = DamageId { number: 8, ..forgot_promise };
        ping_from(&mut primary, 4, Err(forgot_again), at(1.3));
        assert!(install_to(&mut primary, 4, at(1.3)).is_none(), "they are asked once more");
    }
}
