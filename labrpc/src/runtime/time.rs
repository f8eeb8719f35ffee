//! Time as tasks see it: virtual in a simulation, real on real threads.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use super::real::run;
use super::seconds::seconds;
use super::sys::current::dispatch;

/// A point in time, counted from the start of the run. The counterpart of [`std::time::Instant`].
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The present.
    pub fn now() -> Self {
        dispatch(|core| match core {
            Some(core) => {
                core.charge();
                Self(core.now())
            }
            None => Self(run::now()),
        })
    }

    /// Time since this instant; zero if it lies in the future.
    pub fn elapsed(self) -> Duration {
        Self::now() - self
    }

    /// Time from `earlier` to this instant; zero if `earlier` is later.
    pub fn duration_since(self, earlier: Instant) -> Duration {
        self - earlier
    }

    /// Nanoseconds since the start of the run.
    pub fn as_nanos(self) -> u64 {
        self.0
    }

    /// The instant `nanos` nanoseconds after the start of the run.
    pub fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    fn sub(self, duration: Duration) -> Instant {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(nanos))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", seconds(self.0))
    }
}
