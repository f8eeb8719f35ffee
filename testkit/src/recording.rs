//! Writes the recording of a run, from which a picture of it is drawn; see [`contract::recording`].

mod budget;
mod culprit;
mod cut;
mod effects;
mod story;

use std::fs;
use std::path::{Path, PathBuf};

use contract::accidents::Accident;
use contract::record::{self, Verdict};
use contract::recording::{self, End, Event, Run, VERSION, What};
use contract::settings;
use labrpc::{Outcome, Recording};

use self::budget::{Budget, Rest};
use self::cut::cut;
use crate::notes::Notes;
use crate::record::Assigned;
use crate::sim::Statistics;
use crate::test_path::TestPath;

/// The greatest size of the events, in bytes. A page has less than 5 MB with them, since they become
/// six times smaller or more: the largest of the labs' tests has 3.1 MB.
const MOST_BYTES: usize = 24_000_000;

/// How much is left of a long text that is neither an argument nor a reply: characters at its
/// beginning and at its end.
const LONG_TEXT: (usize, usize) = (200, 200);

/// The file for the recording; `None` if none is wanted.
pub(crate) fn file() -> Option<PathBuf> {
    let path = std::env::var_os(settings::RECORD)?;
    (!path.is_empty()).then(|| path.into())
}

/// Writes the recording of a run, in place of an earlier one, and adds its story to the run if it
/// has failed.
///
/// # Panics
/// If the file cannot be written, and no judge has started this process.
pub(crate) fn write(
    path: &Path,
    test_path: &TestPath,
    run: &mut record::Run,
    outcome: &mut Outcome<Statistics>,
    notes: &Notes,
) {
    let Recording { mut events, forgotten } = outcome.recording.take().unwrap_or_default();
    let last = events.last().map_or(0, |event| event.at);
    let at = last.max((run.virtual_seconds * 1e6) as u64);
    if let (Some(noticed), Err(failure)) = (&run.failure, &outcome.result) {
        culprit::add(&mut events, at, noticed, failure, notes);
    }
    add_effects(&mut events, &run.accidents);
    if let Err(failure) = &outcome.result {
        run.story = story::tell(&events, forgotten, at, failure, notes);
    }
    events.iter_mut().for_each(|event| cut_texts(&mut event.what));
    let focus = culprit::focus(&events);
    let mut budget = Budget::new(events, MOST_BYTES);
    if forgotten > 0 {
        budget.note_forgotten();
    }
    budget.keep(&focus);
    let Rest { lines, mut left_out, whole } = budget.finish(&focus);
    if forgotten > 0 {
        left_out.insert("early events".to_string(), forgotten);
    }
    let mut text = Vec::new();
    recording::push_line(
        &mut text,
        &Run {
            version: VERSION,
            test: format!("{} {}", test_path.package, test_path.path),
            lab: test_path.package.clone(),
            seed: run.seed,
            policy: run.policy.map_or("real", |policy| policy.name()).to_string(),
            only: run.only.clone(),
        },
    );
    text.extend(lines);
    recording::push_line(
        &mut text,
        &End {
            at,
            result: result(run.verdict).to_string(),
            report: run.failure.as_ref().map(|failure| failure.report.clone()),
            hash: run.trace_hash.clone(),
            left_out,
            whole,
        },
    );
    let written = fs::write(path, text);
    // A judge's verdict does not depend on it.
    if Assigned::to_this_process().is_none() {
        written
            .unwrap_or_else(|error| panic!("{}: cannot write {path:?}: {error}", settings::RECORD));
    }
}

/// Adds to the coins what they have led to, which was not known when they fell.
fn add_effects(events: &mut [Event], accidents: &[Accident]) {
    let mut accidents = accidents.iter();
    for event in events {
        if let What::Accident { id, text, .. } = &mut event.what
            && let Some(accident) = accidents.find(|accident| accident.id == *id)
        {
            text.clone_from(&accident.text);
        }
    }
}

/// How a run ended, in the words of the format.
fn result(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passed",
        Verdict::Unknown => "unknown",
        _ => "failed",
    }
}

/// Cuts the texts that have no limit of their length yet.
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
