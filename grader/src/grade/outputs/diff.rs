//! `cargo grader diff`: which scores a second grading changes.

use std::collections::{BTreeMap, BTreeSet};

use contract::record::Exit;
use judge::Error;

use super::class::Class;
use super::csv::exact;
use super::text::visible_line;
use crate::cli::DiffOptions;
use crate::grade::results::{Graded, LabResult, TestResult};
use crate::grade::scorecard::{obstacle, outcome};
use crate::progress::print;

/// A submission whose results differ.
#[derive(Debug)]
struct Difference {
    /// Its id and scores.
    what: String,
    reasons: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// If the results cannot be read.
pub(crate) fn run(options: &DiffOptions) -> Result<Exit, Error> {
    let (old, new) = (Class::read(&options.old)?, Class::read(&options.new)?);
    let differences = differences(&old, &new);
    for Difference { what, reasons } in &differences {
        print(&visible_line(what));
        reasons.iter().for_each(|reason| print(&format!("  {}", visible_line(reason))));
    }
    if old.plans() != new.plans() {
        print("note: the gradings differ in their release, seeds, labs or compiler");
    }
    let (old, new) = (old.submissions.len(), new.submissions.len());
    print(&format!("{} differ; {old} old and {new} new results", differences.len()));
    Ok(if differences.is_empty() { Exit::Passed } else { Exit::Failed })
}

/// The submissions whose results differ, in the order of their ids.
fn differences(old: &Class, new: &Class) -> Vec<Difference> {
    let by_id = |class: &'_ Class| -> BTreeMap<String, Graded> {
        class.submissions.iter().map(|graded| (graded.id.clone(), graded.clone())).collect()
    };
    let (old, new) = (by_id(old), by_id(new));
    let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let only = |id: &String, which: &str| {
        let what = format!("{id}  only in the {which} results");
        Some(Difference { what, reasons: Vec::new() })
    };
    let difference = |id: &String| match (old.get(id), new.get(id)) {
        (Some(old), Some(new)) => {
            let (what, reasons) = (change(old.score, new.score), reasons(old, new));
            let what = format!("{id}  {what}");
            let differs = is_other(old.score, new.score) || !reasons.is_empty();
            differs.then_some(Difference { what, reasons })
        }
        (Some(_), None) => only(id, "old"),
        (None, _) => only(id, "new"),
    };
    ids.into_iter().filter_map(difference).collect()
}

/// Why the results of a submission differ.
fn reasons(old: &Graded, new: &Graded) -> Vec<String> {
    let mut reasons = Vec::new();
    let state = |graded: &Graded| match (&graded.refused, graded.pending) {
        (Some(reason), _) => format!("refused: {reason}"),
        (None, true) => "pending".to_string(),
        (None, false) => "final".to_string(),
    };
    if state(old) != state(new) {
        reasons.push(format!("{} -> {}", state(old), state(new)));
    }
    let mut names: Vec<&str> = Vec::new();
    for lab in old.labs.iter().chain(&new.labs) {
        if !names.contains(&&*lab.lab) {
            names.push(&lab.lab);
        }
    }
    for name in names {
        let find = |graded: &'_ Graded| graded.labs.iter().find(|lab| lab.lab == name).cloned();
        let (old, new) = (find(old), find(new));
        let state = |lab: &Option<LabResult>| match lab {
            None => "not graded".to_string(),
            Some(lab) => lab.obstacle.as_ref().map_or("tested".to_string(), obstacle),
        };
        if state(&old) != state(&new) {
            reasons.push(format!("{name}: {} -> {}", state(&old), state(&new)));
        }
        tests(old.as_ref(), new.as_ref(), &mut reasons);
    }
    if !reasons.is_empty() && old.tree != new.tree {
        reasons.push(format!("the sources differ: {} -> {}", old.tree, new.tree));
    }
    reasons
}

/// The tests of a lab whose scores differ.
fn tests(old: Option<&LabResult>, new: Option<&LabResult>, reasons: &mut Vec<String>) {
    let all = |lab: Option<&LabResult>| -> Vec<TestResult> {
        lab.into_iter().flat_map(LabResult::tests).cloned().collect()
    };
    let (old, new) = (all(old), all(new));
    let mut names: Vec<&String> = Vec::new();
    for test in old.iter().chain(&new) {
        if !names.contains(&&test.test) {
            names.push(&test.test);
        }
    }
    for name in names {
        let find = |tests: &'_ [TestResult]| tests.iter().find(|test| test.test == *name).cloned();
        let (old, new) = (find(&old), find(&new));
        let score = |test: &Option<TestResult>| test.as_ref().map_or(0.0, |test| test.score);
        if is_other(score(&old), score(&new)) {
            let words = |test: Option<TestResult>| match test {
                Some(test) => outcome(&test),
                None => "no such test".to_string(),
            };
            let scores = change(score(&old), score(&new));
            reasons.push(format!("{name}: {scores} ({} -> {})", words(old), words(new)));
        }
    }
}

/// `12 -> 14`.
fn change(old: f64, new: f64) -> String {
    format!("{} -> {}", exact(old), exact(new))
}

/// Whether scores differ by more than the noise of binary fractions.
fn is_other(old: f64, new: f64) -> bool {
    (old - new).abs() > 1e-9
}
