//! What the programs log, on standard error: one line for each event, and few lines for a warning that
//! repeats.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use log::{Level, Record};

use crate::given::message::{foreign, shape};

/// The number of kinds of lines that are counted. When there are more, counting starts afresh.
const KINDS: usize = 256;

/// Begins to print warnings, or what `RUST_LOG` asks for. A line that cannot be printed is lost.
pub(crate) fn start() {
    let seen = Mutex::new(Repetitions::default());
    let environment = env_logger::Env::default().default_filter_or("warn");
    env_logger::Builder::from_env(environment)
        .format(move |out, record| {
            let line = seen.lock().unwrap_or_else(PoisonError::into_inner).line(record);
            line.map_or(Ok(()), |line| print(out, &line))
        })
        .init();
}

/// Prints one line.
fn print(out: &mut impl Write, line: &str) -> io::Result<()> {
    writeln!(out, "{line}")
}

/// How many lines of each kind there were. Lines that differ in names and numbers only are of one
/// kind.
#[derive(Default)]
struct Repetitions(BTreeMap<String, u64>);

impl Repetitions {
    /// What to print for a record: of warnings and errors of a kind that repeats, only the 1st, 2nd,
    /// 4th, 8th and so on. Other lines are there because the user has asked for them, and all are
    /// printed.
    fn line(&mut self, record: &Record<'_>) -> Option<String> {
        let text = record.args().to_string();
        let line = format!("[{} {}] {}", record.level(), record.target(), foreign(&text));
        if record.level() > Level::Warn {
            return Some(line);
        }
        let kind = format!("{} {}", record.target(), shape(&text));
        if self.0.len() >= KINDS && !self.0.contains_key(&kind) {
            self.0.clear();
        }
        let count = self.0.entry(kind).or_default();
        *count += 1;
        match *count {
            1 => Some(line),
            count if count.is_power_of_two() => Some(format!("{line} (line {count} of this kind)")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_lines_are_counted() {
        let mut seen = Repetitions::default();
        let mut printed = Vec::new();
        for number in 1..=1000 {
            let text = format!("closed connection {number}");
            let other = if number == 500 { "another line" } else { &text };
            let mut record = Record::builder();
            record.level(Level::Warn).target("DROP");
            printed.extend(seen.line(&record.args(format_args!("{other}")).build()));
        }
        assert_eq!(printed.len(), 11, "{printed:?}");
        assert_eq!(printed[0], "[WARN DROP] closed connection 1");
        assert_eq!(printed[2], "[WARN DROP] closed connection 4 (line 4 of this kind)");
        assert_eq!(printed[9], "[WARN DROP] another line");
    }

    #[test]
    fn lines_that_are_no_warnings_are_all_printed() {
        let mut seen = Repetitions::default();
        for number in 1..=5 {
            let mut record = Record::builder();
            record.level(Level::Info).target("table");
            let line = seen.line(&record.args(format_args!("{number} tasks are left")).build());
            assert_eq!(line, Some(format!("[INFO table] {number} tasks are left")));
        }
    }
}
