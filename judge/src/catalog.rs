//! `labs.toml`: every lab, its parts and tests, with what they are worth and what they are about.

use std::fs;
use std::path::Path;

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
    /// What it is about.
    pub title: String,
    /// The package's test target; `lib` for its unit tests.
    #[serde(default = "grading")]
    pub target: String,
    /// Not a lab but a part of the machinery: its tests run no student code, leave no completion
    /// record, earn no points, and are judged by their exit code.
    #[serde(default)]
    pub health_check: bool,
    /// Whether all its tests are [`Test::real`].
    #[serde(default)]
    pub real: bool,
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
    /// What it is about.
    pub title: String,
    /// What to read.
    pub paper: String,
    /// Its tests, in the order in which they are best made to pass.
    #[serde(rename = "test")]
    pub tests: Vec<Test>,
}

/// One grading test.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// The function: `initial_election_2a`.
    pub name: String,
    /// What it is worth.
    pub points: u32,
    /// What a solution promises, in one line.
    pub claim: String,
    /// What the test does.
    pub story: String,
    /// Usual causes of its failure.
    #[serde(default)]
    pub hints: Vec<String>,
    /// What to read, if it is more particular than the part's.
    pub paper: Option<String>,
    /// Whether its servers are processes: it runs in real time, whatever was asked for, and no seed
    /// decides its course.
    #[serde(default)]
    pub real: bool,
    /// Under how many seeds it is graded, if not as many as others.
    seeds: Option<u32>,
    /// Seconds that the reference takes: virtual ones on average, or real ones.
    pub seconds: Option<f64>,
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

    /// Under how many seeds it is graded.
    pub fn seeds(&self) -> u32 {
        self.test.seeds.unwrap_or(if self.is_real() { GRADED_REAL_RUNS } else { GRADED_SEEDS })
    }
}

impl Catalog {
    /// Reads the catalog.
    ///
    /// # Errors
    /// If the file cannot be read or understood.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(Error::file("read", path))?;
        Self::parse(&text)
            .map_err(|problem| Error::harness(format!("{} {problem}", path.display())))
    }

    /// The catalog that `text` describes.
    ///
    /// # Errors
    /// Says what cannot be understood, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| format!("cannot be understood: {error}"))
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
