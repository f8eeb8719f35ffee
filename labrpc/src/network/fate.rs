//! What becomes of a message: pure decisions from settings and random numbers.
//!
//! All delays are drawn in whole milliseconds, as in the course, except for the base latency, which
//! is ours: with it, messages of a reliable network overtake each other too.

use rand::Rng;

/// Least and greatest time that a message takes one way in a simulation, in nanoseconds. Without
/// it, a call would take no virtual time at all, and messages would never cross.
pub(crate) const BASE_LATENCY: (u64, u64) = (100_000, 1_000_000);

/// Longest extra delay of a request on an unreliable network, in milliseconds.
const JITTER_MS: u64 = 26;
/// Requests, and again replies, that an unreliable network loses, in thousandths.
const LOSS_PER_MILLE: u64 = 100;
/// Replies that long reordering holds back: the first number out of the second.
const HELD_BACK: (u64, u64) = (600, 900);
/// Shortest time for which they are held back, in milliseconds.
const HELD_BACK_MS: u64 = 200;
/// Longest addition to that, itself drawn before the addition is drawn below it.
const HELD_BACK_MORE_MS: u64 = 1_999;
/// Until a call to an unreachable server fails: less than this, in milliseconds.
const UNREACHABLE_MS: u64 = 100;
/// The same with long delays.
const LONG_UNREACHABLE_MS: u64 = 7_000;

/// The network's switches. For a call they are read once, when its request is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    /// Nothing is lost or delayed beyond the base latency.
    pub(crate) reliable: bool,
    /// A call to a server that cannot be reached takes long to fail.
    pub(crate) long_delays: bool,
    /// Most replies are held back for a long time.
    pub(crate) long_reordering: bool,
}

impl Conditions {
    /// The switches of a new network.
    pub(crate) const INITIAL: Self =
        Self { reliable: true, long_delays: false, long_reordering: false };
}

/// What becomes of a request to a server that can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestFate {
    /// Nanoseconds until it arrives, or until its loss is noticed.
    pub(crate) delay: u64,
    /// It is lost: the handler never runs.
    pub(crate) lost: bool,
}

/// What becomes of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplyFate {
    /// It is lost, although the handler ran.
    Lost,
    /// It arrives after this number of nanoseconds, if the path is still there then.
    Arrives(u64),
    /// It is held back for this number of nanoseconds, and then arrives in any case.
    HeldBack(u64),
}

/// Decides about a request: jitter first, then loss.
pub(crate) fn of_request(conditions: Conditions, rng: &mut impl Rng) -> RequestFate {
    if conditions.reliable {
        return RequestFate { delay: 0, lost: false };
    }
    let delay = millis(below(rng, JITTER_MS + 1));
    RequestFate { delay, lost: below(rng, 1_000) < LOSS_PER_MILLE }
}

/// Decides about a reply: loss first, then whether and for how long it is held back.
pub(crate) fn of_reply(conditions: Conditions, rng: &mut impl Rng) -> ReplyFate {
    if !conditions.reliable && below(rng, 1_000) < LOSS_PER_MILLE {
        return ReplyFate::Lost;
    }
    if conditions.long_reordering && below(rng, HELD_BACK.1) < HELD_BACK.0 {
        let bound = 1 + below(rng, HELD_BACK_MORE_MS + 1);
        return ReplyFate::HeldBack(millis(HELD_BACK_MS + below(rng, bound)));
    }
    ReplyFate::Arrives(0)
}

/// Nanoseconds until a call to a server that cannot be reached fails.
pub(crate) fn of_unreachable(conditions: Conditions, rng: &mut impl Rng) -> u64 {
    millis(below(rng, if conditions.long_delays { LONG_UNREACHABLE_MS } else { UNREACHABLE_MS }))
}

/// Nanoseconds that a message takes one way in a simulation.
pub(crate) fn base_latency(rng: &mut impl Rng) -> u64 {
    let (least, greatest) = BASE_LATENCY;
    least + below(rng, greatest - least + 1)
}

/// A number below `bound`, which must fit 32 bits.
fn below(rng: &mut impl Rng, bound: u64) -> u64 {
    (u64::from(rng.next_u32()) * bound) >> 32
}

/// Milliseconds in nanoseconds.
fn millis(ms: u64) -> u64 {
    ms * 1_000_000
}

#[cfg(test)]
mod tests {
    use rand_pcg::Pcg64;

    use super::*;

    /// How many draws each distribution is judged by.
    const DRAWS: usize = 200_000;

    /// The generator of all tests here.
    fn rng() -> Pcg64 {
        Pcg64::new(2022, 6824)
    }

    /// Fails unless `hits` of [`DRAWS`] is within five standard deviations of `probability`.
    fn assert_rate(hits: usize, probability: f64) {
        let n = DRAWS as f64;
        let deviation = (n * probability * (1.0 - probability)).sqrt();
        let off = (hits as f64 - n * probability).abs();
        assert!(off < 5.0 * deviation, "{hits} of {DRAWS} for probability {probability}");
    }

    /// Least, mean and greatest of some delays, in milliseconds.
    fn spread(delays: &[u64]) -> (u64, f64, u64) {
        let mean = delays.iter().sum::<u64>() as f64 / delays.len() as f64 / 1e6;
        (delays.iter().min().unwrap() / 1_000_000, mean, delays.iter().max().unwrap() / 1_000_000)
    }

    #[test]
    fn reliable_network_neither_loses_nor_delays() {
        let conditions = Conditions::INITIAL;
        for _ in 0..1_000 {
            let fate = of_request(conditions, &mut rng());
            assert_eq!(fate, RequestFate { delay: 0, lost: false });
            assert_eq!(of_reply(conditions, &mut rng()), ReplyFate::Arrives(0));
        }
    }

    #[test]
    fn unreliable_requests_are_delayed_0_to_26_ms_and_one_in_ten_is_lost() {
        let conditions = Conditions { reliable: false, ..Conditions::INITIAL };
        let mut rng = rng();
        let fates: Vec<_> = (0..DRAWS).map(|_| of_request(conditions, &mut rng)).collect();
        assert_rate(fates.iter().filter(|fate| fate.lost).count(), 0.1);
        let delays: Vec<u64> = fates.iter().map(|fate| fate.delay).collect();
        let (least, mean, greatest) = spread(&delays);
        assert_eq!((least, greatest), (0, 26));
        assert!((12.9..13.1).contains(&mean), "{mean}");
        for ms in 0..=26 {
            let hits = delays.iter().filter(|&&delay| delay == millis(ms)).count();
            assert_rate(hits, 1.0 / 27.0);
        }
    }

    #[test]
    fn unreliable_replies_are_lost_one_in_ten() {
        let conditions = Conditions { reliable: false, ..Conditions::INITIAL };
        let mut rng = rng();
        let lost = (0..DRAWS).filter(|_| of_reply(conditions, &mut rng) == ReplyFate::Lost);
        assert_rate(lost.count(), 0.1);
    }

    #[test]
    fn long_reordering_holds_two_thirds_back_for_200_to_2199_ms() {
        let conditions = Conditions { long_reordering: true, ..Conditions::INITIAL };
        let mut rng = rng();
        let delays: Vec<u64> = (0..DRAWS)
            .filter_map(|_| match of_reply(conditions, &mut rng) {
                ReplyFate::HeldBack(delay) => Some(delay),
                _ => None,
            })
            .collect();
        assert_rate(delays.len(), 2.0 / 3.0);
        let (least, mean, greatest) = spread(&delays);
        assert!((200..202).contains(&least), "{least}");
        assert!((2_100..2_200).contains(&greatest), "{greatest}");
        assert!((690.0..710.0).contains(&mean), "{mean}");
    }

    #[test]
    fn unreachable_calls_fail_within_100_ms_or_with_long_delays_7_s() {
        let mut rng = rng();
        for (long_delays, bound) in [(false, 100), (true, 7_000)] {
            let conditions = Conditions { long_delays, ..Conditions::INITIAL };
            let delays: Vec<u64> =
                (0..DRAWS).map(|_| of_unreachable(conditions, &mut rng)).collect();
            let (least, mean, greatest) = spread(&delays);
            assert_eq!((least, greatest), (0, bound - 1));
            let expected = (bound - 1) as f64 / 2.0;
            assert!((mean / expected - 1.0).abs() < 0.01, "{mean} for {expected}");
        }
    }

    #[test]
    fn base_latency_is_uniform_between_its_bounds() {
        let mut rng = rng();
        let (least, greatest) = BASE_LATENCY;
        let delays: Vec<u64> = (0..DRAWS).map(|_| base_latency(&mut rng)).collect();
        assert!(delays.iter().all(|delay| (least..=greatest).contains(delay)));
        let lower = delays.iter().filter(|&&delay| delay < (least + greatest) / 2).count();
        assert_rate(lower, 0.5);
    }
}
