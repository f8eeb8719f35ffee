//! Copying: the primary makes the backups' logs equal to its own.

#[cfg(test)]
pub(crate) mod tests;

use std::net::SocketAddr;

use labrpc::Instant;
use log::{info, warn};

use crate::given::record::Record;
use crate::given::snapshot::Snapshot;
use crate::given::tail::Tail;
use crate::given::version::{Epoch, FORGOTTEN, Order};
use crate::given::waiting::Round;
use crate::given::writes::Write;
use crate::rpc::{CopyArgs, CopyReply, InstallArgs};
use crate::state::{Next, Progress, Role, Sent, State};

/// A request of a primary to a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// Records.
    Copy(CopyArgs),
    /// A snapshot.
    Install(InstallArgs),
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
        assert!(
            is_same,
            "the record {version} of {self}, committed up to {}, is not the same as its primary's; \
             {FORGOTTEN}",
            self.committed
        );
    }

    /// Replaces log and state by the primary's, if they are behind or damaged.
    pub(crate) fn handle_install(&mut self, args: InstallArgs, now: Instant) -> CopyReply {
        let InstallArgs { epoch, primary, snapshot, repairs } = args;
        if epoch < self.promised {
            return CopyReply::Promised(self.promised);
        }
        self.accept_primary(epoch, primary, now);
        if let Some(damage) = self.damage {
            return self.accept_repair(damage, snapshot, repairs);
        }
        // Records behind the snapshot stay if they follow it: they may have been counted already.
        self.learn_committed(snapshot.prefix());
        if snapshot.last.order > self.committed {
            self.take_over(&snapshot);
            self.writes.push(Write::Install(snapshot));
        }
        CopyReply::Stored
    }

    /// Replaces log and state, in memory.
    pub(crate) fn take_over(&mut self, snapshot: &Snapshot) {
        let version = snapshot.last;
        info!(target: "COPY", "{self} gets a snapshot up to {version}");
        self.tail = Tail::new(snapshot.prefix(), Vec::new());
        self.snapshot = version.order;
        self.committed = version.order;
        self.table = snapshot.table.clone();
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

/// The primary's side. Each backup has a [task](crate::copier) that sends it one message at a time.
impl State {
    /// What a primary has to send to a backup now: what it lacks, or the question whether it still
    /// follows. `None` if there is nothing to send, or that has to wait.
    pub(crate) fn next_message(&mut self, backup: SocketAddr, now: Instant) -> Option<Message> {
        let (epoch, primary) = (self.promised, self.me);
        let (last, committed) = (self.tail.version().order, self.committed_log());
        let Role::Primary(office) = &mut self.role else { return None };
        let round = office.round;
        let progress = office.backups.get(&backup)?;
        if !progress.is_due(last, round, now) {
            return None;
        }
        let (previous, repairs) = match progress.next {
            Next::After(order) => (self.tail.prefix_at(order), None),
            Next::Everything(repair) if office.may_repair(backup, repair, committed.last) => {
                (None, Some(repair.damage))
            }
            Next::Everything(_) => return None,
        };
        let message = if let Some(previous) = previous {
            let records = self.tail.piece_after(previous.last.order).to_vec();
            Message::Copy(CopyArgs { epoch, primary, previous, records, committed })
        } else {
            let snapshot = Snapshot { last: committed.last, table: self.table.clone() };
            Message::Install(InstallArgs { epoch, primary, snapshot, repairs })
        };
        let progress = office.backups.get_mut(&backup)?;
        progress.unanswered = Some(Sent { at: now, round, last: message.last() });
        progress.owes_since.get_or_insert(now);
        Some(message)
    }

    /// What a backup has answered to the last message of this epoch.
    pub(crate) fn handle_copy_reply(
        &mut self,
        from: SocketAddr,
        epoch: Epoch,
        reply: CopyReply,
        now: Instant,
    ) {
        let Role::Primary(office) = &mut self.role else { return };
        if epoch != self.promised {
            return; // It was sent in an earlier time in office.
        }
        let Some(progress) = office.backups.get_mut(&from) else { return };
        // Otherwise the backup has lost its log since, so that the answer may be from before.
        let Some(sent) = progress.unanswered.take() else { return };
        progress.owes_since = None;
        match reply {
            CopyReply::Promised(later) => {
                return self.step_down(&format!("{from} has promised {later}"), now);
            }
            CopyReply::Damaged(damage) => office.note_damage(from, damage),
            CopyReply::Stored => {
                progress.hear(sent);
                progress.matched = progress.matched.max(sent.last);
                progress.next = progress.next.max(Next::After(progress.matched));
            }
            CopyReply::Differs(theirs) => {
                progress.hear(sent);
                // Where the log does not reach back so far, it needs a snapshot.
                let common = self.tail.last_not_beyond(theirs).unwrap_or_default();
                if common.order < progress.matched {
                    let (matched, common) = (progress.matched, common.order);
                    warn!(
                        target: "COPY",
                        "{from} has lost records {} to {matched}, which were on its disk",
                        common + 1
                    );
                    progress.forget_log();
                }
                progress.next = Next::After(common.order);
            }
        }
        self.maybe_commit();
    }
}

impl State {
    /// Whether a backup still lacks the snapshot that this primary is sending to it, and is alive.
    pub(crate) fn is_installing(&self, backup: SocketAddr, epoch: Epoch, now: Instant) -> bool {
        let Role::Primary(office) = &self.role else { return false };
        let progress = office.backups.get(&backup).filter(|_| epoch == self.promised);
        progress.is_some_and(|progress| progress.unanswered.is_some() && progress.is_alive(now))
    }

    /// The backup has answered a piece of a snapshot: it owes the answer to the next one.
    pub(crate) fn note_piece(&mut self, backup: SocketAddr, now: Instant) {
        if let Role::Primary(office) = &mut self.role
            && let Some(progress) = office.backups.get_mut(&backup)
        {
            progress.owes_since = progress.owes_since.map(|_| now);
        }
    }
}

impl Progress {
    /// Whether the backup lacks something and is alive.
    fn is_due(&self, last: Order, round: Round, now: Instant) -> bool {
        // What it has been sent counts when it has said that it is stored.
        let lacks_something =
            self.next != Next::After(last) || self.matched < last || self.confirmed < round;
        lacks_something && self.is_alive(now)
    }

    /// The backup follows, as its answer to this request shows.
    fn hear(&mut self, sent: Sent) {
        self.heard = self.heard.max(sent.at);
        self.confirmed = self.confirmed.max(sent.round);
    }

    /// The backup has lost its log, or a part of it: what it had does not count any more, and
    /// neither does what it answers to a request from before.
    pub(crate) fn forget_log(&mut self) {
        (self.matched, self.unanswered, self.owes_since) = (0, None, None);
    }
}

impl Message {
    /// The last record that a backup has which stores this.
    fn last(&self) -> Order {
        match self {
            Self::Copy(args) => args.previous.last.order + args.records.len() as Order,
            Self::Install(args) => args.snapshot.last.order,
        }
    }
}
