//! The tasks that copy a primary's log: one for each backup, as long as the office lasts.

use std::net::SocketAddr;
use std::sync::Arc;

use labrpc::{Instant, encode, sleep, spawn};

use crate::given::patience::{Patience, RESEND_AFTER};
use crate::given::record::Record;
use crate::given::snapshot::Snapshot;
use crate::given::version::Epoch;
use crate::pieces::PIECE;
use crate::replication::Message;
use crate::rpc::{CopyReply, InstallArgs, InstallName, PieceArgs, PieceReply};
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
        self.shell.wait_for(move |Inner { state, .. }| {
            if !state.is_primary() || state.promised != epoch {
                return Some(None);
            }
            state.next_message(backup, Instant::now()).map(Some)
        })?
    }

    /// Sends a snapshot; returns the backup's answer. `None` if there is none, or the snapshot is
    /// not wanted any more.
    fn send_pieces(
        &self,
        backup: SocketAddr,
        args: InstallArgs,
        patience: &mut Patience,
    ) -> Option<CopyReply> {
        let InstallArgs { epoch, primary, snapshot: Snapshot { last, table }, repairs } = args;
        let (name, whole) = (InstallName { epoch, primary, last, repairs }, encode(&table));
        drop(table);
        let mut offset = 0;
        while self.update(|state| state.is_installing(backup, epoch, Instant::now())) == Ok(true) {
            let rest = &whole[offset..];
            let bytes = rest[..rest.len().min(PIECE)].to_vec();
            // With the last piece comes the work for all of them.
            let cost = if bytes.len() == rest.len() { whole.len() } else { bytes.len() };
            let (length, begin) = (whole.len() as u64, offset as u64);
            let piece = PieceArgs { name, length, offset: begin, bytes };
            let call = |limit| self.peers.call_within(limit, backup, "Pb.Install", piece);
            match patience.call(cost, call) {
                None => {}
                Some(PieceReply::Whole(reply)) => return Some(reply),
                Some(PieceReply::Has(next)) if next > begin && next < length => {
                    self.update(|state| state.note_piece(backup, Instant::now())).ok()?;
                    offset = next as usize;
                }
                Some(PieceReply::Has(_)) => {
                    sleep(RESEND_AFTER);
                    return None;
                }
            }
        }
        None
    }
}
