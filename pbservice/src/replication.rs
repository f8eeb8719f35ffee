//! Copying: the primary makes the backups' logs equal to its own.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use labrpc::Instant;
use log::{info, warn};

use crate::record::Record;
use crate::rpc::{CopyArgs, CopyReply, InstallArgs};
use crate::snapshot::Snapshot;
use crate::state::{DamageId, Epoch, Next, Office, Order, Progress, Role, Round, State};
use crate::tail::Tail;
use crate::timing::{RESEND_AFTER, RESEND_DOUBLINGS, TIME_PER_MEGABYTE};
use crate::version::FORGOTTEN;
use crate::writes::Write;

/// Records are copied in pieces of about so many bytes, so that no message becomes too long, and a
/// backup that lacks much shows soon that it is alive.
const PIECE: usize = 256 << 10;

/// A request of a primary to a backup.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// Records.
    Copy(CopyArgs, Sent),
    /// A snapshot.
    Install(Box<InstallArgs>, Sent),
}

/// What a primary remembers of a request until it is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    /// When it was sent.
    pub(crate) at: Instant,
    /// The number of the call.
    pub(crate) call: u64,
    /// The epoch.
    pub(crate) epoch: Epoch,
    /// The round that it was part of.
    pub(crate) round: Round,
    /// The last record that the backup has if it says [`CopyReply::Stored`].
    pub(crate) last: Order,
}

/// The backup's side.
impl State {
    /// Stores records from the primary. What is left of older epochs behind them is cut off.
    pub(crate) fn handle_copy(&mut self, args: CopyArgs, now: Instant) -> CopyReply {
        let CopyArgs { epoch, primary, previous, records, committed } = args;
        if epoch < self.promised {
            return CopyReply::Promised(self.promised);
        }
        self.accept_primary(epoch, primary, now);
        if let Some(damage) = self.damage {
            return CopyReply::Damaged(damage);
        }
        self.check_same(previous);
        // What is committed is the same everywhere.
        let previous = previous.last;
        if previous.order > self.committed && !self.tail.contains(previous) {
            let agreed = self.tail.last_not_beyond(previous);
            return CopyReply::Differs(agreed.unwrap_or_else(|| self.committed_version()));
        }
        for record in records {
            self.store_record(record);
        }
        self.learn_committed(committed);
        CopyReply::Stored
    }

    /// Stores one record whose predecessor is in the log.
    fn store_record(&mut self, record: Record) {
        if record.order <= self.committed || self.tail.contains(record.version()) {
            self.check_repeated(&record);
            return;
        }
        if record.order <= self.tail.version().order {
            // Of an older epoch, and never acknowledged: the primary does not have it.
            info!(target: "COPY", "{self} cuts off what is behind {}", record.order - 1);
            self.tail.cut_off_from(record.order);
            self.writes.push(Write::CutOffFrom(record.order));
        }
        self.tail.append(record.clone());
        self.writes.push(Write::Append(vec![record]));
    }

    /// A request may come twice, and late, but always with the same records.
    fn check_repeated(&self, record: &Record) {
        let is_same = self.tail.record(record.order).is_none_or(|ours| ours == record);
        let version = record.version();
        assert!(is_same, "the record {version} of {self} is not that of its primary; {FORGOTTEN}");
    }

    /// Replaces log and state by the primary's, if they are behind or damaged.
    pub(crate) fn handle_install(&mut self, args: InstallArgs, now: Instant) -> CopyReply {
        let InstallArgs { epoch, primary, snapshot, repairs } = args;
        if epoch < self.promised {
            return CopyReply::Promised(self.promised);
        }
        self.accept_primary(epoch, primary, now);
        if let Some(damage) = self.damage
            && repairs != Some(damage)
        {
            // It may be from before the damage: then it lacks what was acknowledged since.
            return CopyReply::Damaged(damage);
        }
        let version = snapshot.last;
        // Records behind the snapshot stay if they follow it: they may have been counted already.
        self.learn_committed(snapshot.prefix());
        if self.damage.is_some() || version.order > self.committed {
            assert!(version.order >= self.committed, "{self} gets what it knows not to be all");
            info!(target: "COPY", "{self} gets a snapshot up to {version}");
            self.tail = Tail::new(snapshot.prefix(), Vec::new());
            self.snapshot = version.order;
            self.committed = version.order;
            self.table = snapshot.table.clone();
            let damage = self.damage.take();
            if damage.is_some() {
                warn!(target: "DISK", "{self} is repaired, and counts again");
            }
            let install = if damage.is_some() { Write::Repair } else { Write::Install };
            self.writes.push(install(snapshot));
        }
        CopyReply::Stored
    }

    /// The primary of this epoch, which is not an older one than promised, has called.
    fn accept_primary(&mut self, epoch: Epoch, primary: SocketAddr, now: Instant) {
        assert!(
            !(epoch == self.promised && self.is_primary()),
            "{self} is not the only primary of its epoch, {primary} is too"
        );
        if epoch > self.promised {
            self.promise(epoch);
        }
        self.follow(primary, now);
    }
}

/// The primary's side.
impl State {
    /// What a primary has to send now, and to whom: records that a backup lacks, or the question
    /// whether it still follows. Each backup has one call at a time under way. What gathers
    /// meanwhile goes with the next one, so that many operations share it.
    pub(crate) fn take_messages(&mut self, now: Instant) -> Vec<(SocketAddr, Message)> {
        let Role::Primary(office) = &self.role else { return Vec::new() };
        let due: Vec<SocketAddr> = office.due(self.tail.version().order, now).collect();
        due.into_iter()
            .filter_map(|backup| Some((backup, self.next_message(backup, now)?)))
            .collect()
    }

    /// What a backup is sent next; `None` if that has to wait.
    fn next_message(&mut self, backup: SocketAddr, now: Instant) -> Option<Message> {
        let committed = self.committed_log();
        let (epoch, primary) = (self.promised, self.me);
        let Role::Primary(office) = &mut self.role else { return None };
        office.begun_round = office.wanted_round;
        let (round, confirmed) = (office.begun_round, office.confirmed_without(backup));
        let progress = office.backups.get_mut(&backup)?;
        let (previous, repairs) = match progress.next {
            Next::After(order) => (self.tail.prefix_at(order), None),
            // It must not count before it has everything that was ever committed, also by a primary
            // that this one has not heard of.
            Next::Everything(_) if committed.last.order < office.no_op => return None,
            Next::Everything(_) if confirmed < progress.repair_in => return None,
            Next::Everything(damage) => (None, Some(damage)),
        };
        progress.calls += 1;
        progress.owes_since.get_or_insert(now);
        let sent = |last| Sent { at: now, call: progress.calls, epoch, round, last };
        let (message, bytes) = match previous {
            Some(previous) => {
                let order = previous.last.order;
                let records = piece(self.tail.after(order)).to_vec();
                let bytes = records.iter().map(size).sum();
                let sent = sent(order + records.len() as Order);
                let args = CopyArgs { epoch, primary, previous, records, committed };
                (Message::Copy(args, sent), bytes)
            }
            None => {
                let last = committed.last;
                let snapshot = Snapshot { last, table: self.table.clone() };
                let bytes = self.table.size();
                let args = InstallArgs { epoch, primary, snapshot, repairs };
                (Message::Install(Box::new(args), sent(last.order)), bytes)
            }
        };
        progress.await_answer(bytes, now);
        Some(message)
    }

    /// What a backup has answered; `None` if no answer came.
    pub(crate) fn handle_copy_reply(
        &mut self,
        from: SocketAddr,
        sent: Sent,
        reply: Option<CopyReply>,
        now: Instant,
    ) {
        let Role::Primary(office) = &mut self.role else { return };
        if sent.epoch != self.promised {
            return; // It was sent in an earlier time in office.
        }
        let Some(progress) = office.backups.get_mut(&from) else { return };
        if sent.call <= progress.void_calls {
            return;
        }
        progress.open_calls = progress.open_calls.saturating_sub(1);
        let is_latest = sent.call == progress.calls;
        let Some(reply) = reply else {
            if is_latest {
                progress.awaiting = progress.awaiting.min(Some(now + RESEND_AFTER));
            }
            return;
        };
        if is_latest {
            progress.awaiting = None;
        }
        progress.owes_since = progress.awaiting.map(|_| now);
        match reply {
            CopyReply::Promised(later) => {
                return self.step_down(&format!("{from} has promised {later}"), now);
            }
            CopyReply::Damaged(damage) => office.repair(from, damage),
            CopyReply::Stored => {
                progress.hear(sent);
                progress.matched = progress.matched.max(sent.last);
                // Late answers count too: whoever takes longer than the primary is patient would
                // else be sent the same for ever.
                progress.next = progress.next.max(Next::After(progress.matched));
            }
            CopyReply::Differs(theirs) => {
                progress.hear(sent);
                // Where the log does not reach back so far, it needs a snapshot.
                let common = self.tail.last_not_beyond(theirs).unwrap_or_default();
                if is_latest && common.order < progress.matched {
                    let (matched, common) = (progress.matched, common.order);
                    warn!(
                        target: "COPY",
                        "{from} has lost records {} to {matched}, which were on its disk",
                        common + 1
                    );
                    progress.forget_log();
                }
                progress.next = Next::After(common.order.max(progress.matched));
            }
        }
        self.maybe_commit();
    }
}

impl Office {
    /// The backups that are due a message: they lack something, are alive, and owe no answer.
    fn due(&self, last: Order, now: Instant) -> impl Iterator<Item = SocketAddr> {
        let due = self.backups.iter().filter(move |(_, progress)| {
            // What it has been sent counts when it has said that it is stored.
            let lacks_something = progress.next != Next::After(last)
                || progress.matched < last
                || progress.confirmed < self.wanted_round;
            let is_free = progress.awaiting.is_none_or(|until| until <= now);
            lacks_something && is_free && progress.is_alive(now)
        });
        due.map(|(&backup, _)| backup)
    }

    /// The backup has told of this damage: it needs everything.
    ///
    /// If it may have forgotten a promise, others may have elected a primary of a later epoch with
    /// its help, which this one has not heard of. So a round that begins now must be confirmed
    /// first.
    pub(crate) fn repair(&mut self, backup: SocketAddr, damage: DamageId) {
        let Some(progress) = self.backups.get_mut(&backup) else { return };
        if progress.next == Next::Everything(damage) {
            return;
        }
        progress.next = Next::Everything(damage);
        progress.forget_log();
        progress.repair_in = 0;
        if damage.forgot_promise {
            self.wanted_round = self.begun_round + 1;
            progress.repair_in = self.wanted_round;
        }
    }

    /// The last round in which enough servers other than `backup` have said that they follow this
    /// primary: so many that they could not elect another one without one of these, even with a
    /// promise that `backup` has forgotten.
    fn confirmed_without(&self, backup: SocketAddr) -> Round {
        let others = self.backups.iter().filter(|&(&other, _)| other != backup);
        let confirmed = others.map(|(_, progress)| progress.confirmed);
        let mut confirmed: Vec<Round> = confirmed.chain([self.begun_round]).collect();
        confirmed.sort_unstable_by(|a, b| b.cmp(a));
        // To elect one takes all but `minority` servers, with `backup` all but that many others.
        let minority = self.backups.len() / 2;
        confirmed[minority]
    }
}

impl Progress {
    /// The backup follows, as its answer to this request shows.
    fn hear(&mut self, sent: Sent) {
        self.heard = self.heard.max(sent.at);
        self.confirmed = self.confirmed.max(sent.round);
    }

    /// The backup has lost its log, or a part of it: what it had does not count any more, and
    /// neither does what it has answered before.
    fn forget_log(&mut self) {
        self.matched = 0;
        self.void_calls = self.calls;
        self.forget_calls();
    }

    /// No answer is waited for any more. If one comes, it is welcome.
    pub(crate) fn forget_calls(&mut self) {
        (self.awaiting, self.owes_since, self.open_calls) = (None, None, 0);
    }

    /// Waits for the answer to a message of so many bytes: twice as long for every call that is
    /// under way already.
    fn await_answer(&mut self, bytes: usize, now: Instant) {
        let travel = TIME_PER_MEGABYTE.mul_f64(bytes as f64 / f64::from(1 << 20));
        let doublings = self.open_calls.min(RESEND_DOUBLINGS);
        self.awaiting = Some(now + (RESEND_AFTER + travel) * 2_u32.pow(doublings));
        self.open_calls += 1;
    }
}

/// About how many bytes a record takes in a message.
fn size(record: &Record) -> usize {
    const NUMBERS: usize = 48;
    NUMBERS + record.operation.size()
}

/// The first records, about [`PIECE`] bytes of them, but one at least.
fn piece(records: &[Record]) -> &[Record] {
    let mut bytes = 0;
    let fits = |record: &&Record| {
        bytes += size(record);
        bytes <= PIECE
    };
    let count = records.iter().take_while(fits).count();
    &records[..count.max(1).min(records.len())]
}
