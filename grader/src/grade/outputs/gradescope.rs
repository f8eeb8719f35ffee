//! `gradescope.json`: the file that Gradescope expects as `/autograder/results/results.json`.

use judge::Error;
use serde::Serialize;

use super::csv::rounded;
use super::junit::report;
use super::text::{beginning, visible};
use crate::grade::results::{Graded, LabResult, Obstacle, TestResult, total};
use crate::grade::scorecard;

/// The characters of a report that are kept: Gradescope's page has all tests on it.
const LONGEST: usize = 20_000;

/// The file. All texts have the format `text`: Gradescope escapes them.
#[derive(Serialize)]
struct Results {
    /// The sum of the scores of `tests`.
    score: f64,
    output: String,
    output_format: &'static str,
    test_output_format: &'static str,
    test_name_format: &'static str,
    tests: Vec<Test>,
}

#[derive(Serialize)]
struct Test {
    name: String,
    score: f64,
    max_score: u32,
    /// `passed` or `failed`.
    status: &'static str,
    output: String,
    visibility: &'static str,
}

/// The file of a submission.
///
/// # Errors
/// Never in practice: all values can be written as JSON.
pub(super) fn text(graded: &Graded) -> Result<String, Error> {
    let mut tests = Vec::new();
    for lab in &graded.labs {
        for part in &lab.parts {
            tests.extend(part.tests.iter().map(|of| test(lab, &part.part, of)));
        }
    }
    let results = Results {
        score: rounded(total(tests.iter().map(|test| test.score))),
        output: output(graded),
        output_format: "text",
        test_output_format: "text",
        test_name_format: "text",
        tests,
    };
    let text = serde_json::to_string_pretty(&results);
    text.map(|text| text + "\n")
        .map_err(|error| Error::harness(format!("gradescope.json: {error}")))
}

fn test(lab: &LabResult, part: &str, test: &TestResult) -> Test {
    let outcome = match &lab.obstacle {
        Some(obstacle) => format!("{}: {}", lab.lab, scorecard::obstacle(obstacle)),
        None => scorecard::outcome(test),
    };
    let output = format!("{}\n{outcome}\n\n{}", test.claim, report(test));
    let has_all = test.score >= f64::from(test.points);
    Test {
        name: visible(&format!("{part} {}", test.test)),
        score: rounded(test.score),
        max_score: test.points,
        status: if has_all { "passed" } else { "failed" },
        output: shortened(&output),
        visibility: "visible",
    }
}

/// What concerns the whole submission.
fn output(graded: &Graded) -> String {
    let with = &graded.with;
    let mut lines = vec![
        format!("sources {}, course {}, release {}", graded.tree, with.version, with.release),
        format!("{}, protection: {}", with.compiler, with.protection()),
    ];
    lines.extend(graded.refused.iter().map(|reason| format!("refused: {reason}")));
    if graded.pending {
        lines.push("The score is not final: runs were prevented or inconclusive.".to_string());
    }
    lines.extend(graded.ignored.iter().map(|path| format!("not graded: {path}")));
    for lab in &graded.labs {
        lines.extend(lab.findings.iter().map(|finding| format!("{}: {finding}", lab.lab)));
        match &lab.obstacle {
            Some(Obstacle::DoesNotCompile(output)) => {
                lines.push(format!("{} does not compile:\n{output}", lab.lab));
            }
            Some(Obstacle::NotBuilt(why)) => {
                lines.push(format!("{} could not be built:\n{why}", lab.lab));
            }
            _ => {}
        }
    }
    shortened(&lines.join("\n"))
}

/// A text that Gradescope can show.
fn shortened(text: &str) -> String {
    beginning(&visible(text.trim_end()), LONGEST)
}
