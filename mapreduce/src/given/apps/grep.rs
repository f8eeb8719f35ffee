//! Lines that match a pattern.

use regex::Regex;

use super::indexer::distinct;
use crate::given::app::App;
use crate::given::emitter::Emitter;
use crate::given::values::Values;

/// The app `grep PATTERN`: the distinct lines that match a regular expression, each followed by the
/// files that it occurs in (MapReduce §2.3, "Distributed Grep").
#[derive(Clone, Debug)]
pub struct Grep {
    pattern: Regex,
}

impl Grep {
    /// Looks for this regular expression.
    ///
    /// # Errors
    /// If it is not a regular expression, for the user.
    pub fn new(pattern: &str) -> Result<Self, String> {
        Regex::new(pattern)
            .map(|pattern| Self { pattern })
            .map_err(|error| format!("PATTERN: {error}"))
    }
}

impl App for Grep {
    fn map(&self, file: &str, contents: &str, out: &mut Emitter<'_>) {
        let matching = contents.lines().filter(|line| self.pattern.is_match(line));
        matching.for_each(|line| out.emit(line, file));
    }

    fn reduce(&self, _line: &str, files: Values<'_>) -> String {
        distinct(files).join(",")
    }
}
