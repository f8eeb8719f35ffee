//! Shows progress on standard error.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::grade::outputs::text::visible_line;

/// The time between two lines if standard error is not a terminal.
const INTERVAL: Duration = Duration::from_secs(10);

/// A status line that is drawn in place on a terminal; otherwise a line every few seconds.
#[derive(Debug)]
pub(crate) struct ProgressLine {
    bar: ProgressBar,
    /// When the last line was printed; `None` on a terminal.
    told: Cell<Option<Instant>>,
}

impl ProgressLine {
    pub(crate) fn new() -> Self {
        let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
        let bar =
            ProgressBar::new_spinner().with_style(style.expect("the template is well formed"));
        bar.enable_steady_tick(Duration::from_millis(250));
        let told = (!stderr().is_terminal()).then(Instant::now);
        Self { bar, told: Cell::new(told) }
    }

    /// Shows what the program is doing.
    pub(crate) fn set(&self, what: String) {
        let what = visible_line(&what); // It may contain the name of a submission.
        if let Some(told) = self.told.get()
            && told.elapsed() >= INTERVAL
        {
            eprintln!("  {what}");
            self.told.set(Some(Instant::now()));
        }
        self.bar.set_message(what);
    }

    /// Prints a warning.
    pub(crate) fn warn(&self, problem: &str) {
        self.bar.suspend(|| eprintln!("warning: {}", visible_line(problem)));
    }

    /// Prints a result.
    pub(crate) fn print(&self, result: &str) {
        self.bar.suspend(|| print(result));
    }
}

/// Prints to standard output.
pub(crate) fn print(text: &str) {
    // A closed pipe is not an error: the exit code still gives the result.
    writeln!(std::io::stdout().lock(), "{text}").ok();
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
