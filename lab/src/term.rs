//! What goes to a terminal: colours, its width, and the command lines that we run.

use std::hash::{BuildHasher as _, RandomState};
use std::io::{IsTerminal as _, stderr, stdout};
use std::process::Command;

use anstyle::{AnsiColor, Style};

/// Green, for what passed.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Red, for what failed.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// Yellow, for what proves nothing.
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
/// For what a reader should see first.
pub(crate) const BOLD: Style = Style::new().bold();
/// For what a reader may skip.
pub(crate) const DIM: Style = Style::new().dimmed();

/// Columns assumed where nobody tells.
const DEFAULT_WIDTH: usize = 120;

/// Text in a style. Printed with `anstream`, the style vanishes where nobody wants it.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Shows a command line that is about to run.
pub(crate) fn echo(command: &Command) {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    anstream::eprintln!("{}", paint(BOLD, format!("$ cargo {}", words.join(" "))));
}

/// Prints a remark that is not part of the result.
pub(crate) fn note(text: impl std::fmt::Display) {
    anstream::eprintln!("{} {text}", paint(DOUBTFUL, "note:"));
}

/// Columns of the terminal: `COLUMNS` if set, else what the terminal says.
pub(crate) fn width() -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let told = || rustix::termios::tcgetwinsize(stdout()).ok().map(|size| size.ws_col.into());
    asked.or_else(told).filter(|width| *width > 0).unwrap_or(DEFAULT_WIDTH)
}

/// Whether progress is drawn in place, on standard error.
pub(crate) fn is_live() -> bool {
    stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether the result is read on a terminal.
pub(crate) fn is_terminal() -> bool {
    stdout().is_terminal()
}

/// A fresh first seed, short enough to be typed.
pub(crate) fn fresh_seed() -> u64 {
    RandomState::new().hash_one(std::process::id()) % 1_000_000_000
}
