//! What is known of a failed run.

use contract::property::is_unwritten;
use contract::record::Run;
use contract::story::MOST_LINES;
use serde::{Deserialize, Serialize};

use crate::grade::outputs::text::{beginning, headline, visible_line};

/// The most accidents of a smallest run that are told.
const ACCIDENTS: usize = 40;

/// The most lines of what was observed in it.
const OBSERVED: usize = 8;

/// The most characters of a line of its story.
const LINE: usize = 400;

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FailedRun {
    pub(crate) seed: u64,
    /// The policy; `None` for a test with processes.
    pub(crate) policy: Option<String>,
    /// `panic`, `hang`, ...
    pub(crate) kind: Option<String>,
    /// The property that is violated.
    pub(crate) property: String,
    /// What the test observed instead.
    pub(crate) actual: String,
    /// The full report; empty for all but the first failures of a test.
    pub(crate) report: String,
    /// The command that repeats the run.
    pub(crate) replay: String,
    /// The hash of the trace.
    pub(crate) trace_hash: String,
    /// For the first failed run of a simulated test: its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) picture: Option<Picture>,
    /// For the first failed test of a part: the smallest run that fails alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) smaller: Option<Smaller>,
}

/// The picture of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Picture {
    /// The page that shows it, relative to the directory of the results.
    Page(String),
    /// Why there is none.
    Missing(String),
}

/// What came of the search for a smaller run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Smaller {
    /// The smallest run that was found.
    Run(Smallest),
    /// Why there is none.
    Nothing(String),
}

/// A run with few accidents that breaks the same property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Smallest {
    /// The number of accidents in the run of its seed with all of them, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<usize>,
    /// The number of accidents that are left.
    pub(crate) after: usize,
    /// The first of those that are left, in order of time.
    pub(crate) accidents: Vec<Told>,
    /// What led to the failure, in order of time: accidents, what the test did, operations, messages,
    /// and lines of the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) story: Vec<Told>,
    /// Seconds of virtual time until the property broke.
    pub(crate) at: f64,
    /// The property that is violated.
    pub(crate) property: String,
    /// What the test observed instead.
    pub(crate) actual: String,
    /// The command that repeats the run.
    pub(crate) replay: String,
    /// The hash of the trace.
    pub(crate) trace_hash: String,
    /// The picture of this run.
    pub(crate) picture: Picture,
}

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Told {
    /// Seconds of virtual time since the start of the run.
    pub(crate) at: f64,
    /// What happened, as a sentence.
    pub(crate) text: String,
}

impl Smallest {
    /// What is told of a run that was made smaller; with all accidents there are `all` of them, if
    /// that is known. What the run says is data of the submission.
    pub(crate) fn new(run: &Run, all: Option<usize>, picture: Picture) -> Self {
        let told = |at: f64, text: &str| Told { at, text: beginning(&visible_line(text), LINE) };
        let accidents = run.accidents.iter().take(ACCIDENTS);
        let story = run.story.iter().take(MOST_LINES);
        let (property, actual) =
            run.failure.as_ref().map_or(("", ""), |failure| (&failure.property, &failure.actual));
        let observed: Vec<String> = actual.lines().take(OBSERVED).map(headline).collect();
        Self {
            // A run with all accidents may fail early, before most of those of the smallest run.
            before: all.filter(|all| *all >= run.accidents.len()),
            after: run.accidents.len(),
            accidents: accidents.map(|accident| told(accident.at, &accident.text)).collect(),
            story: story.map(|line| told(line.at, &line.text)).collect(),
            at: run.virtual_seconds,
            property: headline(property),
            actual: observed.join("\n"),
            replay: run.replay(),
            trace_hash: run.trace_hash.clone(),
            picture,
        }
    }
}

impl FailedRun {
    pub(super) fn new(run: &Run, has_report: bool) -> Self {
        let failure = run.failure.clone();
        let (property, actual, report) = match failure {
            Some(failure) => (failure.property, failure.actual, failure.report),
            None => (String::new(), run.reason().to_string(), String::new()),
        };
        Self {
            seed: run.seed,
            policy: run.policy.map(|policy| policy.to_string()),
            kind: run.kind.clone(),
            property,
            actual,
            report: if has_report { report } else { String::new() },
            replay: run.replay(),
            trace_hash: run.trace_hash.clone(),
            picture: None,
            smaller: None,
        }
    }

    /// Whether the run ended at a function that is still to be written.
    pub(crate) fn is_unwritten(&self) -> bool {
        is_unwritten(&self.property)
    }
}

#[cfg(test)]
mod tests {
    use contract::accidents::{Accident, AccidentId, AccidentKind};
    use contract::record::Failure;

    use super::*;

    /// A text of 10 000 characters.
    fn long(beginning: &str) -> String {
        beginning.chars().chain(std::iter::repeat('x')).take(10_000).collect()
    }

    /// A run with a thousand lines like this one, and with texts like it elsewhere.
    fn smallest(text: &str) -> Smallest {
        let mut run = Run::new("raft", "2B", "backup_2b", 7, None);
        let line = contract::story::Told { at: 0.5, text: text.to_string() };
        run.story = vec![line; 1_000];
        let (id, kind) = (AccidentId(1), AccidentKind::ReplyLost);
        run.accidents = vec![Accident { id, kind, at: 0.5, text: text.to_string() }; 1_000];
        let (property, report) = (text.to_string(), String::new());
        let actual = vec![text; 1_000].join("\n");
        run.failure = Some(Failure { property, actual, report });
        Smallest::new(&run, Some(999), Picture::Missing("none".to_string()))
    }

    #[test]
    fn what_a_submission_tells_is_cut_and_moves_no_cursor() {
        let table = [
            (long(""), "x"),
            (long("a\x1b[2Jb"), "a\\u{1b}[2Jb"),
            (long("\u{202e}b"), "\\u{202e}b"),
            (long("\u{9b}\0"), "\\u{9b}\\u{0}"),
            ("\u{202e}".repeat(10_000), "\\u{202e}\\u{202e}"),
            (long("a\n\n\tb\r\nc"), "a\\n\\n\\tb\\r\\nc"),
        ];
        for (text, begins) in table {
            let told = smallest(&text);
            let sizes = (told.story.len(), told.accidents.len(), told.actual.lines().count());
            assert_eq!(sizes, (MOST_LINES, ACCIDENTS, OBSERVED), "{begins}");
            assert_eq!((told.before, told.after), (None, 1_000));
            for Told { text, .. } in told.story.iter().chain(&told.accidents) {
                assert!(text.starts_with(begins), "{text}");
                assert_eq!(text.chars().count(), LINE + " ...".len());
            }
            let texts = told.story.iter().chain(&told.accidents).map(|told| &told.text);
            for text in texts.chain([&told.property]).map(String::as_str).chain(told.actual.lines())
            {
                assert!(text.chars().count() <= LINE + " ...".len(), "{text}");
                assert!(!text.contains(|c: char| c.is_control() || c == '\u{202e}'), "{text}");
            }
        }
    }

    #[test]
    fn a_run_that_tells_nothing_has_no_story() {
        let run = Run::new("raft", "2B", "backup_2b", 7, None);
        let told = Smallest::new(&run, Some(3), Picture::Missing("none".to_string()));
        let Smallest { before, after, story, actual, .. } = told;
        assert_eq!((before, after, story, actual), (Some(3), 0, vec![], String::new()));
    }

    #[test]
    fn an_unknown_number_of_accidents_is_left_out() {
        let run = Run::new("raft", "2B", "backup_2b", 7, None);
        let told = |all| Smallest::new(&run, all, Picture::Missing("none".to_string()));
        let json = |all| serde_json::to_value(told(all)).unwrap();
        assert_eq!(json(Some(3))["before"], 3);
        assert!(json(None).get("before").is_none());
        for all in [None, Some(3)] {
            let read: Smallest = serde_json::from_value(json(all)).unwrap();
            assert_eq!(read, told(all));
        }
    }
}
