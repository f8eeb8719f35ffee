//! The table of bugs in `bugs/README.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use judge::Error;

use super::report::{Fate, Report};

/// The maximum number of tests to name for each bug.
const NAMED: usize = 4;

/// Writes the table: each bug, its mistake, and the tests that kill it.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn write(path: &Path, report: &Report) -> Result<(), Error> {
    fs::write(path, table(report)).map_err(Error::file("write", path))
}

fn table(report: &Report) -> String {
    let mut text = String::from("| bug | mistake | seeds | killed by |\n|---|---|---|---|\n");
    for patch in &report.patches {
        let (seeds, killers) = match &patch.fate {
            Fate::Killed { seeds, kills } => {
                let names = kills.iter().take(NAMED);
                let names = names.map(|kill| format!("`{}`", kill.test));
                let more = kills.len().saturating_sub(NAMED);
                let more = (more > 0).then(|| format!("{more} more"));
                let names: Vec<String> = names.chain(more).collect();
                (seeds.to_string(), names.join(", "))
            }
            _ => ("-".to_string(), "nothing".to_string()),
        };
        let (lab, name, headline) = (&patch.lab, &patch.name, &patch.headline);
        writeln!(text, "| `{lab}/{name}` | {headline} | {seeds} | {killers} |")
            .expect("writing to a String cannot fail");
    }
    text
}
