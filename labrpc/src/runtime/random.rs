//! The streams of random numbers that a seed decides.

use rand_pcg::Pcg64;

/// Separate streams, so that a draw of one kind does not shift the others.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    /// Which task runs next, and interruptions.
    Schedule,
    /// Delays and losses of messages.
    Network,
    /// What `labrpc::rng` hands out.
    User,
}

/// The generator of one stream of the run with this seed.
pub(crate) fn stream(seed: u64, stream: Stream) -> Pcg64 {
    Pcg64::new(u128::from(seed) << 64 | 0x6824, stream as u128)
}
