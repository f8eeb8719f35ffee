//! Writes the recording of a run, from which a picture of it is drawn; see [`contract::recording`].

mod budget;
mod cut;
mod effects;

use std::fs;
use std::path::{Path, PathBuf};

use contract::record::{self, Verdict};
use contract::recording::{self, Culprit, End, Event, Run, VERSION, What};
use contract::settings;
use labrpc::Recording;

use self::budget::Budget;
use self::cut::cut;
use crate::record::Assigned;
use crate::test_path::TestPath;

/// The greatest size of the events, in bytes: a page with them has less than 5 MB.
const MOST_BYTES: usize = 4_000_000;

/// How much is left of a long text that is neither an argument nor a reply: characters at its
/// beginning and at its end.
const LONG_TEXT: (usize, usize) = (200, 200);

/// The file for the recording; `None` if none is wanted.
pub(crate) fn file() -> Option<PathBuf> {
    if Assigned::to_this_process().is_some() {
        return None;
    }
    let path = std::env::var_os(settings::RECORD)?;
    (!path.is_empty()).then(|| path.into())
}

/// Writes the recording of a run, in place of an earlier one.
///
/// # Panics
/// If the file cannot be written.
pub(crate) fn write(
    path: &Path,
    test_path: &TestPath,
    run: &record::Run,
    recording: Option<Recording>,
) {
    let Recording { mut events, forgotten } = recording.unwrap_or_default();
    let last = events.last().map_or(0, |event| event.at);
    let at = last.max((run.virtual_seconds * 1e6) as u64);
    events.extend(unnoticed(run, at, &events));
    events.iter_mut().for_each(|event| cut_texts(&mut event.what));
    let focus = focus(&events);
    let mut budget = Budget::new(events, MOST_BYTES);
    budget.keep(&focus);
    let (lines, mut left_out) = budget.finish();
    if forgotten > 0 {
        left_out.insert("early events".to_string(), forgotten);
    }
    let begin = recording::line(&Run {
        version: VERSION,
        test: format!("{} {}", test_path.package, test_path.path),
        lab: test_path.package.clone(),
        seed: run.seed,
        policy: run.policy.map_or("real", |policy| policy.name()).to_string(),
    });
    let end = recording::line(&End {
        at,
        result: result(run.verdict).to_string(),
        report: run.failure.as_ref().map(|failure| failure.report.clone()),
        hash: run.trace_hash.clone(),
        left_out,
    });
    fs::write(path, [begin, lines, end].concat())
        .unwrap_or_else(|error| panic!("{}: cannot write {path:?}: {error}", settings::RECORD));
}

/// How a run ended, in the words of the format.
fn result(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passed",
        Verdict::Unknown => "unknown",
        _ => "failed",
    }
}

/// The violation of a failing run that no test has noticed, but the runtime: a panic or a deadlock,
/// for instance.
fn unnoticed(run: &record::Run, at: u64, events: &[Event]) -> Option<Event> {
    let failure = run.failure.as_ref()?;
    if events.iter().any(|event| matches!(event.what, What::Violation { .. })) {
        return None;
    }
    let what = What::Violation {
        property: failure.property.clone(),
        actual: failure.actual.clone(),
        culprit: Some(Culprit { at: Some(at), ..Culprit::default() }),
    };
    Some(Event { at, task: 0, node: "test".to_string(), what })
}

/// Cuts texts whose length nobody limits.
fn cut_texts(what: &mut What) {
    let (head, tail) = LONG_TEXT;
    match what {
        What::Log { text, .. } | What::Note { text } | What::Complete { text, .. } => {
            cut(text, head, tail);
        }
        What::Begin { text, key, .. } => {
            cut(text, head, tail);
            if let Some(key) = key {
                cut(key, head, tail);
            }
        }
        _ => {}
    }
}

/// The events that matter most: the end, the violation, and what the culprit did.
fn focus(events: &[Event]) -> Vec<usize> {
    let mut focus = vec![events.len()];
    for (index, event) in events.iter().enumerate() {
        let What::Violation { culprit, .. } = &event.what else { continue };
        focus.push(index);
        let Some(Culprit { at, operations, .. }) = culprit else { continue };
        focus.extend(at.map(|at| events.partition_point(|event| event.at < at)));
        let is_guilty = |event: &Event| match event.what {
            What::Begin { operation, .. } | What::Complete { operation, .. } => {
                operations.contains(&operation)
            }
            _ => false,
        };
        let guilty = events.iter().enumerate().filter(|(_, event)| is_guilty(event));
        focus.extend(guilty.map(|(index, _)| index));
    }
    focus
}
