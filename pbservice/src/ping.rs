//! Who is alive: backups ping their primary, and the primary counts who does.

use std::net::SocketAddr;

use labrpc::Instant;
use log::info;

use crate::given::version::{FORGOTTEN, Prefix};
use crate::rpc::{PingArgs, PingReply};
use crate::state::{Heard, Next, Office, Progress, Role, State};
use crate::timing::{ANSWERS_WITHIN, DEAD_AFTER};

impl State {
    /// The ping that is due, and to whom; `None` if there is no primary to ping.
    pub(crate) fn take_ping(&self) -> Option<(SocketAddr, PingArgs)> {
        let Role::Backup { primary: Some(heard), .. } = &self.role else { return None };
        let version = self.damage.map_or_else(|| Ok(self.tail.version()), Err);
        let args = PingArgs { from: self.me, promised: self.promised, version };
        Some((heard.address, args))
    }

    /// Answers a ping. A backup that has promised a later epoch ends this server's time in office;
    /// one whose log ends elsewhere than this server believes is sent what it lacks.
    pub(crate) fn handle_ping(&mut self, args: &PingArgs, now: Instant) -> PingReply {
        if self.is_primary() && args.promised > self.promised {
            self.step_down("a backup has promised a later epoch", now);
        }
        let committed = self.committed_log();
        let Self { role, tail, .. } = self;
        if let Role::Primary(office) = role
            && let Some(progress) = office.backups.get_mut(&args.from)
        {
            let was_alive = progress.is_alive(now);
            if !was_alive {
                progress.owes_since = None; // It may have been down.
            }
            progress.heard = now;
            let owes_answer = was_alive && progress.unanswered.is_some();
            match args.version {
                Err(damage) => office.note_damage(args.from, damage),
                // It has got more than it has answered so far: the answer was lost, or late.
                Ok(version)
                    if tail.contains(version) && progress.next < Next::After(version.order) =>
                {
                    progress.next = Next::After(version.order);
                }
                // An answer on its way knows better than a ping that may be old. If there is none,
                // an old ping only means that a few records are sent twice.
                Ok(version) if !owes_answer && version != tail.version() => {
                    // Where the log does not reach back so far, it needs a snapshot.
                    let common = tail.last_not_beyond(version).unwrap_or_default();
                    progress.next = Next::After(common.order);
                }
                Ok(_) => {}
            }
        }
        PingReply { is_primary: self.is_primary(), promised: self.promised, committed }
    }

    /// The primary, or who was thought to be that, has answered the ping that was sent to it at
    /// `sent`.
    pub(crate) fn handle_ping_reply(
        &mut self,
        from: SocketAddr,
        sent: Instant,
        reply: &PingReply,
        now: Instant,
    ) {
        let Role::Backup { primary: Some(heard), .. } = &mut self.role else { return };
        let dead_at = sent + DEAD_AFTER;
        if heard.address != from || dead_at < heard.dead_at {
            return;
        }
        if reply.is_primary && reply.promised >= self.promised {
            // It was alive when it answered, but when that was is not known.
            heard.dead_at = dead_at;
            self.learn_committed(reply.committed);
        } else {
            info!(target: "PING", "{self} hears from {from} that it is not primary");
            self.become_backup(None, now);
        }
    }

    /// A primary that is out of touch with a majority steps down: its clients should look for
    /// another one, and its backups too.
    pub(crate) fn maybe_step_down(&mut self, now: Instant) {
        if let Role::Primary(office) = &self.role
            && 1 + office.count_present(now) < self.majority()
        {
            self.step_down("a majority is out of reach", now);
        }
    }

    /// The backup follows this primary, as its call at `sent` has shown.
    pub(crate) fn follow(&mut self, address: SocketAddr, now: Instant) {
        self.become_backup(Some(Heard { address, dead_at: now + DEAD_AFTER }), now);
    }

    /// Learns that all records up to this one are committed, if they are in the log: where two logs
    /// have the same record, they are equal up to it.
    pub(crate) fn learn_committed(&mut self, committed: Prefix) {
        if self.damage.is_some() {
            return;
        }
        self.check_same(committed);
        if committed.last.order > self.committed && self.tail.contains(committed.last) {
            self.commit_up_to(committed.last.order);
        }
    }

    /// Ends the process if the primary has other records than this server where both must be equal:
    /// under the same version, and up to what is committed. To go on would hide that something is
    /// lost, and lose more.
    pub(crate) fn check_same(&self, theirs: Prefix) {
        let Some(ours) = self.tail.prefix_at(theirs.last.order) else { return };
        let must_be_same = ours.last == theirs.last || ours.last.order <= self.committed;
        assert!(
            ours == theirs || !must_be_same,
            "the records of {self} up to {}, committed up to {}, are not the same as its primary's \
             up to {}; {FORGOTTEN}",
            ours.last,
            self.committed,
            theirs.last
        );
    }
}

impl Office {
    /// How many backups were heard of lately, and do not owe an answer for too long: where only one
    /// direction of a link works, pings alone must not keep a primary in office that can copy
    /// nothing.
    fn count_present(&self, now: Instant) -> usize {
        let is_present = |progress: &&Progress| {
            let answers = progress.owes_since.is_none_or(|since| now - since < ANSWERS_WITHIN);
            progress.is_alive(now) && answers
        };
        self.backups.values().filter(is_present).count()
    }
}

impl Progress {
    /// Whether the backup was heard of lately.
    pub(crate) fn is_alive(&self, now: Instant) -> bool {
        now - self.heard < DEAD_AFTER
    }
}
