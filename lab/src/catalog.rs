//! `labs.toml`: every lab, its parts and tests, with what they are worth and what they are about.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::error::Error;

/// All labs, in the order of the course.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Catalog {
    /// The labs.
    #[serde(rename = "lab")]
    pub(crate) labs: Vec<Lab>,
}

/// One crate with grading tests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lab {
    /// The package: `raft`.
    pub(crate) name: String,
    /// Its number in the course: `2`.
    #[serde(default)]
    pub(crate) number: String,
    /// What it is about.
    pub(crate) title: String,
    /// The package's test target; `lib` for its unit tests.
    #[serde(default = "grading")]
    pub(crate) target: String,
    /// Not a lab but a part of the machinery: its tests run no student code, leave no completion
    /// record, earn no points, and are judged by their exit code.
    #[serde(default)]
    pub(crate) health_check: bool,
    /// Its parts, in order.
    #[serde(default, rename = "part")]
    pub(crate) parts: Vec<Part>,
}

/// One part of a lab.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    /// `2A`.
    pub(crate) name: String,
    /// What it is about.
    pub(crate) title: String,
    /// What to read.
    pub(crate) paper: String,
    /// Its tests, in the order in which they are best made to pass.
    #[serde(rename = "test")]
    pub(crate) tests: Vec<Test>,
}

/// One grading test.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Test {
    /// The function: `initial_election_2a`.
    pub(crate) name: String,
    /// What it is worth.
    pub(crate) points: u32,
    /// What a solution promises, in one line.
    pub(crate) claim: String,
    /// What the test does.
    pub(crate) story: String,
    /// Usual causes of its failure.
    #[serde(default)]
    pub(crate) hints: Vec<String>,
    /// What to read, if it is more particular than the part's.
    pub(crate) paper: Option<String>,
    /// Under how many seeds it is graded.
    #[serde(default = "graded_seeds")]
    pub(crate) seeds: u32,
    /// Virtual seconds that the reference takes, on average.
    pub(crate) seconds: Option<f64>,
}

/// The test target of every lab.
fn grading() -> String {
    "grading".to_string()
}

/// Under how many seeds a test is graded unless it says otherwise.
fn graded_seeds() -> u32 {
    20
}

/// A test with where it belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    /// Its lab.
    pub(crate) lab: &'a Lab,
    /// Its part.
    pub(crate) part: &'a Part,
    /// The test.
    pub(crate) test: &'a Test,
}

impl Catalog {
    /// Reads the catalog.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(Error::file("read", path))?;
        toml::from_str(&text).map_err(|error| {
            Error::harness(format!("{} cannot be understood: {error}", path.display()))
        })
    }

    /// Every test, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.labs.iter().flat_map(|lab| {
            lab.parts
                .iter()
                .flat_map(move |part| part.tests.iter().map(move |test| Entry { lab, part, test }))
        })
    }

    /// The entry of a test.
    pub(crate) fn entry(&self, lab: &str, test: &str) -> Option<Entry<'_>> {
        self.entries().find(|entry| entry.lab.name == lab && entry.test.name == test)
    }
}
