//! Stops work: on a signal, or because no further result is needed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::Error;

/// Two flags that all waiting code checks. Clones share the flags.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    interrupted: Arc<AtomicBool>,
    requested: Arc<AtomicBool>,
}

impl Stop {
    /// Flags that SIGINT (Ctrl-C), SIGTERM and SIGHUP set.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn on_signals() -> Result<Self, Error> {
        let stop = Self::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            flag::register(signal, Arc::clone(&stop.interrupted)).map_err(|error| {
                Error::harness(format!("cannot watch signal {signal}: {error}"))
            })?;
        }
        Ok(stop)
    }

    /// Flags for a part of the work: a signal stops it, too, but a request stops only that part.
    pub fn part(&self) -> Self {
        Self { interrupted: Arc::clone(&self.interrupted), requested: Arc::default() }
    }

    /// Requests a stop: no further result is needed.
    pub fn request(&self) {
        self.requested.store(true, Relaxed);
    }

    /// Whether a stop was requested or a signal has arrived.
    pub fn is_requested(&self) -> bool {
        self.requested.load(Relaxed) || self.is_interrupted()
    }

    /// Whether a signal has arrived.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Relaxed)
    }

    /// Fails after a signal has arrived.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn check(&self) -> Result<(), Error> {
        if self.is_interrupted() { Err(Error::Interrupted) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_stops_alone_or_by_a_signal() {
        let all = Stop::default();
        let part = all.part();
        part.request();
        assert!(part.is_requested() && !all.is_requested());
        all.interrupted.store(true, Relaxed);
        assert!(all.is_interrupted() && part.is_interrupted());
    }
}
