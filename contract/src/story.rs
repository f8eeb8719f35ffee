//! What led to a failure, in a few lines.

#[cfg(feature = "record")]
use serde::{Deserialize, Serialize};

/// The greatest number of lines in a story.
pub const MOST_LINES: usize = 25;

/// A line of the story of a failing run.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "record", derive(Serialize, Deserialize))]
pub struct Told {
    /// Seconds of virtual time since the start of the run.
    pub at: f64,
    /// What happened, as a sentence.
    pub text: String,
}
