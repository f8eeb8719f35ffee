//! The result of one submission as text.

use std::fmt::Write as _;

use super::results::{Graded, LabResult, Obstacle, TestResult};

/// The width of the table.
const WIDTH: usize = 72;

/// The result as a table with a line per part, and the tests that lost points.
pub(crate) fn text(graded: &Graded) -> String {
    let mut text = String::new();
    if let Some(reason) = &graded.refused {
        writeln!(text, "{}: refused: {reason}", graded.id).ok();
        return text;
    }
    for lab in &graded.labs {
        row(&mut text, &lab.title, &count(lab.tests()), lab.score, lab.points);
        match &lab.obstacle {
            Some(obstacle) => obstacle_lines(&mut text, lab, obstacle),
            None => {
                for part in &lab.parts {
                    let title = format!("  {:<4} {}", part.part, part.title);
                    row(&mut text, &title, &count(part.tests.iter()), part.score, part.points);
                    part.tests.iter().for_each(|test| test_lines(&mut text, test));
                }
            }
        }
    }
    row(&mut text, "Total", "", graded.score, graded.points);
    if graded.pending {
        text += "Some runs were prevented or inconclusive: the score is not final.\n";
    }
    text
}

/// One row of the table.
fn row(text: &mut String, title: &str, tests: &str, score: f64, points: u32) {
    let width = WIDTH - 24;
    writeln!(text, "{title:<width$} {tests:>9}  {:>5} / {points:<3}", number(score)).ok();
}

/// `10/12`: the number of tests without a failed run, of all.
fn count<'a>(tests: impl Iterator<Item = &'a TestResult>) -> String {
    let (mut clean, mut all) = (0, 0);
    for test in tests {
        clean += usize::from(test.failed == 0 && test.unknown == 0 && test.prevented == 0);
        all += 1;
    }
    if all == 0 { String::new() } else { format!("{clean}/{all}") }
}

/// A score with at most one decimal.
pub(crate) fn number(score: f64) -> String {
    let rounded = (score * 10.0).round() / 10.0;
    if rounded.fract() == 0.0 { format!("{rounded:.0}") } else { format!("{rounded:.1}") }
}

/// Why no test of a lab ran.
fn obstacle_lines(text: &mut String, lab: &LabResult, obstacle: &Obstacle) {
    let line = match obstacle {
        Obstacle::NotSubmitted => "not submitted".to_string(),
        Obstacle::Refused => "refused: its sources use what is not allowed".to_string(),
        Obstacle::BlockedBy(other) => format!("blocked by {other}, which it uses"),
        Obstacle::DoesNotCompile(_) => "it does not compile".to_string(),
    };
    writeln!(text, "       {line}").ok();
    match obstacle {
        Obstacle::Refused => lab.findings.iter().for_each(|finding| {
            writeln!(text, "         {finding}").ok();
        }),
        Obstacle::DoesNotCompile(output) => output.lines().take(12).for_each(|line| {
            writeln!(text, "         {line}").ok();
        }),
        Obstacle::NotSubmitted | Obstacle::BlockedBy(_) => {}
    }
}

/// A test that lost points.
fn test_lines(text: &mut String, test: &TestResult) {
    let all = test.seeds.len();
    if test.failed + test.unknown + test.prevented == 0 {
        return;
    }
    let (score, points) = (number(test.score), test.points);
    let mut what = Vec::new();
    for (count, word) in
        [(test.failed, "failed"), (test.unknown, "inconclusive"), (test.prevented, "not run")]
    {
        if count > 0 {
            what.push(format!("{word} {count} of {all}"));
        }
    }
    writeln!(text, "       {}: {}, {score} of {points} points", test.test, what.join(", ")).ok();
    if let Some(failure) = test.failures.first() {
        let actual = failure.actual.lines().next().unwrap_or_default();
        writeln!(text, "         {}: {actual}", failure.property).ok();
        writeln!(text, "         {}", failure.replay).ok();
    }
}
