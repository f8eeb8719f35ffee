//! Tells the user what is going on.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often to tell where every message is a line of its own that stays.
const INTERVAL: Duration = Duration::from_secs(10);

/// What is going on, on standard error: a line that changes on a terminal, a line now and then
/// elsewhere.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// When a line was last printed, where there is no terminal.
    told: Cell<Option<Instant>>,
}

impl Progress {
    /// Nothing is going on yet.
    pub(crate) fn new() -> Self {
        let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
        let bar =
            ProgressBar::new_spinner().with_style(style.expect("the template is well formed"));
        bar.enable_steady_tick(Duration::from_millis(250));
        let told = (!stderr().is_terminal()).then(Instant::now);
        Self { bar, told: Cell::new(told) }
    }

    /// This is being done from now on.
    pub(crate) fn set(&self, what: String) {
        if let Some(told) = self.told.get()
            && told.elapsed() >= INTERVAL
        {
            eprintln!("  {what}");
            self.told.set(Some(Instant::now()));
        }
        self.bar.set_message(what);
    }

    /// Prints a result.
    pub(crate) fn print(&self, result: &str) {
        self.bar.suspend(|| print(result));
    }
}

/// Prints to standard output.
pub(crate) fn print(text: &str) {
    // A closed pipe is no reason to fail: the exit code still says how it went.
    writeln!(std::io::stdout().lock(), "{text}").ok();
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
