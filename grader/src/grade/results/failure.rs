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
    /// The number of accidents in the run of its seed with all of them.
    pub(crate) before: usize,
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
    /// What is told of a run that was made smaller; with all accidents there are `all` of them. What
    /// the run says is data of the submission.
    pub(crate) fn new(run: &Run, all: usize, picture: Picture) -> Self {
        let told = |at: f64, text: &str| Told { at, text: beginning(&visible_line(text), LINE) };
        let accidents = run.accidents.iter().take(ACCIDENTS);
        let story = run.story.iter().take(MOST_LINES);
        let (property, actual) =
            run.failure.as_ref().map_or(("", ""), |failure| (&failure.property, &failure.actual));
        let observed: Vec<String> = actual.lines().take(OBSERVED).map(headline).collect();
        Self {
            before: all.max(run.accidents.len()),
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
