//! `cargo lab explain`: explains what a test does and why it usually fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use contract::record::Exit;
use judge::catalog::Entry;
use judge::{Error, Workspace};
use serde::Deserialize;

use crate::cli::ExplainArgs;
use crate::results::stats::TestStats;
use crate::results::summary::{Summary, TestName, TestSummary};
use crate::results::{self, plan, run_dir};
use crate::select::Selection;
use crate::term::{self, BOLD, paint};

/// The maximum width of text: long lines are hard to read.
const WIDTH: usize = 100;

/// The mistakes that each test finds, in a handout. The course's own workspace has the bugs instead.
const MISTAKES: &str = "lab/mistakes.json";

/// A mistake for which a test was seen to fail.
#[derive(Deserialize)]
struct Mistake {
    /// The number of other tests that fail for it.
    others: usize,
    /// The mistake, in one sentence.
    mistake: String,
}

/// Runs the command. It builds nothing.
pub(crate) fn run(args: &ExplainArgs) -> Result<Exit, Error> {
    let workspace = Workspace::find()?;
    let catalog = workspace.catalog()?;
    let selection = Selection::new(&args.patterns);
    selection.labs(&catalog)?;
    let entries: Vec<_> =
        catalog.entries().filter(|entry| selection.includes_entry(*entry, &catalog)).collect();
    if entries.is_empty() {
        let label = selection.label();
        return Err(Error::NothingMatched(format!("'{label}' has no tests to explain")));
    }
    let mut mistakes = mistakes(&workspace)?;
    for (number, entry) in entries.into_iter().enumerate() {
        if number > 0 {
            anstream::println!();
        }
        let mistakes = mistakes.remove(&entry.test.name).unwrap_or_default();
        explain(entry, &mistakes, latest(&workspace, entry).as_ref());
    }
    Ok(Exit::Passed)
}

/// The mistakes that each test finds, by test; none outside of a handout.
fn mistakes(workspace: &Workspace) -> Result<BTreeMap<String, Vec<Mistake>>, Error> {
    let path = workspace.root().join(MISTAKES);
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
    serde_json::from_str(&text)
        .map_err(|error| Error::harness(format!("{}: {error}", path.display())))
}

/// Explains one test. `yours` is the result of its latest run.
fn explain(entry: Entry<'_>, mistakes: &[Mistake], yours: Option<&TestSummary>) {
    let Entry { lab, part, test } = entry;
    let place = format!("{}, {}: {}", lab.title, part.name, part.title);
    anstream::println!("{}  ({place})", paint(BOLD, &test.name));
    section("claim", &test.claim);
    section("script", &test.script);
    for hint in test.hints.iter().chain(&lab.hints) {
        section("cause", &hint.to_string());
    }
    for Mistake { others, mistake } in mistakes {
        let found = match others {
            0 => "Only this test finds it.".to_string(),
            1 => "This test and one other find it.".to_string(),
            _ => format!("This test and {others} others find it."),
        };
        section("mistake", &format!("{mistake} {found}"));
    }
    section("read", test.paper.as_ref().unwrap_or(&part.paper));
    let kind = if entry.is_real() { "real" } else { "virtual" };
    let reference = match test.seconds {
        Some(seconds) => format!("{seconds:.1} s of {kind} time"),
        None => "not measured".to_string(),
    };
    section("reference", &reference);
    section(
        "yours",
        &yours.map_or_else(|| "no stored run".to_string(), |yours| figures(yours, entry.is_real())),
    );
    let (graded, stress) = match entry.is_real() {
        true => (format!("graded with {} runs", entry.seeds()), 20),
        false => (format!("graded with {} seeds", entry.seeds()), 300),
    };
    section("points", &format!("{}, {graded}", test.points));
    section("run", &format!("cargo lab stress {} -n {stress}", test.name));
}

/// The figures of a student's own runs.
fn figures(test: &TestSummary, is_real: bool) -> String {
    let TestSummary { runs, failed, virtual_seconds, cpu_seconds, .. } = test;
    let (time, cpu) = (virtual_seconds.mean, cpu_seconds.mean * 1e3);
    if is_real {
        return format!("{time:.1} s of real time; {failed} of {runs} runs failed");
    }
    format!("{time:.1} s of virtual time, {cpu:.1} ms of CPU; {failed} of {runs} runs failed")
}

/// The latest result of the test, which an interrupted command has, too.
fn latest(workspace: &Workspace, entry: Entry<'_>) -> Option<TestSummary> {
    run_dir::list(&results::runs(workspace)).iter().find_map(|directory| {
        let tests = match Summary::read(directory) {
            Some(summary) => summary.tests,
            None => vec![so_far(directory, entry)],
        };
        tests.into_iter().find(|test| test.test == entry.test.name && test.runs > 0)
    })
}

/// The finished runs of the test in a directory without a summary; none if they cannot be read.
fn so_far(directory: &Path, entry: Entry<'_>) -> TestSummary {
    let Entry { lab, part, test } = entry;
    let mut stats = TestStats::default();
    plan::finished_runs(directory, |run| {
        if run.test == test.name {
            stats.add(&run);
        }
    })
    .ok(); // What it has read counts.
    let (lab, part, test) = (lab.name.clone(), part.name.clone(), test.name.clone());
    TestSummary::new(TestName { lab, part, test }, &stats)
}

/// Prints a paragraph with a word in the margin.
fn section(word: &str, text: &str) {
    let mut line = format!("  {word:<10}");
    for piece in text.split_whitespace() {
        if line.len() + 1 + piece.len() > term::width().clamp(40, WIDTH) {
            anstream::println!("{}", line.trim_end());
            line = " ".repeat(12);
        }
        if line.len() > 12 {
            line.push(' ');
        }
        line += piece;
    }
    anstream::println!("{}", line.trim_end());
}
