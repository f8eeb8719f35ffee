//! The lint's answers to small pieces of code, and to the references.

#![allow(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod bounds;
mod constructs;
mod files;
mod macros;
mod paths;
mod processes;
mod references;

use submission::lint::{Source, check};

/// A piece of code with its name and the findings: `4 refused std::thread::spawn`.
type Row = (&'static str, &'static str, &'static [&'static str]);

/// Checks that each row's code, as `<lab>/src/lib.rs`, has exactly the row's findings.
#[track_caller]
fn check_rows(lab: &str, rows: &[Row]) {
    let mut wrong = Vec::new();
    for (name, code, expected) in rows {
        let found = findings(lab, &[("lib.rs", code)]);
        let found: Vec<&str> =
            found.iter().map(|line| line.strip_prefix("lib.rs:").unwrap_or(line)).collect();
        if found != *expected {
            wrong.push(format!("{name}\n  found    {found:?}\n  expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The findings in a lab with these files in `src`: `lib.rs:4 refused std::thread::spawn`.
fn findings(lab: &str, files: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<Source> = files
        .iter()
        .map(|(path, code)| Source {
            path: format!("{lab}/src/{path}"),
            contents: code.as_bytes().to_vec(),
        })
        .collect();
    let prefix = format!("{lab}/src/");
    let line = |finding: submission::lint::Finding| {
        let file = finding.file.strip_prefix(&prefix).unwrap_or(&finding.file);
        format!("{file}:{} {} {}", finding.line, finding.severity.word(), finding.resolved)
    };
    check(lab, &sources).into_iter().map(line).collect()
}
