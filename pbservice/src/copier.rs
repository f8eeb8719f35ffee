//! The tasks that copy a primary's log: one for each backup, as long as the office lasts.

use std::net::SocketAddr;
use std::sync::Arc;

use labrpc::{Instant, spawn};

use crate::given::patience::Patience;
use crate::given::record::Record;
use crate::given::version::Epoch;
use crate::replication::Message;
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
            let reply = match message {
                Message::Copy(args) => {
                    let bytes = args.records.iter().map(Record::size).sum();
                    let call = |limit| self.peers.call_within(limit, backup, "Pb.Copy", args);
                    patience.call(bytes, call)
                }
                Message::Install(args) => self.send_pieces(backup, args, &mut patience),
            };
            if let Some(reply) = reply {
                let now = Instant::now();
                // The loop sees the end.
                self.update(|state| state.handle_copy_reply(backup, epoch, reply, now)).ok();
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
