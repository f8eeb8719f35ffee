//! The corpus: submissions of all kinds, each with the result that `corpus.toml` states.
//!
//! `cargo test` grades a few of them. All: `cargo test -p grader --test corpus -- --ignored
//! --nocapture`; with `CORPUS=TEXT` only those whose plan or id contains TEXT. With
//! `CORPUS_SLOTS=DIR`, DIR keeps built dependencies for the next time.
//!
//! Entries whose result depends on the protection are also graded at weaker levels. For root, the
//! two weakest need a toolchain in directories that all users can enter.

#![cfg(target_os = "linux")]

mod compare;
mod entry;
mod grading;
mod left;
mod make;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::entry::{Corpus, Entry, Level};
use crate::grading::Grading;

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is below the root")
}

/// Where the submissions and their results are.
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
    let temporary = TempDir::new().expect("temporary directories can be made");
    let slots = std::env::var_os("CORPUS_SLOTS").map(PathBuf::from);
    let slots = slots.unwrap_or_else(|| temporary.path().join("slots"));
    let (mut wrong, mut all) = (0, 0);
    compare::print_head();
    for (name, plan) in &corpus.plans {
        for level in [None].into_iter().chain(Level::ALL.map(Some)) {
            let is_stated = |entry: &Entry| level.is_none_or(|it| entry.levels.contains_key(&it));
            let entries = corpus.entry.iter().filter(|entry| entry.plan == *name);
            let entries: Vec<&Entry> =
                entries.filter(|entry| wanted(entry) && is_stated(entry)).collect();
            let grading = Grading { name, plan, slots: &slots, level };
            // A changed course is that of one entry.
            let is_changed = entries.iter().any(|entry| !entry.course.is_empty());
            let size = if is_changed { 1 } else { entries.len().max(1) };
            for entries in entries.chunks(size) {
                let Some(results) = grading.grade(entries) else { break };
                let rows = compare::rows(entries, &results);
                wrong += compare::print(&rows);
                all += rows.len();
            }
        }
    }
    assert_eq!(wrong, 0, "{wrong} of {all} results are not as corpus.toml says");
}

#[test]
fn a_few_submissions_get_the_stated_results() {
    check(|entry| entry.quick);
}

#[test]
#[ignore = "it takes about half an hour: scripts/check-full.sh runs it twice"]
fn all_submissions_get_the_stated_results() {
    let pattern = std::env::var("CORPUS").unwrap_or_default();
    check(|entry| entry.id.contains(&pattern) || entry.plan.contains(&pattern));
}

/// Makes a class of 100 submissions of Raft in the directory `CLASS`, to try out a grading of many.
/// Of those that get points, there are more than in the corpus, as in a real class.
#[test]
#[ignore = "it makes files for a trial, see grader/README.md"]
fn a_class_is_made() {
    let class = std::env::var_os("CLASS").expect("CLASS names a new directory");
    let class = PathBuf::from(class);
    std::fs::create_dir_all(&class).expect("it can be created");
    let corpus = corpus();
    let is_of_raft = |entry: &&Entry| ["checked", "flaky", "archives"].contains(&&*entry.plan);
    let all: Vec<&Entry> = corpus.entry.iter().filter(is_of_raft).collect();
    let flaky: Vec<&Entry> = all.iter().filter(|entry| entry.plan == "flaky").copied().collect();
    for number in 0..100 {
        let of = if number % 2 == 0 { &flaky } else { &all };
        let mut entry = of[number / 2 % of.len()].clone();
        entry.id = format!("{number:02}-{}", entry.id);
        if let Some(attack) = &mut entry.attack {
            attack.push_str(&format!("\npub const NUMBER: usize = {number};\n"));
        }
        make::submission(&entry, &["raft".to_string()], &class);
    }
}
