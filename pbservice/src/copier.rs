//! The tasks that copy a primary's log: one for each backup, as long as the office lasts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use labrpc::{Instant, sleep, spawn};

use crate::replication::Message;
use crate::rpc::CopyReply;
use crate::server::{Inner, Server};
use crate::state::Epoch;
use crate::timing::{RESEND_AFTER, RESEND_DOUBLINGS, TIME_PER_MEGABYTE};

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
        let mut message = None;
        let inner = self.inner.lock();
        let inner = self.has_copies.wait_while(inner, |Inner { state, end, .. }| {
            if end.is_some() || !state.is_primary() || state.promised != epoch {
                return false;
            }
            message = state.next_message(backup, Instant::now());
            message.is_none()
        });
        drop(inner);
        message
    }
}

/// How long a task waits for the answers of its backup. Where an answer takes longer than the limit,
/// it is dropped, and to send the message again too soon only fills the link: so the limit doubles
/// until answers come in time, and stays there. Where a fraction would be enough, it is halved.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    doublings: u32,
}

impl Patience {
    /// The limit of a call with a message of this number of bytes.
    fn limit(&self, bytes: usize) -> Duration {
        let travel = TIME_PER_MEGABYTE.mul_f64(bytes as f64 / f64::from(1 << 20));
        (RESEND_AFTER + travel) * 2_u32.pow(self.doublings)
    }

    /// A call with this limit was answered after this time.
    fn note_answer(&mut self, limit: Duration, took: Duration) {
        if took < limit / 4 {
            self.doublings = self.doublings.saturating_sub(1);
        }
    }

    /// A call was not answered within its limit.
    fn note_silence(&mut self) {
        self.doublings = RESEND_DOUBLINGS.min(self.doublings + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_double_until_answers_come_in_time() {
        let mut patience = Patience::default();
        let mut limits = Vec::new();
        for _ in 0..8 {
            limits.push(patience.limit(0).as_millis());
            patience.note_silence();
        }
        assert_eq!(limits, [200, 400, 800, 1_600, 3_200, 6_400, 6_400, 6_400]);
    }

    /// A link on which an answer takes a second: the first ones come too late, and then none does.
    #[test]
    fn limits_stay_where_answers_come_in_time() {
        let mut patience = Patience::default();
        let took = Duration::from_secs(1);
        let mut late = 0;
        for _ in 0..20 {
            let limit = patience.limit(0);
            if took < limit {
                patience.note_answer(limit, took);
            } else {
                late += 1;
                patience.note_silence();
            }
        }
        assert_eq!((late, patience.limit(0)), (3, Duration::from_millis(1_600)));
        // It is fast again.
        (0..9).for_each(|_| patience.note_answer(patience.limit(0), Duration::from_millis(1)));
        assert_eq!(patience.limit(0), RESEND_AFTER);
    }

    #[test]
    fn a_long_message_is_given_the_time_that_it_takes() {
        let limit = Patience::default().limit(4 << 20);
        assert_eq!(limit, RESEND_AFTER + 4 * TIME_PER_MEGABYTE);
    }
}
