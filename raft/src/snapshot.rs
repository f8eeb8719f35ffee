//! Log compaction (§7): the service's snapshot stands for the entries that it contains.

use ::log::info;
use labrpc::Instant;

use crate::log::LogPos;
use crate::rpc::{InstallSnapshotArgs, InstallSnapshotReply, Message};
use crate::state::State;
use crate::{Index, PeerId};

impl State {
    /// Replaces all entries up to and including `index` by `data`, the service's state after them.
    /// Changes nothing if a later snapshot was installed meanwhile.
    pub(crate) fn compact_log(&mut self, index: Index, data: Vec<u8>) {
        if index <= self.log.last_included().index {
            return;
        }
        assert!(
            index <= self.last_applied,
            "{self} has not applied {index}, which is in a snapshot"
        );
        let term = self.log.term_at(index).expect("an applied entry is in the log or its snapshot");
        self.log.compact(LogPos { index, term }, data);
        info!(target: "SNAP", "{self} compacts its log up to {}", self.log.last_included());
    }

    /// InstallSnapshot RPC, receiver implementation (Figure 13). There are no chunks, so steps 2 to
    /// 4 fall away; step 8, handing the snapshot to the service, is done by the applier, which
    /// finds that the log's beginning has moved past what was applied. Unlike in step 6, the
    /// service gets the snapshot even if entries after it stay: the entries before it are gone.
    pub(crate) fn handle_install_snapshot(
        &mut self,
        args: InstallSnapshotArgs,
        fresh_deadline: Instant,
    ) -> InstallSnapshotReply {
        self.observe_term(args.term, fresh_deadline);
        // Step 1.
        if args.term == self.current_term {
            self.recognize_leader(fresh_deadline);
            // What is committed here is in this log or its snapshot already. A snapshot older than
            // this log's own would move the beginning of the log back.
            if args.last_included.index > self.commit_index {
                self.log.compact(args.last_included, args.data); // steps 5 to 7
                self.commit_up_to(args.last_included.index);
                info!(target: "SNAP", "{self} installs {}", args.last_included);
            }
        }
        InstallSnapshotReply { term: self.current_term }
    }

    /// What a follower answered to a snapshot; `None` if no answer came.
    pub(crate) fn handle_snapshot_reply(
        &mut self,
        from: PeerId,
        sent: &InstallSnapshotArgs,
        call: u64,
        reply: Option<&InstallSnapshotReply>,
        fresh_deadline: Instant,
    ) {
        if let Some(reply) = reply {
            self.observe_term(reply.term, fresh_deadline);
        }
        let Some(progress) = self.progress_after(from, sent.term, call) else { return };
        if reply.is_some() {
            // All that the snapshot contains is committed, so no commit index can rise by this.
            progress.confirm(sent.last_included.index);
        }
    }

    /// The request that sends the snapshot in place of entries that are gone.
    pub(crate) fn install_snapshot_request(&self, call: u64) -> Message {
        let args = InstallSnapshotArgs {
            term: self.current_term,
            last_included: self.log.last_included(),
            data: self.log.snapshot_data().to_vec(),
        };
        Message::InstallSnapshot(args, call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::{applied, follower, later, leader};

    /// A snapshot of a leader in term 3.
    fn args(index: Index, term: u64) -> InstallSnapshotArgs {
        let last_included = LogPos { index, term };
        InstallSnapshotArgs { term: 3, last_included, data: b"state".to_vec() }
    }

    #[test]
    fn snapshot_of_what_is_committed_is_ignored() {
        let mut state = applied(3, &[1, 1, 2], 2);
        state.handle_install_snapshot(args(2, 1), later());
        assert_eq!(state.log.last_included(), LogPos::default());
        assert_eq!((state.commit_index, state.last_applied), (2, 2));
    }

    #[test]
    fn newer_snapshot_replaces_the_log_and_awaits_the_applier() {
        let mut state = applied(3, &[1, 1, 1], 2);
        state.handle_install_snapshot(args(9, 2), later());
        assert_eq!(state.log.last(), LogPos { index: 9, term: 2 });
        assert_eq!((state.commit_index, state.last_applied), (9, 2));
    }

    #[test]
    fn old_leaders_snapshot_is_refused() {
        let mut state = follower(4, &[1]);
        let reply = state.handle_install_snapshot(args(9, 2), later());
        assert_eq!((reply.term, state.log.last_index()), (4, 1));
    }

    #[test]
    fn services_snapshot_trims_the_log_once() {
        let mut state = applied(2, &[1, 1, 2], 3);
        state.compact_log(2, b"two".to_vec());
        state.compact_log(1, b"one".to_vec());
        assert_eq!(state.log.last_included(), LogPos { index: 2, term: 1 });
        assert_eq!((state.log.snapshot_data(), state.log.last_index()), (&b"two"[..], 3));
    }

    #[test]
    fn answer_to_a_snapshot_moves_the_follower_past_it() {
        let mut state = leader(2, &[1, 1, 2], &[0, 0]);
        (state.commit_index, state.last_applied) = (2, 2);
        state.compact_log(2, b"two".to_vec());
        let sent = InstallSnapshotArgs { term: 2, ..args(2, 1) };
        let reply = InstallSnapshotReply { term: 2 };
        state.handle_snapshot_reply(1, &sent, 1, Some(&reply), later());
        let progress = state.progress_after(1, 2, 1).unwrap();
        assert_eq!((progress.match_index, progress.next_index), (2, 4));
    }
}
