//! Handing committed entries to the service, in order and each once.

use std::sync::Arc;

use labrpc::Sender;

use crate::raft::Server;
use crate::state::State;
use crate::{Index, Term};

/// What Raft tells the service through the apply channel. Used by the grading tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplyMsg {
    /// The next committed command.
    Command {
        /// Its place in the log.
        index: Index,
        /// The term in which it was received.
        term: Term,
        /// What was handed to `start`.
        command: Vec<u8>,
    },
    /// The service's state after all commands up to an index, in place of those commands.
    Snapshot {
        /// The last command that the state contains.
        index: Index,
        /// The term of that command.
        term: Term,
        /// What was handed to `snapshot` on some server.
        data: Vec<u8>,
    },
}

impl State {
    /// Figure 2, all servers: `commitIndex > lastApplied`.
    pub(crate) fn has_unapplied(&self) -> bool {
        self.last_applied < self.commit_index
    }

    /// All that is committed and not yet applied: first the snapshot, if the log begins after what
    /// was applied, then the entries. They count as applied from now on.
    pub(crate) fn take_unapplied(&mut self) -> Vec<ApplyMsg> {
        let mut messages = Vec::new();
        let included = self.log.last_included();
        if self.last_applied < included.index {
            let data = self.log.snapshot_data().to_vec();
            messages.push(ApplyMsg::Snapshot { index: included.index, term: included.term, data });
            self.last_applied = included.index;
        }
        let entries = self.log.entries_from(self.last_applied + 1);
        let count = (self.commit_index - self.last_applied) as usize;
        for (index, entry) in (self.last_applied + 1..).zip(&entries[..count]) {
            let command = entry.command.clone();
            messages.push(ApplyMsg::Command { index, term: entry.term, command });
        }
        self.last_applied = self.commit_index;
        messages
    }
}

impl Server {
    /// The one task that talks to the service, so that messages cannot overtake each other. It
    /// sends without holding the lock: the service may call `snapshot` before it takes the next
    /// message.
    pub(crate) fn apply_committed(self: &Arc<Self>, apply: &Sender<ApplyMsg>) {
        while let Some(messages) = self.wait_for_unapplied() {
            for message in messages {
                if apply.send(message).is_err() {
                    return; // The service is gone.
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::{applied, follower};

    /// The indices of some messages; snapshots are negative.
    fn indices(messages: &[ApplyMsg]) -> Vec<i64> {
        let index = |message: &ApplyMsg| match message {
            ApplyMsg::Command { index, .. } => *index as i64,
            ApplyMsg::Snapshot { index, .. } => -(*index as i64),
        };
        messages.iter().map(index).collect()
    }

    #[test]
    fn commands_come_in_order_and_once() {
        let mut state = follower(1, &[1, 1, 1, 1]);
        state.commit_up_to(2);
        assert_eq!(indices(&state.take_unapplied()), [1, 2]);
        state.commit_up_to(3);
        assert_eq!(indices(&state.take_unapplied()), [3]);
        assert_eq!(indices(&state.take_unapplied()), Vec::<i64>::new());
    }

    #[test]
    fn installed_snapshot_comes_before_the_commands_after_it() {
        let mut state = applied(1, &[1, 1, 1, 1], 1);
        state.log.compact(crate::log::LogPos { index: 3, term: 1 }, b"three".to_vec());
        state.commit_up_to(4);
        assert_eq!(indices(&state.take_unapplied()), [-3, 4]);
    }
}
