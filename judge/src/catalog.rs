//! `labs.toml`: every lab with its parts and tests, their points and descriptions.

use std::fmt;
use std::fs;
use std::path::Path;

use contract::property::{ENDS_WITH_RECORD, NO_PANICS};
use contract::record::Failure;
use serde::Deserialize;

use crate::error::Error;

/// All labs, in the order of the course.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// The labs.
    #[serde(rename = "lab")]
    pub labs: Vec<Lab>,
}

/// One crate with grading tests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lab {
    /// The package: `raft`.
    pub name: String,
    /// Its number in the course: `2`.
    #[serde(default)]
    pub number: String,
    /// The title for people.
    pub title: String,
    /// The package's test target; `lib` for its unit tests.
    #[serde(default = "grading")]
    pub target: String,
    /// Whether it is a package of the test infrastructure instead of a lab: its tests run no
    /// student code, send no completion record, have no points, and are judged by their exit code.
    #[serde(default)]
    pub health_check: bool,
    /// Whether all its tests are [`Test::real`].
    #[serde(default)]
    pub real: bool,
    /// Usual causes of failures in any of its tests.
    #[serde(default)]
    pub hints: Vec<Hint>,
    /// Its parts, in order.
    #[serde(default, rename = "part")]
    pub parts: Vec<Part>,
}

/// One part of a lab.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// `2A`.
    pub name: String,
    /// The title for people.
    pub title: String,
    /// What to read.
    pub paper: String,
    /// Its tests, in the order in which a student should make them pass.
    #[serde(rename = "test")]
    pub tests: Vec<Test>,
}

/// One grading test.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// The function: `initial_election_2a`.
    pub name: String,
    /// Its points.
    pub points: u32,
    /// The promise of a solution, in one sentence.
    pub claim: String,
    /// What the test does.
    pub script: String,
    /// Usual causes of its failure.
    #[serde(default)]
    pub hints: Vec<Hint>,
    /// What to read, if it differs from the part's.
    pub paper: Option<String>,
    /// Whether its servers are processes: it always runs in real time, and a seed does not repeat a
    /// run.
    #[serde(default)]
    pub real: bool,
    /// The number of seeds for grading, if it differs from the default.
    seeds: Option<u32>,
    /// Seconds that the reference takes: virtual time on average, or real time.
    pub seconds: Option<f64>,
}

/// A usual cause of failures.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Hint {
    /// Of every violation that the test finds. A panic or an end of the process has other causes.
    OfAny(String),
    /// Only of failures that show certain words.
    When {
        /// The words: a part of the property, or of the first line of what was observed.
        when: String,
        /// The cause.
        cause: String,
    },
}

impl Hint {
    /// The cause, in one sentence.
    pub fn cause(&self) -> &str {
        match self {
            Hint::OfAny(cause) | Hint::When { cause, .. } => cause,
        }
    }

    /// Whether it may be the cause of a failure.
    pub fn fits(&self, Failure { property, actual, .. }: &Failure) -> bool {
        match self {
            Hint::OfAny(_) => ![NO_PANICS, ENDS_WITH_RECORD].contains(&&**property),
            Hint::When { when, .. } => {
                let observed = actual.lines().next().unwrap_or_default();
                property.contains(when) || observed.contains(when)
            }
        }
    }
}

/// The cause, with the words that it is tied to.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hint::OfAny(cause) => f.write_str(cause),
            Hint::When { when, cause } => write!(f, "{cause} (If the report says '{when}'.)"),
        }
    }
}

/// The test target of every lab.
fn grading() -> String {
    "grading".to_string()
}

/// The default number of seeds for grading a test.
const GRADED_SEEDS: u32 = 20;

/// The default number of runs for grading a test with processes.
const GRADED_REAL_RUNS: u32 = 3;

/// A test with its lab and part.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its lab.
    pub lab: &'a Lab,
    /// Its part.
    pub part: &'a Part,
    /// The test.
    pub test: &'a Test,
}

impl Entry<'_> {
    /// Whether the test's servers are processes.
    pub fn is_real(&self) -> bool {
        self.lab.real || self.test.real
    }

    /// The number of seeds for grading.
    pub fn seeds(&self) -> u32 {
        self.test.seeds.unwrap_or(if self.is_real() { GRADED_REAL_RUNS } else { GRADED_SEEDS })
    }
}

impl Catalog {
    /// Reads the catalog.
    ///
    /// # Errors
    /// If the file cannot be read or parsed.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(Error::file("read", path))?;
        Self::parse(&text)
            .map_err(|problem| Error::harness(format!("{} {problem}", path.display())))
    }

    /// Parses a catalog.
    ///
    /// # Errors
    /// If `text` cannot be parsed; the error gives the place and the reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        let catalog: Self =
            toml::from_str(text).map_err(|error| format!("cannot be parsed: {error}"))?;
        let is_empty = |hint: &&Hint| matches!(hint, Hint::When { when, .. } if when.is_empty());
        // They would fit every failure.
        if let Some(cause) = catalog.hints().find(is_empty).map(|hint| hint.cause().to_string()) {
            return Err(format!("has a hint without words for `when`: {cause}"));
        }
        Ok(catalog)
    }

    /// All usual causes.
    fn hints(&self) -> impl Iterator<Item = &Hint> {
        let of_tests = self.entries().flat_map(|entry| &entry.test.hints);
        self.labs.iter().flat_map(|lab| &lab.hints).chain(of_tests)
    }

    /// The lab with this name.
    pub fn lab(&self, name: &str) -> Option<&Lab> {
        self.labs.iter().find(|lab| lab.name == name)
    }

    /// Every test, in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.labs.iter().flat_map(|lab| {
            lab.parts
                .iter()
                .flat_map(move |part| part.tests.iter().map(move |test| Entry { lab, part, test }))
        })
    }

    /// The entry of a test.
    pub fn entry(&self, lab: &str, test: &str) -> Option<Entry<'_>> {
        self.entries().find(|entry| entry.lab.name == lab && entry.test.name == test)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hint_without_words_is_refused() {
        let catalog = |when: &str| {
            format!(
                "[[lab]]\nname = 'raft'\nnumber = '2'\ntitle = 'Raft'\n\
                 hints = [{{ when = '{when}', cause = 'x' }}]"
            )
        };
        assert!(Catalog::parse(&catalog("two leaders")).is_ok());
        let problem = Catalog::parse(&catalog("")).expect_err("it fits every failure");
        assert!(problem.contains("without words"), "{problem}");
    }

    #[test]
    fn hint_fits_words_of_the_property_or_of_the_first_line() {
        let always = Hint::OfAny(String::new());
        let when = |when: &str| Hint::When { when: when.to_string(), cause: String::new() };
        let failure = |property: &str| Failure {
            property: property.to_string(),
            actual: "two leaders in term 6\nS4@6 S1@6".to_string(),
            report: String::new(),
        };
        for (hint, property, expected) in [
            (&always, "one leader per term", true),
            (&always, NO_PANICS, false),
            (&always, ENDS_WITH_RECORD, false),
            (&when("per term"), "one leader per term", true),
            (&when("two leaders"), "one leader per term", true),
            (&when("S4@6"), "one leader per term", false),
            (&when("panics"), NO_PANICS, true),
        ] {
            assert_eq!(hint.fits(&failure(property)), expected, "{hint:?}: {property}");
        }
    }
}
