//! All times. Choose them so that the tests' limits leave room: the guide lists what is accepted.
//!
//! * How many pings must be lost before the primary counts as dead? A network that loses one message
//!   in ten must not replace a primary that is alive.
//! * How long do you wait for answers to a check, and to a request for promises?
//! * How do two servers that look for a primary at the same time get out of each other's way?
//! * When does a client ask again?

use std::time::Duration;

/// How often a server looks whether something is due.
pub const TICK: Duration = Duration::from_millis(100);
