//! Log replication (§5.3): the leader makes the followers' logs equal to its own.

use ::log::info;
use labrpc::Instant;

use crate::log::LogPos;
use crate::rpc::{AppendEntriesArgs, AppendEntriesReply, AppendOutcome, Conflict, Message};
use crate::state::{Progress, Role, State};
use crate::{Index, PeerId, Term};

impl State {
    /// AppendEntries RPC, receiver implementation (Figure 2).
    pub(crate) fn handle_append_entries(
        &mut self,
        args: AppendEntriesArgs,
        fresh_deadline: Instant,
    ) -> AppendEntriesReply {
        self.observe_term(args.term, fresh_deadline);
        let outcome = if args.term < self.current_term {
            AppendOutcome::StaleTerm // step 1
        } else {
            self.recognize_leader(fresh_deadline);
            match self.conflict_at(args.prev_log) {
                Some(conflict) => AppendOutcome::Conflict(conflict), // step 2
                None => {
                    self.store_entries(args); // steps 3 to 5
                    AppendOutcome::Stored
                }
            }
        };
        AppendEntriesReply { term: self.current_term, outcome }
    }

    /// Why entries that follow `prev_log` cannot be stored; `None` if they can.
    fn conflict_at(&self, prev_log: LogPos) -> Option<Conflict> {
        // What the snapshot contains is committed, so the leader has it too (§5.4).
        if prev_log.index <= self.log.last_included().index || self.log.contains(prev_log) {
            return None;
        }
        Some(match self.log.term_at(prev_log.index) {
            Some(term) => Conflict { term: Some(term), first_index: self.log.first_index_of(term) },
            None => Conflict { term: None, first_index: self.log.last_index() + 1 },
        })
    }

    /// Stores entries whose predecessor the log or its snapshot contains.
    fn store_entries(&mut self, args: AppendEntriesArgs) {
        let last_new = args.last_index();
        let AppendEntriesArgs { prev_log, mut entries, leader_commit, .. } = args;
        let snapshot = self.log.last_included().index;
        // Entries that the snapshot contains are not needed any more.
        let covered = snapshot.saturating_sub(prev_log.index).min(entries.len() as Index);
        entries.drain(..covered as usize);
        self.log.store(prev_log.index.max(snapshot), entries);
        // Step 5. Only what this request has shown to be equal to the leader's log counts: beyond
        // it, this server's log may still hold entries of an older leader.
        self.commit_up_to(leader_commit.min(last_new));
    }

    /// What a follower answered to `sent`; `None` if no answer came. Figure 2, rules for leaders:
    /// update `nextIndex` and `matchIndex`, or back up and retry (§5.3).
    pub(crate) fn handle_append_reply(
        &mut self,
        from: PeerId,
        sent: &AppendEntriesArgs,
        call: u64,
        reply: Option<&AppendEntriesReply>,
        fresh_deadline: Instant,
    ) {
        if let Some(reply) = reply {
            self.observe_term(reply.term, fresh_deadline);
        }
        let Some(progress) = self.progress_after(from, sent.term, call) else { return };
        match reply.map(|reply| &reply.outcome) {
            Some(AppendOutcome::Stored) => {
                progress.confirm(sent.last_index());
                self.maybe_advance_commit_index();
            }
            Some(AppendOutcome::Conflict(conflict)) => {
                self.back_up(from, sent.prev_log.index, *conflict);
            }
            Some(AppendOutcome::StaleTerm) | None => {}
        }
    }

    /// What is known of a follower once a call to it has ended; `None` unless this server still
    /// leads in `term`, in which it made the call. A reply to an older term's request says nothing
    /// about what the follower's log is like now.
    pub(crate) fn progress_after(
        &mut self,
        from: PeerId,
        term: Term,
        call: u64,
    ) -> Option<&mut Progress> {
        if term != self.current_term {
            return None;
        }
        let Role::Leader { followers } = &mut self.role else { return None };
        let progress = followers.get_mut(&from)?;
        if call == progress.calls {
            progress.awaiting = false;
        }
        Some(progress)
    }

    /// After a conflict at `prev_index`: skips all entries of the conflicting term at once (end of
    /// §5.3).
    fn back_up(&mut self, from: PeerId, prev_index: Index, conflict: Conflict) {
        let own_last = conflict.term.and_then(|term| self.log.last_index_of(term));
        let next = own_last.map_or(conflict.first_index, |last| last + 1);
        let Role::Leader { followers } = &mut self.role else { return };
        let Some(progress) = followers.get_mut(&from) else { return };
        // Replies may overtake each other. Only the reply to a request from the current
        // `next_index` counts, and not if the follower has since confirmed the entry before it.
        if progress.next_index == prev_index + 1 && progress.match_index < prev_index {
            progress.next_index = next.clamp(progress.match_index + 1, prev_index);
            let next = progress.next_index;
            info!(target: "LOG1", "{self} backs up to {next} for S{from}");
        }
    }

    /// A heartbeat is due to every follower. Figure 2, rules for leaders: repeat during idle
    /// periods (§5.2).
    pub(crate) fn demand_heartbeats(&mut self) {
        if let Role::Leader { followers } = &mut self.role {
            followers.values_mut().for_each(|progress| progress.heartbeat_due = true);
        }
    }

    /// What a leader has to send now: to each follower that is due a heartbeat, or that lacks
    /// something and owes no answer. Figure 2, rules for leaders: last log index >= `nextIndex`
    /// (§5.3).
    pub(crate) fn take_replication(&mut self) -> Vec<(PeerId, Message)> {
        let Role::Leader { followers } = &mut self.role else { return Vec::new() };
        let (last_index, commit_index) = (self.log.last_index(), self.commit_index);
        let mut due = Vec::new();
        for (&peer, progress) in followers {
            let lacks_something =
                progress.next_index <= last_index || progress.told_commit < commit_index;
            if progress.heartbeat_due || (lacks_something && !progress.awaiting) {
                progress.heartbeat_due = false;
                progress.told_commit = commit_index;
                progress.awaiting = true;
                progress.calls += 1;
                due.push((peer, progress.next_index, progress.calls));
            }
        }
        let message = |(peer, next, call)| (peer, self.replication_request(next, call));
        due.into_iter().map(message).collect()
    }

    /// The request that brings a follower's log from `next_index` to its end, or the snapshot if
    /// the entry before `next_index` is gone.
    fn replication_request(&self, next_index: Index, call: u64) -> Message {
        let prev_index = next_index - 1;
        let Some(prev_term) = self.log.term_at(prev_index) else {
            return self.install_snapshot_request(call);
        };
        let args = AppendEntriesArgs {
            term: self.current_term,
            prev_log: LogPos { index: prev_index, term: prev_term },
            entries: self.log.entries_from(next_index).to_vec(),
            leader_commit: self.commit_index,
        };
        Message::AppendEntries(args, call)
    }
}

impl Progress {
    /// The follower has all entries up to `last_index`. Replies may overtake each other, so this
    /// may be less than what is known already.
    pub(crate) fn confirm(&mut self, last_index: Index) {
        self.match_index = self.match_index.max(last_index);
        self.next_index = self.next_index.max(self.match_index + 1);
    }
}

#[cfg(test)]
mod tests;
