//! Times. The lecture lets servers wait "some tens of seconds" before they choose a new
//! primary; these let it serve within three.

use std::time::Duration;

/// How often a backup pings its primary.
pub(crate) const PING_INTERVAL: Duration = Duration::from_millis(100);

/// After so many pings in a row without an answer the primary is taken for dead. A network that
/// loses one request in ten and one reply in ten does that to a live primary once in ten million
/// times.
pub(crate) const MISSED_PINGS: u32 = 10;

/// How long the silence of a server must last until it is taken for dead: one second.
pub(crate) const DEAD_AFTER: Duration =
    Duration::from_millis(PING_INTERVAL.as_millis() as u64 * MISSED_PINGS as u64);

/// How long a server waits for the answers to its check. Ten times what a bad network delays a
/// message.
pub(crate) const CHECK_ROUND: Duration = Duration::from_millis(300);

/// How long the one that was chosen waits for promises until it asks again. Five times what a bad
/// network delays a message.
pub(crate) const PROMISE_ROUND: Duration = Duration::from_millis(150);

/// How often it asks before it gives up.
pub(crate) const PROMISE_TRIES: u32 = 3;

/// How long a candidate counts promises. A server that may have forgotten one waits for this long
/// before it says anything: then it does not matter any more.
pub(crate) const CANDIDACY: Duration =
    Duration::from_millis(PROMISE_ROUND.as_millis() as u64 * PROMISE_TRIES as u64);

/// A server that was chosen this often, and did not become primary, is left out of the next choice:
/// it may be linked to too few others. Often enough that a bad network is not taken for that.
pub(crate) const CHOICES_IN_VAIN: u32 = 3;

/// Pause before a server without a primary checks again: time enough for the one that was chosen to
/// win and to be heard of. To it comes a random part of [`CHECK_JITTER`].
pub(crate) const CHECK_PAUSE: Duration = Duration::from_millis(200);

/// Greatest random addition to [`CHECK_PAUSE`], so that servers do not check in step for ever.
pub(crate) const CHECK_JITTER: Duration = Duration::from_millis(100);

/// A backup that pings, but owes the primary an answer for so long, does not count for its
/// majority. Twice the time after which the program gives up a call.
pub(crate) const ANSWERS_WITHIN: Duration = Duration::from_secs(20);
