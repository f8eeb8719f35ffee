//! Ctrl-C: a flag that everything that waits looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::error::Error;

/// Whether the user wants the grader to stop. Clones are the same flag.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// A flag that Ctrl-C, SIGTERM and SIGHUP raise.
    ///
    /// # Errors
    /// If the process has such a flag already.
    pub(crate) fn on_signal() -> Result<Self, Error> {
        let interrupt = Self::default();
        let flag = Arc::clone(&interrupt.0);
        ctrlc::set_handler(move || flag.store(true, Relaxed))
            .map_err(|error| Error::Harness(format!("cannot handle Ctrl-C: {error}")))?;
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
