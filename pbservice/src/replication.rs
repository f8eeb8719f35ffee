//! Copying: the primary makes the backups' logs equal to its own.

use std::net::SocketAddr;

use labrpc::Instant;
use log::info;

use crate::record::{Operation, Record};
use crate::rpc::{CopyArgs, CopyReply, InstallArgs};
use crate::snapshot::Snapshot;
use crate::state::{Epoch, Next, Office, Order, Progress, Role, Round, State};
use crate::tail::Tail;
use crate::timing::{DEAD_AFTER, RESEND_AFTER, RESEND_SNAPSHOT_AFTER};
use crate::writes::Write;

/// Records are copied in pieces of about so many bytes, so that no message becomes too long, and a
/// backup that lacks much shows soon that it is alive.
const PIECE: usize = 1 << 20;

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
        if self.is_damaged {
            return CopyReply::Damaged;
        }
        // What is committed is the same everywhere.
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
            return; // A request may come twice, and late.
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

    /// Replaces log and state by the primary's, if they are behind or damaged.
    pub(crate) fn handle_install(&mut self, args: InstallArgs, now: Instant) -> CopyReply {
        let InstallArgs { epoch, primary, snapshot } = args;
        if epoch < self.promised {
            return CopyReply::Promised(self.promised);
        }
        self.accept_primary(epoch, primary, now);
        let version = snapshot.last;
        // Records behind the snapshot stay if they follow it: they may have been counted already.
        self.learn_committed(version);
        if self.is_damaged || version.order > self.committed {
            info!(target: "COPY", "{self} gets a snapshot up to {version}");
            self.tail = Tail::new(version, Vec::new());
            self.snapshot = version.order;
            self.committed = version.order;
            self.table = snapshot.table.clone();
            let is_repair = std::mem::take(&mut self.is_damaged);
            let install = if is_repair { Write::Repair } else { Write::Install };
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
    /// whether it still follows. Each backup has one call at a time under way. What gathers meanwhile
    /// goes with the next one, so that many operations share it.
    pub(crate) fn take_messages(&mut self, now: Instant) -> Vec<(SocketAddr, Message)> {
        let Role::Primary(office) = &self.role else { return Vec::new() };
        let due: Vec<SocketAddr> = office.due(self.tail.version().order, now).collect();
        due.into_iter()
            .filter_map(|backup| Some((backup, self.next_message(backup, now)?)))
            .collect()
    }

    /// What a backup is sent next; `None` if that has to wait.
    fn next_message(&mut self, backup: SocketAddr, now: Instant) -> Option<Message> {
        let committed = self.committed_version();
        let (epoch, primary) = (self.promised, self.me);
        let Role::Primary(office) = &mut self.role else { return None };
        let progress = office.backups.get_mut(&backup)?;
        let previous = match progress.next {
            Next::After(order) => self.tail.version_at(order),
            // It must not count before it has everything that was ever committed.
            Next::Everything if committed.order < office.no_op => return None,
            Next::Everything => None,
        };
        office.begun_round = office.wanted_round;
        let round = office.begun_round;
        progress.calls += 1;
        progress.asked = round;
        let patience = if previous.is_some() { RESEND_AFTER } else { RESEND_SNAPSHOT_AFTER };
        progress.awaiting = Some(now + patience);
        let sent = |last| Sent { at: now, call: progress.calls, epoch, round, last };
        Some(match previous {
            Some(previous) => {
                let records = piece(self.tail.after(previous.order)).to_vec();
                let sent = sent(previous.order + records.len() as Order);
                Message::Copy(CopyArgs { epoch, primary, previous, records, committed }, sent)
            }
            None => {
                let snapshot = Snapshot { last: committed, table: self.table.clone() };
                let args = InstallArgs { epoch, primary, snapshot };
                Message::Install(Box::new(args), sent(committed.order))
            }
        })
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
        let is_latest = sent.call == progress.calls;
        let Some(reply) = reply else {
            if is_latest {
                progress.awaiting = Some(sent.at + RESEND_AFTER);
            }
            return;
        };
        if is_latest {
            progress.awaiting = None;
        }
        match reply {
            CopyReply::Promised(later) => {
                return self.step_down(&format!("{from} has promised {later}"), now);
            }
            CopyReply::Damaged => progress.start_over(),
            CopyReply::Stored => {
                progress.hear(sent);
                progress.matched = progress.matched.max(sent.last);
                // Late answers count too: whoever takes longer than the primary is patient would else
                // be sent the same for ever.
                let is_behind = match progress.next {
                    Next::After(order) => order < progress.matched,
                    Next::Everything => true,
                };
                if is_latest || is_behind {
                    progress.next = Next::After(progress.matched);
                }
            }
            CopyReply::Differs(theirs) => {
                progress.hear(sent);
                // Where the log does not reach back so far, it needs a snapshot.
                let common = self.tail.last_not_beyond(theirs).unwrap_or_default();
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
            let lacks_something =
                progress.next != Next::After(last) || progress.asked < self.wanted_round;
            let is_free = progress.awaiting.is_none_or(|until| until <= now);
            lacks_something && is_free && now - progress.heard < DEAD_AFTER
        });
        due.map(|(&backup, _)| backup)
    }
}

impl Progress {
    /// The backup follows, as its answer to this request shows.
    fn hear(&mut self, sent: Sent) {
        self.heard = self.heard.max(sent.at);
        self.confirmed = self.confirmed.max(sent.round);
    }

    /// The backup has lost its log: what it had does not count any more.
    pub(crate) fn start_over(&mut self) {
        if self.next != Next::Everything {
            self.next = Next::Everything;
            self.matched = 0;
            self.void_calls = self.calls;
            self.awaiting = None;
        }
    }
}

/// About how many bytes a record takes in a message.
fn size(record: &Record) -> usize {
    const NUMBERS: usize = 48;
    NUMBERS
        + match &record.operation {
            Operation::Put { key, value } | Operation::Append { key, value } => {
                key.len() + value.len()
            }
            Operation::NoOp => 0,
        }
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
