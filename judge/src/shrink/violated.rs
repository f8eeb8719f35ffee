//! Whether two failures violate the same property.

use contract::property::{GENERAL, without_numbers};
use contract::record::Failure;

/// What a failing run violates, without the numbers, which differ from run to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violated {
    property: String,
    /// The first line of what was observed, for a general property.
    actual: Option<String>,
}

impl Violated {
    /// What this failure violates.
    pub fn of(failure: &Failure) -> Self {
        let is_general = GENERAL.contains(&&*failure.property);
        let actual = failure.actual.lines().next().unwrap_or_default();
        Self {
            property: without_numbers(&failure.property),
            actual: is_general.then(|| without_numbers(actual)),
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::property::NO_PANICS;

    use super::*;

    /// What a failure with this property and observation violates.
    fn violated(property: &str, actual: &str) -> Violated {
        let (property, actual) = (property.to_string(), actual.to_string());
        Violated::of(&Failure { property, actual, report: String::new() })
    }

    #[test]
    fn numbers_make_no_difference() {
        let one = violated("one leader per term", "two leaders in term 6: S4@6 S1@6");
        assert_eq!(one, violated("one leader per term", "two leaders in term 17: S0@17 S1@17"));
        assert_eq!(violated("5 servers agree", ""), violated("13 servers agree", "no"));
        assert_ne!(one, violated("committed entries stay", ""));
    }

    #[test]
    fn panics_differ_by_their_message() {
        let panic = |message| violated(NO_PANICS, message);
        assert_eq!(panic("index 7 of 3\nmore"), panic("index 12 of 5"));
        assert_ne!(panic("index 7 of 3"), panic("called unwrap on None"));
    }
}
