//! The end of a run's log, for the failure report.

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::runtime::poison::unpoisoned;

/// How many lines a failure report shows.
const KEPT_LINES: usize = 40;

/// The lines of one run that the failure report shows.
#[derive(Default)]
pub(crate) struct RecentLines(Mutex<Option<VecDeque<String>>>);

impl RecentLines {
    /// Keeps lines from now on.
    pub(crate) fn keep(&self) {
        *unpoisoned(self.0.lock()) = Some(VecDeque::new());
    }

    /// Whether lines are kept.
    pub(crate) fn wanted(&self) -> bool {
        unpoisoned(self.0.lock()).is_some()
    }

    /// Keeps a line.
    pub(crate) fn push(&self, line: String) {
        if let Some(lines) = &mut *unpoisoned(self.0.lock()) {
            if lines.len() == KEPT_LINES {
                lines.pop_front();
            }
            lines.push_back(line);
        }
    }

    /// The lines kept so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = unpoisoned(self.0.lock());
        lines.iter().flatten().cloned().collect()
    }
}
