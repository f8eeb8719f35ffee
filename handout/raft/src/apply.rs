//! The apply channel: how the service learns what is committed (2B).

use labrpc::{Sender, your_code_here};

use crate::{Index, Raft, Term, state::State};

/// A message to the service.
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum ApplyMsg {
    /// 2B. A committed command. The service gets all commands in the order of the log, each once.
    Command {
        /// The index of its entry.
        index: Index,
        /// The term of its entry.
        term: Term,
        /// The bytes that were given to `start`.
        command: Vec<u8>,
    },
    /// 2D. A snapshot that this server got from the leader. It stands for all commands up to and
    /// including `index`.
    Snapshot {
        /// The index of the last of these commands.
        index: Index,
        /// The term of the last of these commands.
        term: Term,
        /// The bytes that were given to `snapshot` on some server.
        data: Vec<u8>,
    },
}

impl State {
    /// Whether the service lacks something that is committed.
    fn has_unapplied(&self) -> bool {
        self.commit_index > self.last_applied
    }

    /// 2B. Everything that is committed and that the service lacks. It counts as applied from now
    /// on.
    fn take_unapplied(&mut self) -> Vec<ApplyMsg> {
        your_code_here("State::take_unapplied", self)
    }
}

impl Raft {
    /// The task that talks to the service. There is only one, so its messages stay in order.
    ///
    /// It sleeps until `commit_index` rises. Code that changes that index must wake it:
    /// `self.shared.news.notify_one()`. The channel holds no message: `send` waits until the
    /// service receives it, and meanwhile the service may call `Raft::snapshot`. So this task holds
    /// no lock while it sends.
    pub(crate) fn run_applier(&self, service: &Sender<ApplyMsg>) {
        loop {
            let mut state = self.shared.state.lock();
            while !state.killed && !state.has_unapplied() {
                state = self.shared.news.wait(state);
            }
            if state.killed {
                return; // Drops the sender, which closes the channel.
            }
            let messages = state.take_unapplied();
            drop(state);
            for msg in messages {
                let Ok(()) = service.send(msg) else { return }; // The service has gone.
            }
        }
    }
}
