//! How long the answer to a message is waited for, until the message is sent again.

use std::time::Duration;

use labrpc::{Instant, sleep};

/// A primary waits this time for the answer of a backup, and [`TIME_PER_MEGABYTE`] of what was sent,
/// before it sends again; also after a call that has failed sooner. Twice the ping interval. Where
/// that is not enough, to send more would only fill the link, so it [doubles](Patience).
pub(crate) const RESEND_AFTER: Duration = Duration::from_millis(200);

/// What a slow link takes for a megabyte.
const TIME_PER_MEGABYTE: Duration = Duration::from_secs(1);

/// How often that doubles at most: to more than six seconds for a short message.
const RESEND_DOUBLINGS: u32 = 5;

/// How long a task waits for the answers of its backup. Where an answer takes longer than the limit,
/// it is dropped, and to send the message again too soon only fills the link: so the limit doubles
/// until answers come in time, and stays there. Where a fraction would be enough, it is halved.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    doublings: u32,
}

impl Patience {
    /// Calls with a message of this number of bytes; returns the answer. If there is none, the call
    /// may be repeated at once.
    pub(crate) fn call<R>(
        &mut self,
        bytes: usize,
        call: impl FnOnce(Duration) -> Option<R>,
    ) -> Option<R> {
        let (limit, sent) = (self.limit(bytes), Instant::now());
        let reply = call(limit);
        let took = Instant::now() - sent;
        if reply.is_some() {
            self.note_answer(limit, took);
        } else if took >= limit {
            self.note_silence();
        } else {
            sleep(RESEND_AFTER); // It has failed at once, perhaps.
        }
        reply
    }

    /// The limit of a call with a message of this number of bytes.
    pub(crate) fn limit(&self, bytes: usize) -> Duration {
        let travel = TIME_PER_MEGABYTE.mul_f64(bytes as f64 / f64::from(1 << 20));
        (RESEND_AFTER + travel) * 2_u32.pow(self.doublings)
    }

    /// A call with this limit was answered after this time.
    pub(crate) fn note_answer(&mut self, limit: Duration, took: Duration) {
        if took < limit / 4 {
            self.doublings = self.doublings.saturating_sub(1);
        }
    }

    /// A call was not answered within its limit.
    pub(crate) fn note_silence(&mut self) {
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
