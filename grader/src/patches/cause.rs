//! Whether the report of a killed bug leads to its cause.
//!
//! A patch's header has two lines, to be written before any report is read:
//!
//! ```text
//! Property: one leader, leader per term
//! Words: votes twice, voted for
//! ```
//!
//! The first names the property that the bug breaks, the second the words by which a reader would
//! recognise the mistake. Each is a list of alternatives. An alternative occurs in a text if each of
//! its words is the beginning of a word there.

use contract::record::Failure;
use serde::Serialize;

/// The line of a description with the property that a bug breaks.
pub(crate) const PROPERTY: &str = "Property: ";
/// The line of a description with words for the mistake.
pub(crate) const WORDS: &str = "Words: ";

/// What the report of a bug should say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cause {
    property: Vec<String>,
    words: Vec<String>,
}

/// What a report says of a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Named {
    /// Whether its first line names the property.
    pub(crate) property: bool,
    /// Whether a reader would recognise the mistake.
    pub(crate) cause: bool,
}

impl Cause {
    /// What a description says of its bug: its alternatives.
    pub(crate) fn new(property: Vec<String>, words: Vec<String>) -> Self {
        Self { property, words }
    }

    /// Compares a report with it; `None` if the patch has no such lines.
    pub(crate) fn named_in(&self, reading: &Reading) -> Option<Named> {
        let Self { property, words } = self;
        let is_complete = !property.is_empty() && !words.is_empty();
        let Reading { first_line, report } = reading;
        is_complete.then(|| Named {
            property: occurs_in(property, first_line),
            cause: occurs_in(words, report),
        })
    }
}

/// What a student reads of a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Reading {
    /// The property and the first line of what was observed.
    pub(crate) first_line: String,
    /// The report with the usual causes, and without what has the same words in every report: the
    /// log of the servers, and names of tests.
    pub(crate) report: String,
}

impl Reading {
    /// What a student reads of this failure.
    pub(crate) fn new(failure: &Failure) -> Self {
        let Failure { property, actual, report } = failure;
        let actual = actual.lines().next().unwrap_or_default();
        let mut in_log = false;
        let lines = report.lines().skip(1).filter(|line| {
            let is_title = line.starts_with("  ") && !line.starts_with("   ");
            in_log = line.trim() == "last log lines" || (in_log && !is_title);
            let is_command = ["explain ", "replay ", "LAB_"];
            !in_log && !is_command.iter().any(|name| line.trim_start().starts_with(name))
        });
        let lines: Vec<&str> = lines.collect();
        Self { first_line: format!("{property}: {actual}"), report: lines.join("\n") }
    }
}

/// Whether one of the alternatives occurs in a text.
fn occurs_in(alternatives: &[String], text: &str) -> bool {
    // `next_index` is the paper's nextIndex.
    let text = text.to_lowercase().replace('_', "");
    let found: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    alternatives.iter().map(|alternative| alternative.to_lowercase()).any(|alternative| {
        let mut words = alternative.split(|c: char| !c.is_alphanumeric());
        words.all(|word| found.iter().any(|found| found.starts_with(word)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(alternatives: &[&str]) -> Vec<String> {
        alternatives.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn alternatives_are_beginnings_of_words_in_any_order() {
        let text = "At most one leader per term: two leaders in term 4";
        for (alternatives, expected) in [
            (&["one leader"][..], true),
            (&["TERM lead"], true),
            (&["commit", "most"], true),
            (&["leaders term most"], true),
            (&["one commit"], false),
            (&["eader"], false),
            (&[], false),
        ] {
            assert_eq!(occurs_in(&words(alternatives), text), expected, "{alternatives:?}");
        }
    }

    #[test]
    fn cause_needs_both_lines() {
        let reading = Reading { first_line: "a: b".to_string(), report: "c".to_string() };
        let named = |property: &[&str], cause: &[&str]| {
            Cause::new(words(property), words(cause)).named_in(&reading)
        };
        assert_eq!(named(&["b"], &[]), None);
        assert_eq!(named(&["b"], &["a"]), Some(Named { property: true, cause: false }));
        assert_eq!(named(&["c"], &["c"]), Some(Named { property: false, cause: true }));
    }
}
