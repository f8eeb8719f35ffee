//! What the lint reports.

use std::fmt;

/// One place in a source file that the allow list does not cover.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, relative to the root of the tree: `raft/src/raft.rs`.
    pub file: String,
    /// The line, from 1; 0 if the finding concerns the whole file.
    pub line: usize,
    /// What follows from it.
    pub severity: Severity,
    /// The path or construct as it is written.
    pub written: String,
    /// The full path that it stands for; the same text for a construct.
    pub resolved: String,
    /// What to use instead; empty if there is no counterpart.
    pub instead: String,
}

/// What follows from a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The code escapes from the simulation or from the sandbox, or could: it is not graded.
    Refused,
    /// Unusual and harmless, or in code that only the crate's own tests compile.
    Flagged,
}

impl Severity {
    /// The word in a line of output.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Refused => "refused",
            Severity::Flagged => "flagged",
        }
    }
}

/// `raft/src/raft.rs:17: refused: t::spawn, which is std::thread::spawn (use labrpc::spawn)`. It
/// contains no control characters, even if names in the sources do.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = self.file.clone();
        if self.line > 0 {
            line += &format!(":{}", self.line);
        }
        line += &format!(": {}: {}", self.severity.word(), self.written);
        if self.resolved != self.written {
            line += &format!(", which is {}", self.resolved);
        }
        if !self.instead.is_empty() {
            line += &format!(" (use {})", self.instead);
        }
        f.write_str(&line.replace(char::is_control, "?"))
    }
}
