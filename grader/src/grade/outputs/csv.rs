//! `results.csv`: a line per submission.

use std::collections::BTreeMap;

use super::class::Class;
use super::shared::Group;
use super::statistics::flags;
use super::text::{beginning, visible};
use crate::grade::results::Graded;

/// A spreadsheet takes a cell that begins with one of these for a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The number of characters of the flags: a spreadsheet has a limit.
const FLAGS: usize = 2000;

/// The file.
pub(super) fn text(class: &Class) -> String {
    let columns = columns(class);
    let groups = Group::all(class);
    let mut head = vec!["id", "tree", "total"];
    head.extend(columns.iter().map(|column| &**column));
    head.extend(["points", "pending", "flags"]);
    let mut text = line(head.into_iter().map(str::to_string));
    for graded in &class.submissions {
        let scores = scores(graded);
        let score = |name: &String| scores.get(name).map_or(String::new(), |score| exact(*score));
        let mut cells = vec![graded.id.clone(), graded.tree.clone()];
        cells.push(exact(graded.score));
        cells.extend(columns.iter().map(score));
        cells.push(graded.points.to_string());
        cells.push(if graded.pending { "yes" } else { "no" }.to_string());
        let mut flags = flags(graded);
        flags.extend(Group::words(&groups, graded));
        cells.push(beginning(&flags.join("; "), FLAGS));
        text += &line(cells.into_iter());
    }
    text
}

/// The columns for labs and parts, in the order of the course.
fn columns(class: &Class) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for lab in class.submissions.iter().flat_map(|graded| &graded.labs) {
        let parts = lab.parts.iter().map(|part| format!("{} {}", lab.lab, part.part));
        for name in [lab.lab.clone()].into_iter().chain(parts) {
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
    }
    columns
}

/// The scores by the name of their column.
fn scores(graded: &Graded) -> BTreeMap<String, f64> {
    let mut scores = BTreeMap::new();
    for lab in &graded.labs {
        scores.insert(lab.lab.clone(), lab.score);
        for part in &lab.parts {
            scores.insert(format!("{} {}", lab.lab, part.part), part.score);
        }
    }
    scores
}

/// A score without the noise of binary fractions.
pub(super) fn exact(score: f64) -> String {
    rounded(score).to_string()
}

/// The nearest score with four decimals.
pub(super) fn rounded(score: f64) -> f64 {
    (score * 1e4).round() / 1e4
}

/// A line, as RFC 4180 defines it.
fn line(cells: impl Iterator<Item = String>) -> String {
    cells.map(|text| cell(&text)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// A cell that a spreadsheet shows, but does not evaluate.
fn cell(text: &str) -> String {
    let apostrophe = if text.starts_with(FORMULA) { "'" } else { "" };
    let text = format!("{apostrophe}{}", visible(text));
    match text.contains([',', '"', '\n', ';']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_not_evaluated() {
        assert_eq!(
            cell("=HYPERLINK(\"http://x\",\"y\")"),
            "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""
        );
        for text in ["+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert!(cell(text).starts_with('\''), "{text:?}");
        }
        assert_eq!(cell("\x1b[31m\0"), "\\u{1b}[31m\\u{0}");
        assert_eq!(cell("alice"), "alice");
        assert_eq!(cell("a,b\n"), "\"a,b\n\"");
    }

    #[test]
    fn scores_have_no_noise() {
        assert_eq!(exact(0.1 + 0.2), "0.3");
        assert_eq!(exact(12.0), "12");
    }
}
