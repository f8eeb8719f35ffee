//! Output to a terminal: colours, width, and the command lines that the program runs.

use std::hash::{BuildHasher as _, RandomState};
use std::io::{IsTerminal as _, stderr, stdout};
use std::process::Command;

use anstyle::{AnsiColor, Style};
use contract::record::{Failure, Run};

/// Green, for what passed.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Red, for what failed.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// Yellow, for inconclusive results.
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
/// For what a reader should see first.
pub(crate) const BOLD: Style = Style::new().bold();
/// For what a reader may skip.
pub(crate) const DIM: Style = Style::new().dimmed();

/// Columns to assume if the terminal does not report its width.
const DEFAULT_WIDTH: usize = 120;

/// Text in a style. `anstream` removes the style if the output is not a terminal.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Shows a command line that is about to run.
pub(crate) fn echo(command: &Command) {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    anstream::eprintln!("{}", paint(BOLD, format!("$ cargo {}", words.join(" "))));
}

/// Prints a note that is not part of the result.
pub(crate) fn note(text: impl std::fmt::Display) {
    anstream::eprintln!("{} {text}", paint(DOUBTFUL, "note:"));
}

/// Names the command that looks for the accidents behind a failure, if they can be chosen.
pub(crate) fn suggest_shrinking(run: &Run) {
    let is_unwritten = run.failure.as_ref().is_none_or(Failure::is_unwritten);
    if run.is_replayable() && run.only.is_none() && !is_unwritten {
        anstream::println!("  shrink    cargo lab shrink {} {}", run.test, run.seed_and_policy());
    }
}

/// Columns of the terminal: `COLUMNS` if set, else the width that the terminal reports.
pub(crate) fn width() -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let told = || rustix::termios::tcgetwinsize(stdout()).ok().map(|size| size.ws_col.into());
    asked.or_else(told).filter(|width| *width > 0).unwrap_or(DEFAULT_WIDTH)
}

/// Whether standard error is a terminal on which progress is drawn in place.
pub(crate) fn is_live() -> bool {
    stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether standard output is a terminal.
pub(crate) fn is_terminal() -> bool {
    stdout().is_terminal()
}

/// A new random first seed, short enough to type.
pub(crate) fn fresh_seed() -> u64 {
    RandomState::new().hash_one(std::process::id()) % 1_000_000_000
}
