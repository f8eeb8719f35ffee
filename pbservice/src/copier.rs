//! The tasks that copy a primary's log: one for each backup, as long as the office lasts.

use std::net::SocketAddr;
use std::sync::Arc;

use labrpc::{Instant, sleep, spawn};

use crate::given::patience::{Patience, RESEND_AFTER};
use crate::given::version::Epoch;
use crate::replication::Message;
use crate::rpc::CopyReply;
use crate::server::{Inner, Server};

impl Server {
    /// Begins to copy to all others, if this server is primary in this epoch.
    pub(crate) fn copy_to_all(self: &Arc<Self>, epoch: Epoch) {
        for backup in self.peers.others() {
            let server = Arc::clone(self);
            spawn(move || server.copy_to(backup, epoch));
        }
    }

    /// Copies to one backup: waits until it lacks something, calls, and handles the answer. What
    /// gathers during a call goes with the next one, so that many operations share it.
    fn copy_to(self: &Arc<Self>, backup: SocketAddr, epoch: Epoch) {
        let mut patience = Patience::default();
        while let Some(message) = self.await_message(backup, epoch) {
            let (limit, sent) = (patience.limit(message.size()), Instant::now());
            let reply: Option<CopyReply> = match message {
                Message::Copy(args) => self.peers.call_within(limit, backup, "Pb.Copy", args),
                Message::Install(args) => self.peers.call_within(limit, backup, "Pb.Install", args),
            };
            let now = Instant::now();
            if let Some(reply) = reply {
                patience.note_answer(limit, now - sent);
                // The loop sees the end.
                self.update(|state| state.handle_copy_reply(backup, epoch, reply, now)).ok();
            } else if now - sent >= limit {
                patience.note_silence();
            } else {
                sleep(RESEND_AFTER); // It has failed at once, perhaps.
            }
        }
    }

    /// Waits until a backup has to be sent something; `None` when this time in office is over, or
    /// the server has ended.
    fn await_message(&self, backup: SocketAddr, epoch: Epoch) -> Option<Message> {
        self.shell.wait_for(|Inner { state, .. }| {
            if !state.is_primary() || state.promised != epoch {
                return Some(None);
            }
            state.next_message(backup, Instant::now()).map(Some)
        })?
    }
}
