//! Lines of the log whose number and text others decide.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Mutex;
use std::time::Duration;

use log::warn;

use crate::runtime::Instant;
use crate::runtime::port::unpoisoned;

/// The least time between two lines of one kind.
const INTERVAL: Duration = Duration::from_secs(10);

/// Warnings that come as often as a caller likes: the first of a kind is logged, further ones are
/// counted, and the count is logged with the next one after [`INTERVAL`].
#[derive(Debug, Default)]
pub(crate) struct Repeats(Mutex<BTreeMap<&'static str, Kind>>);

/// What is known of one kind of line.
#[derive(Debug)]
struct Kind {
    logged: Instant,
    /// Lines since then.
    left_out: u64,
}

impl Repeats {
    /// Logs a line of this kind, or counts it.
    pub(crate) fn warn(&self, kind: &'static str, line: fmt::Arguments<'_>) {
        let now = Instant::now();
        let mut kinds = unpoisoned(self.0.lock());
        let left_out = match kinds.get_mut(kind) {
            Some(known) if now - known.logged < INTERVAL => {
                known.left_out += 1;
                return;
            }
            known => known.map_or(0, |known| known.left_out),
        };
        kinds.insert(kind, Kind { logged: now, left_out: 0 });
        drop(kinds);
        match left_out {
            0 => warn!(target: "DROP", "{line}"),
            n => warn!(target: "DROP", "{line}; {n} more lines like this were left out before it"),
        }
    }
}

/// Text from the other side, fit for a line of the log: without characters that a terminal obeys,
/// and not longer than a line.
pub(crate) struct Foreign<'a>(pub(crate) &'a str);

impl fmt::Display for Foreign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 100;
        for (n, c) in self.0.chars().enumerate() {
            match c {
                _ if n == LONGEST => return write!(f, "... ({} bytes)", self.0.len()),
                ' '..='~' => f.write_char(c)?,
                _ => write!(f, "{}", c.escape_default())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_escaped_and_cut() {
        for (text, expected) in [
            ("Pb.Read", "Pb.Read".to_string()),
            ("a\x1b[2J\n'b'\\", "a\\u{1b}[2J\\n'b'\\".to_string()),
            ("\u{e9}", "\\u{e9}".to_string()),
            (&"x".repeat(100), "x".repeat(100)),
            (&"x".repeat(60_000), "x".repeat(100) + "... (60000 bytes)"),
        ] {
            assert_eq!(Foreign(text).to_string(), expected);
        }
    }
}
