//! The kinds of outputs.

use clap::ValueEnum;

/// A kind of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// results.json: everything.
    Json,
    /// results.csv: a line per submission.
    Csv,
    /// A page per submission, and index.html for the staff.
    Html,
    /// junit.xml.
    Junit,
    /// gradescope.json, for exactly one submission.
    Gradescope,
}
