//! The result of one submission as text.

use std::fmt::Write as _;

use super::outputs::text::{headline, visible_line};
use super::results::{Graded, LabResult, Obstacle, TestResult};

/// The width of the table.
const WIDTH: usize = 72;

/// The result as a table with a line per part, and the tests that lost points.
pub(crate) fn text(graded: &Graded) -> String {
    let mut text = String::new();
    if let Some(reason) = &graded.refused {
        let (id, reason) = (visible_line(&graded.id), visible_line(reason));
        writeln!(text, "{id}: refused: {reason}").ok();
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

/// Why no test of a lab ran, in one line.
pub(crate) fn obstacle(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::NotSubmitted => "not submitted".to_string(),
        Obstacle::Refused => "refused: its sources use what is not allowed".to_string(),
        Obstacle::BlockedBy(other) => format!("blocked by {other}, which it uses"),
        Obstacle::DoesNotCompile(_) => "it does not compile".to_string(),
        Obstacle::NotBuilt(_) => "the machine could not build it".to_string(),
    }
}

/// How the runs of a test went: `2 of 20 runs failed`.
pub(crate) fn outcome(test: &TestResult) -> String {
    let all = test.runs.unwrap_or(test.seeds.len());
    if all == 0 {
        return "no run".to_string();
    }
    let runs = if all == 1 { "run" } else { "runs" };
    let bad =
        [(test.failed, "failed"), (test.unknown, "inconclusive"), (test.prevented, "prevented")];
    let mut bad = bad.iter().filter(|(count, _)| *count > 0);
    let Some((count, word)) = bad.next() else { return format!("{all} of {all} {runs} passed") };
    let first = format!("{count} of {all} {runs} {word}");
    bad.fold(first, |text, (count, word)| format!("{text}, {count} {word}"))
}

/// The lines about a lab of which no test ran.
fn obstacle_lines(text: &mut String, lab: &LabResult, why: &Obstacle) {
    writeln!(text, "       {}", obstacle(why)).ok();
    match why {
        Obstacle::Refused => lab.findings.iter().for_each(|finding| {
            writeln!(text, "         {}", headline(finding)).ok();
        }),
        Obstacle::DoesNotCompile(output) | Obstacle::NotBuilt(output) => {
            output.lines().take(12).for_each(|line| {
                writeln!(text, "         {}", headline(line)).ok();
            })
        }
        Obstacle::NotSubmitted | Obstacle::BlockedBy(_) => {}
    }
}

/// A test that lost points.
fn test_lines(text: &mut String, test: &TestResult) {
    if test.failed + test.unknown + test.prevented == 0 {
        return;
    }
    let (score, points) = (number(test.score), test.points);
    writeln!(text, "       {}: {}, {score} of {points} points", test.test, outcome(test)).ok();
    if let Some(failure) = test.failures.first() {
        let (property, actual) = (headline(&failure.property), headline(&failure.actual));
        writeln!(text, "         {property}: {actual}").ok();
        writeln!(text, "         {}", visible_line(&failure.replay)).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::outputs::hostile;

    #[test]
    fn a_submission_cannot_control_the_terminal() {
        let text = text(&hostile::graded("\x1b]0;id\x07"));
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(text.contains("\\u{1b}[2J"), "{text}");
    }

    #[test]
    fn an_outcome_has_the_number_of_runs() {
        let mut test = TestResult::new("t_2a", "", 2, (0..20).collect());
        test.runs = Some(20);
        assert_eq!(outcome(&test), "20 of 20 runs passed");
        (test.failed, test.unknown, test.runs) = (5, 1, Some(9));
        assert_eq!(outcome(&test), "5 of 9 runs failed, 1 inconclusive");
        (test.failed, test.unknown, test.runs) = (0, 0, Some(0));
        assert_eq!(outcome(&test), "no run");
    }
}
