//! The corpus: submissions of all kinds, each with the result that `corpus.toml` states.
//!
//! `cargo test` grades a few of them. All: `cargo test -p grader --test corpus -- --ignored
//! --nocapture`; with `CORPUS=TEXT` only those whose plan or id contains TEXT.

#![cfg(target_os = "linux")]

mod compare;
mod entry;
mod grading;
mod left;
mod make;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::compare::Row;
use crate::entry::{Corpus, Entry};
use crate::grading::Grading;

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is below the root")
}

/// Where the submissions and what grades them are.
fn home() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus")
}

fn corpus() -> Corpus {
    let corpus: Corpus =
        toml_edit::de::from_str(include_str!("corpus.toml")).expect("corpus.toml is valid");
    let mut ids = BTreeMap::new();
    for entry in &corpus.entry {
        let earlier = ids.insert(&entry.id, ());
        assert!(earlier.is_none(), "two entries are called {}", entry.id);
    }
    corpus
}

/// Grades the entries plan by plan, prints a table, and fails if a result is not as expected.
fn check(wanted: impl Fn(&Entry) -> bool) {
    let corpus = corpus();
    let mut rows: Vec<Row> = Vec::new();
    for (name, plan) in &corpus.plans {
        let entries = corpus.entry.iter().filter(|entry| entry.plan == *name && wanted(entry));
        let entries: Vec<&Entry> = entries.collect();
        if entries.is_empty() {
            continue;
        }
        let grading = Grading { name, plan };
        let graded = match plan.past_lint {
            true => entries.iter().map(|entry| grading.grade_as_reference(entry)).collect(),
            false => vec![grading.grade(&entries)],
        };
        for results in graded {
            let Some(results) = results else { return }; // This system grants no sandbox.
            rows.extend(compare::rows(&entries, &results));
        }
    }
    let wrong = compare::print(&rows);
    assert_eq!(wrong, 0, "{wrong} of {} results are not as corpus.toml says", rows.len());
}

#[test]
fn a_few_submissions_get_the_stated_results() {
    check(|entry| entry.quick);
}

#[test]
#[ignore = "it takes half an hour: scripts/check-full.sh runs it"]
fn all_submissions_get_the_stated_results() {
    let pattern = std::env::var("CORPUS").unwrap_or_default();
    check(|entry| entry.id.contains(&pattern) || entry.plan.contains(&pattern));
}
