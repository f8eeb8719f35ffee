//! The end of a run's log, for the failure report.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How many lines a failure report shows.
const KEPT_LINES: usize = 40;

/// The lines of one run that the failure report shows.
#[derive(Default)]
pub(crate) struct RecentLines(Mutex<Option<VecDeque<String>>>);

impl RecentLines {
    /// Keeps lines from now on.
    pub(crate) fn keep(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(VecDeque::new());
    }

    /// Whether lines are kept.
    pub(crate) fn wanted(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Keeps a line.
    pub(crate) fn push(&self, line: String) {
        if let Some(lines) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            if lines.len() == KEPT_LINES {
                lines.pop_front();
            }
            lines.push_back(line);
        }
    }

    /// The lines kept so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().flatten().cloned().collect()
    }
}
