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
    /// Whether all its tests are [`Test::real`].
    #[serde(default)]
    pub(crate) real: bool,
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
    /// Whether its servers are processes: it runs in real time, whatever was asked for, and no seed
    /// decides its course.
    #[serde(default)]
    pub(crate) real: bool,
    /// Under how many seeds it is graded, if not as many as others.
    seeds: Option<u32>,
    /// Seconds that the reference takes: virtual ones on average, or real ones.
    pub(crate) seconds: Option<f64>,
}

/// The test target of every lab.
fn grading() -> String {
    "grading".to_string()
}

/// Under how many seeds a test is graded unless it says otherwise.
const GRADED_SEEDS: u32 = 20;

/// How often a test with processes runs when it is graded, unless it says otherwise.
const GRADED_REAL_RUNS: u32 = 3;

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

impl Entry<'_> {
    /// Whether the test's servers are processes.
    pub(crate) fn is_real(&self) -> bool {
        self.lab.real || self.test.real
    }

    /// Under how many seeds it is graded.
    pub(crate) fn seeds(&self) -> u32 {
        self.test.seeds.unwrap_or(if self.is_real() { GRADED_REAL_RUNS } else { GRADED_SEEDS })
    }
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
