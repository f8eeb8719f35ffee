//! Ctrl-C: a flag that everything that waits looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::Error;

/// Whether the user wants the grader to stop. Clones are the same flag.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// A flag that Ctrl-C, SIGTERM and SIGHUP raise.
    ///
    /// # Errors
    /// If the system refuses.
    pub(crate) fn on_signal() -> Result<Self, Error> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            flag::register(signal, Arc::clone(&interrupt.0)).map_err(|error| {
                Error::Harness(format!("cannot watch signal {signal}: {error}"))
            })?;
        }
        Ok(interrupt)
    }

    /// Goes on unless the flag is raised.
    ///
    /// # Errors
    /// If it is.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.0.load(Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }
}
