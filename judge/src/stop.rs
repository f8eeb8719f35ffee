//! When to stop: on a signal, or because no further result is wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::Error;

/// Two flags that everything that waits looks at. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    interrupted: Arc<AtomicBool>,
    requested: Arc<AtomicBool>,
}

impl Stop {
    /// Flags that SIGINT (Ctrl-C), SIGTERM and SIGHUP raise.
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

    /// No further result is wanted.
    pub fn request(&self) {
        self.requested.store(true, Relaxed);
    }

    /// Whether work should end, for either reason.
    pub fn is_requested(&self) -> bool {
        self.requested.load(Relaxed) || self.is_interrupted()
    }

    /// Whether a signal has arrived.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Relaxed)
    }

    /// Succeeds until a signal arrives.
    ///
    /// # Errors
    /// [`Error::Interrupted`] afterwards.
    pub fn check(&self) -> Result<(), Error> {
        if self.is_interrupted() { Err(Error::Interrupted) } else { Ok(()) }
    }
}
