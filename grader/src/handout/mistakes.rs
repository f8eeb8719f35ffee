//! Which mistakes a test finds, for `cargo lab explain`: from the table of the bug bank.

use std::collections::BTreeMap;
use std::fs;

use judge::{Error, Workspace};
use serde::Serialize;

use super::contents::{Handout, Selection};

/// The table, as `cargo grader bugs --markdown` writes it.
const TABLE: &str = "bugs/README.md";

/// The file in the handout.
const MISTAKES: &str = "lab/mistakes.json";

/// The maximum number of mistakes for each test: those that the fewest other tests find.
const SHOWN: usize = 3;

/// A mistake for which a test fails.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Mistake {
    /// The number of other tests that fail for it.
    others: usize,
    /// The mistake, in one sentence.
    mistake: String,
}

/// Adds the file.
///
/// # Errors
/// If the table cannot be read.
pub(crate) fn add(
    handout: &mut Handout,
    workspace: &Workspace,
    selection: &Selection,
) -> Result<(), Error> {
    let path = workspace.root().join(TABLE);
    let table = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
    let found = found_by(&table, |lab| selection.labs.contains(lab));
    let text = serde_json::to_string_pretty(&found)
        .map_err(|error| Error::harness(format!("{MISTAKES}: {error}")))?;
    handout.insert(MISTAKES, (text + "\n").into_bytes());
    Ok(())
}

/// The mistakes that each test finds, by test. A row of the table names some of the tests that fail
/// for a bug, and has the number of the rest.
fn found_by(table: &str, is_wanted: impl Fn(&str) -> bool) -> BTreeMap<String, Vec<Mistake>> {
    let mut found: BTreeMap<String, Vec<Mistake>> = BTreeMap::new();
    for row in table.lines() {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [bug, mistake, _seeds, killers] = cells[..] else { continue };
        let Some((lab, _)) = bug.trim_matches('`').split_once('/') else { continue };
        if !is_wanted(lab) {
            continue;
        }
        let is_name = |killer: &&str| killer.starts_with('`');
        let (named, rest): (Vec<_>, Vec<_>) = killers.split(", ").partition(is_name);
        let rest = rest.iter().filter_map(|rest| rest.strip_suffix(" more")?.parse::<usize>().ok());
        let others = named.len() + rest.sum::<usize>() - usize::from(!named.is_empty());
        for test in named {
            let mistakes = found.entry(test.trim_matches('`').to_string()).or_default();
            mistakes.push(Mistake { others, mistake: mistake.to_string() });
        }
    }
    for mistakes in found.values_mut() {
        mistakes.sort();
        mistakes.truncate(SHOWN);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mistakes_that_the_fewest_tests_find_come_first() {
        let table = "\
| bug | mistake | seeds | killed by |
|---|---|---|---|
| `raft/a` | Many find it. | 1 | `x_2a`, `y_2b`, 16 more |
| `raft/b` | One finds it. | 2 | `x_2a` |
| `kvraft/c` | Of another lab. | 1 | `z_3a` |
| `raft/d` | None finds it. | - | nothing |
";
        let found = found_by(table, |lab| lab == "raft");
        let mistake = |others, mistake: &str| Mistake { others, mistake: mistake.to_string() };
        let many = || mistake(17, "Many find it.");
        let expected = BTreeMap::from([
            ("x_2a".to_string(), vec![mistake(0, "One finds it."), many()]),
            ("y_2b".to_string(), vec![many()]),
        ]);
        assert_eq!(found, expected);
    }
}
