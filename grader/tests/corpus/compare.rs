//! Compares results with what `corpus.toml` states.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::entry::{Entry, Expected, Level, Outcome};
use crate::grading::Results;

/// A line of the table.
pub(crate) struct Row {
    id: String,
    expected: String,
    measured: String,
    /// Why nothing detects what it does.
    undetected: Option<String>,
    /// What differs.
    differences: Vec<String>,
    /// Seconds of processor time of its runs, and real seconds of its builds.
    runs: f64,
    builds: f64,
    /// Seconds of processor time for everything, on average over its grading.
    cpu: f64,
}

/// Scores differ by less than this only because of rounding.
const ROUNDING: f64 = 1e-9;

/// The rows of these results.
pub(crate) fn rows(entries: &[&Entry], results: &Results) -> Vec<Row> {
    let cpu = results.cpu_seconds / results.submissions.len().max(1) as f64;
    let row = |result: &Value| {
        let id = result["id"].as_str().expect("it has an id");
        let entry = entries.iter().find(|entry| entry.id == id);
        row(entry.unwrap_or_else(|| panic!("{id} was not submitted")), result, cpu)
    };
    results.submissions.iter().map(row).collect()
}

fn row(entry: &Entry, result: &Value, cpu: f64) -> Row {
    let level = Level::of(result["with"]["protection"].as_str().unwrap_or_default());
    let expected = &entry.expected(level);
    let measured = outcomes(result);
    let mut differences = differences(expected, &measured, result);
    if result["pending"] != false {
        differences.push("it is pending".to_string());
    }
    let seconds = |name: &str| result[name].as_f64().unwrap_or_default();
    Row {
        id: level.map_or(String::new(), |level| format!("{}: ", level.name())) + &entry.id,
        expected: stated(expected),
        measured: if measured.is_empty() { "refused".into() } else { texts(&measured) },
        undetected: entry.undetected.clone(),
        differences,
        runs: seconds("cpu_seconds"),
        builds: seconds("build_seconds"),
        cpu,
    }
}

/// The outcome of each lab; empty if the whole submission is refused.
fn outcomes(result: &Value) -> BTreeMap<String, Outcome> {
    if !result["refused"].is_null() {
        return BTreeMap::new();
    }
    let outcome = |lab: &Value| match &lab["obstacle"] {
        Value::Null => Outcome::Score(lab["score"].as_f64().unwrap_or(f64::NAN)),
        Value::String(obstacle) => Outcome::Obstacle(obstacle.replace('-', " ")),
        obstacle => Outcome::Obstacle(match obstacle["blocked-by"].as_str() {
            Some(other) => format!("blocked by {other}"),
            None => "does not compile".to_string(),
        }),
    };
    let labs = result["labs"].as_array().expect("it is a list").iter();
    labs.map(|lab| (lab["lab"].as_str().unwrap_or_default().to_string(), outcome(lab))).collect()
}

fn differences(
    expected: &Expected,
    measured: &BTreeMap<String, Outcome>,
    result: &Value,
) -> Vec<String> {
    let mut differences = Vec::new();
    for lab in
        expected.expect.keys().chain(measured.keys()).collect::<std::collections::BTreeSet<_>>()
    {
        let is_equal = match (expected.expect.get(lab), measured.get(lab)) {
            (Some(Outcome::Score(one)), Some(Outcome::Score(other))) => {
                (one - other).abs() < ROUNDING
            }
            (Some(Outcome::Obstacle(one)), Some(Outcome::Obstacle(other))) => one == other,
            _ => false,
        };
        if !is_equal {
            differences.push(format!("{lab} differs"));
        }
    }
    let said = said(result);
    for words in &expected.words {
        if !said.iter().any(|text| text.contains(&**words)) {
            differences.push(format!("nothing says '{words}' but {said:?}"));
        }
    }
    let ignored = result["ignored"].as_array().expect("it is a list");
    for file in &expected.ignored {
        if !ignored.iter().any(|ignored| ignored == file) {
            differences.push(format!("{file} is not listed as ignored"));
        }
    }
    let copies = result["copies"].as_array().expect("it is a list");
    for place in &expected.copies {
        if !copies.iter().any(|copied| copied["of"] == **place) {
            differences.push(format!("it is not listed as a copy of {place}"));
        }
    }
    differences
}

/// The reasons in a result.
fn said(result: &Value) -> Vec<String> {
    let mut said = Vec::new();
    let mut add = |value: &Value| said.extend(value.as_str().map(shortened));
    add(&result["refused"]);
    for lab in result["labs"].as_array().into_iter().flatten() {
        lab["findings"].as_array().into_iter().flatten().for_each(&mut add);
        add(&lab["obstacle"]["does-not-compile"]);
        for part in lab["parts"].as_array().into_iter().flatten() {
            for test in part["tests"].as_array().into_iter().flatten() {
                add(&test["failures"][0]["actual"]);
            }
        }
    }
    said
}

fn shortened(text: &str) -> String {
    text.chars().take(4000).collect()
}

/// The expectation for people.
fn stated(expected: &Expected) -> String {
    if expected.expect.is_empty() { "refused".to_string() } else { texts(&expected.expect) }
}

fn texts(outcomes: &BTreeMap<String, Outcome>) -> String {
    let text = |(lab, outcome): (&String, &Outcome)| match outcome {
        Outcome::Score(score) => format!("{lab} {score:.2}"),
        Outcome::Obstacle(obstacle) => format!("{lab} {obstacle}"),
    };
    outcomes.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// Prints the head of the table.
pub(crate) fn print_head() {
    println!(
        "{:<34} {:<28} {:<28} {:>8} {:>8} {:>8}",
        "id", "expected", "measured", "runs", "builds", "cpu"
    );
}

/// Prints the lines of a table, and returns the number of results that are not as expected.
pub(crate) fn print(rows: &[Row]) -> usize {
    for row in rows {
        let Row { id, expected, measured, runs, builds, cpu, .. } = row;
        println!("{id:<34} {expected:<28} {measured:<28} {runs:>8.1} {builds:>8.1} {cpu:>8.1}");
        if let Some(reason) = &row.undetected {
            println!("    not detected: {reason}");
        }
        for difference in &row.differences {
            println!("    WRONG: {difference}");
        }
    }
    rows.iter().filter(|row| !row.differences.is_empty()).count()
}
