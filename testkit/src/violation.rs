//! A broken property, as a test reports it.

use std::fmt;

use contract::recording::{Culprit, What};

/// A broken property: what should hold, and what was seen instead.
///
/// ```
/// use testkit::Violation;
///
/// let violation = Violation::new("one leader per term", "two leaders in term 4: S0 and S2")
///     .expected("one leader in term 4");
/// assert_eq!(violation.to_string(), "two leaders in term 4: S0 and S2");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The property that the assertion checks: `one leader per term`.
    pub property: String,
    /// What should have been seen, where the property alone does not say it.
    pub expected: Option<String>,
    /// What was seen; where the course's tests have a text for it, that text.
    pub actual: String,
    /// Where and when the mistake was made, as far as the test knows; for the picture of the run.
    pub culprit: Option<Box<Culprit>>,
}

impl Violation {
    /// A violation of `property`, as `actual` shows.
    pub fn new(property: impl Into<String>, actual: impl Into<String>) -> Self {
        Self { property: property.into(), expected: None, actual: actual.into(), culprit: None }
    }

    /// Adds what should have been seen.
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Adds where and when the mistake was made, which is often before a test notices it.
    pub fn culprit(mut self, culprit: Culprit) -> Self {
        self.culprit = Some(Box::new(culprit));
        self
    }

    /// The same for the recording.
    pub(crate) fn recorded(&self) -> What {
        let Self { property, actual, culprit, .. } = self.clone();
        What::Violation { property, actual, culprit: culprit.map(|culprit| *culprit) }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.actual)
    }
}

impl std::error::Error for Violation {}
