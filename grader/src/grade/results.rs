//! Scores from runs, and the results of grading: the schema of `results.json`.

mod failure;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use contract::record::{Run, Verdict};
use judge::Error;
use serde::{Deserialize, Serialize};

#[cfg(test)]
pub(crate) use self::failure::Told;
pub(crate) use self::failure::{FailedRun, Picture, Smaller, Smallest};

/// Incremented when a field changes its meaning or is removed.
pub(crate) const VERSION: u32 = 1;

/// How much of a test's points a failed run costs, in units of points per run: a test that fails in
/// a quarter of its runs has no points left.
const PRICE: f64 = 4.0;

/// The number of failures of a test whose report is kept.
const REPORTS: usize = 3;

/// The result of one submission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Graded {
    /// The version of this schema.
    pub(crate) schema: u32,
    /// The name of the submission's directory or archive.
    pub(crate) id: String,
    /// A hash of the submitted sources.
    pub(crate) tree: String,
    /// What was graded with what: a submission with the same key need not be graded again.
    pub(crate) key: String,
    /// Where the tests come from and what ran them.
    pub(crate) with: Circumstances,
    /// The sum of the labs' scores.
    pub(crate) score: f64,
    /// The sum of the labs' points.
    pub(crate) points: u32,
    /// Whether a part of the result needs a person's look: the machine had a problem, or too many
    /// runs are inconclusive.
    pub(crate) pending: bool,
    /// Why the whole submission was refused: for instance, its archive is not valid.
    pub(crate) refused: Option<String>,
    /// Submitted files that are not graded.
    pub(crate) ignored: Vec<String>,
    /// A hash of each file without comments and layout. Short files, and those that the handout has,
    /// are not in it.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// Files that the course has, too: in the reference, in a variant, or from an earlier term. For
    /// the staff.
    #[serde(default)]
    pub(crate) copies: Vec<Copied>,
    /// Seconds of processor time of all runs.
    pub(crate) cpu_seconds: f64,
    /// Seconds of real time of all builds.
    pub(crate) build_seconds: f64,
    /// The labs, in the order of the course.
    pub(crate) labs: Vec<LabResult>,
}

/// A file of a submission that is the same elsewhere, apart from comments and layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Copied {
    /// `raft/src/log.rs`.
    pub(crate) file: String,
    /// `the reference`, `variant raft/task-per-rpc`, `past/alice`.
    pub(crate) of: String,
}

/// Where the tests come from, and what ran them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Circumstances {
    /// The version of the course.
    pub(crate) version: String,
    /// The hash of the handout's locked files.
    pub(crate) release: String,
    /// The compiler, as it names itself.
    pub(crate) compiler: String,
    /// What keeps submitted code from the rest of the machine.
    pub(crate) protection: String,
    /// The version of Landlock that was enforced, if any: each version of the kernel's interface
    /// knows more rights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) landlock: Option<u32>,
    /// The labs that were graded on top of the reference solution of another.
    pub(crate) reference: Vec<String>,
}

impl Circumstances {
    /// The protection and the version of Landlock.
    pub(crate) fn protection(&self) -> String {
        let version = self.landlock.map(|version| format!(" (Landlock ABI {version})"));
        format!("{}{}", self.protection, version.unwrap_or_default())
    }
}

/// The result of a lab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct LabResult {
    /// The package: `raft`.
    pub(crate) lab: String,
    /// `Lab 2, Raft`.
    pub(crate) title: String,
    pub(crate) score: f64,
    pub(crate) points: u32,
    /// Why no test ran, if none ran.
    pub(crate) obstacle: Option<Obstacle>,
    /// What the check of the sources found.
    pub(crate) findings: Vec<String>,
    pub(crate) parts: Vec<PartResult>,
}

/// Why no test of a lab ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Obstacle {
    /// It is not in the submission.
    NotSubmitted,
    /// Its sources use what they must not; see the findings.
    Refused,
    /// With the compiler's output.
    DoesNotCompile(String),
    /// The machine or a limit stopped the build, for this reason: a person has to look.
    NotBuilt(String),
    /// It uses this lab, which does not compile or was refused.
    BlockedBy(String),
}

/// The result of a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct PartResult {
    /// `2A`.
    pub(crate) part: String,
    pub(crate) title: String,
    pub(crate) score: f64,
    pub(crate) points: u32,
    pub(crate) tests: Vec<TestResult>,
}

/// The result of a test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct TestResult {
    /// `initial_election_2a`.
    pub(crate) test: String,
    /// The promise of a solution.
    pub(crate) claim: String,
    pub(crate) score: f64,
    pub(crate) points: u32,
    /// The seeds of its runs. For a test with processes only their number matters.
    pub(crate) seeds: Vec<u64>,
    /// The number of runs: less than the number of seeds if no points were left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) runs: Option<usize>,
    /// The number of runs that failed.
    pub(crate) failed: u32,
    /// The number of runs in which a checker reached its limit.
    pub(crate) unknown: u32,
    /// The number of runs that the machine prevented.
    pub(crate) prevented: u32,
    /// Seconds of processor time, on average.
    pub(crate) cpu_seconds: f64,
    /// The runs that failed, the first ones with a report.
    pub(crate) failures: Vec<FailedRun>,
}

impl TestResult {
    /// A test before its runs.
    pub(crate) fn new(test: &str, claim: &str, points: u32, seeds: Vec<u64>) -> Self {
        Self {
            test: test.to_string(),
            claim: claim.to_string(),
            score: 0.0,
            points,
            seeds,
            runs: None,
            failed: 0,
            unknown: 0,
            prevented: 0,
            cpu_seconds: 0.0,
            failures: Vec::new(),
        }
    }

    /// Counts the runs and computes the score.
    pub(crate) fn count(&mut self, runs: &[Run]) {
        self.runs = Some(runs.len());
        if runs.is_empty() {
            return; // It does not compile, or is blocked: no failure, and no points either.
        }
        for run in runs {
            match run.verdict {
                Verdict::Pass | Verdict::Skipped => {}
                Verdict::Fail | Verdict::Diverged => {
                    self.failed += 1;
                    let has_report = self.failures.len() < REPORTS;
                    self.failures.push(FailedRun::new(run, has_report));
                }
                Verdict::Unknown => self.unknown += 1,
                Verdict::Harness => self.prevented += 1,
            }
        }
        let cpu: f64 = runs.iter().map(|run| run.cpu_seconds).sum();
        self.cpu_seconds = cpu / (runs.len().max(1) as f64);
        self.score = f64::from(self.points) * self.share();
    }

    /// The share of the points that the runs have earned: a failed run of K costs 4/K of them, and
    /// an inconclusive one half of that.
    fn share(&self) -> f64 {
        if self.seeds.is_empty() {
            return 0.0;
        }
        let (all, half_runs) = (self.seeds.len() as f64, 2 * self.failed + self.unknown);
        ((all - PRICE / 2.0 * f64::from(half_runs)) / all).max(0.0)
    }

    /// Whether the runs do not suffice for a score.
    pub(crate) fn is_pending(&self) -> bool {
        self.prevented > 0 || f64::from(self.unknown) > self.seeds.len() as f64 / 10.0
    }
}

impl LabResult {
    /// Adds up the scores of tests and parts.
    pub(crate) fn add_up(&mut self) {
        for part in &mut self.parts {
            part.score = total(part.tests.iter().map(|test| test.score));
        }
        self.score = total(self.parts.iter().map(|part| part.score));
    }

    /// Whether a person has to look at it.
    fn is_pending(&self) -> bool {
        matches!(self.obstacle, Some(Obstacle::NotBuilt(_)))
            || self.tests().any(TestResult::is_pending)
    }

    /// All its tests.
    pub(crate) fn tests(&self) -> impl Iterator<Item = &TestResult> {
        self.parts.iter().flat_map(|part| &part.tests)
    }
}

impl Graded {
    /// Adds up the scores of the labs.
    pub(crate) fn add_up(&mut self) {
        self.score = total(self.labs.iter().map(|lab| lab.score));
        self.points = self.labs.iter().map(|lab| lab.points).sum();
        self.pending = self.labs.iter().any(LabResult::is_pending);
    }

    /// Takes the results of the tests in `newer`, of the same submission.
    pub(crate) fn replace_tests(&mut self, newer: Graded) {
        self.with = newer.with;
        (self.files, self.copies) = (newer.files, newer.copies);
        for newer in newer.labs {
            let Some(lab) = self.labs.iter_mut().find(|lab| lab.lab == newer.lab) else { continue };
            (lab.obstacle, lab.findings) = (newer.obstacle, newer.findings);
            for test in newer.parts.into_iter().flat_map(|part| part.tests) {
                let tests = lab.parts.iter_mut().flat_map(|part| &mut part.tests);
                if let Some(place) = tests.into_iter().find(|known| known.test == test.test) {
                    *place = test;
                }
            }
            lab.add_up();
        }
        self.add_up();
    }

    /// Reads the result in a file.
    ///
    /// # Errors
    /// If it cannot be read, or has another schema.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read(path).map_err(Error::file("read", path))?;
        let result: Self = serde_json::from_slice(&text)
            .map_err(|error| Error::harness(format!("{}: {error}", path.display())))?;
        if result.schema != VERSION {
            let (path, found) = (path.display(), result.schema);
            let problem = format!("{path} has version {found} of the schema instead of {VERSION}");
            return Err(Error::harness(problem));
        }
        Ok(result)
    }

    /// Writes the result: the file is complete or does not exist.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::harness(format!("{}: {error}", path.display())))?;
        let unfinished = path.with_extension("json.unfinished");
        fs::write(&unfinished, text + "\n").map_err(Error::file("write", &unfinished))?;
        fs::rename(&unfinished, path).map_err(Error::file("write", path))
    }
}

/// The sum of scores: that of no scores is 0, and not -0 as the standard library says.
pub(crate) fn total(scores: impl Iterator<Item = f64>) -> f64 {
    scores.sum::<f64>() + 0.0
}

/// The runs of tests, by their lab and name.
pub(crate) type Runs = BTreeMap<(String, String), Vec<Run>>;

#[cfg(test)]
mod tests {
    use super::*;

    fn score(runs: u64, failed: u32, unknown: u32) -> f64 {
        let mut test = TestResult::new("t_2a", "", 10, (0..runs).collect());
        (test.failed, test.unknown) = (failed, unknown);
        test.share() * 10.0
    }

    #[test]
    fn a_test_that_did_not_run_has_no_points() {
        let mut test = TestResult::new("t_2a", "", 10, (0..20).collect());
        test.count(&[]);
        assert_eq!((test.score, test.runs), (0.0, Some(0)));
        let run =
            |seed| Run { verdict: Verdict::Pass, ..Run::new("raft", "2A", "t_2a", seed, None) };
        test.count(&(0..20).map(run).collect::<Vec<_>>());
        assert_eq!((test.score, test.runs), (10.0, Some(20)));
    }

    #[test]
    fn nothing_adds_up_to_zero_without_a_sign() {
        assert!(total([].into_iter()).is_sign_positive());
        assert_eq!(total([1.5, 2.0].into_iter()), 3.5);
    }

    #[test]
    fn each_failed_run_costs_the_same_until_nothing_is_left() {
        assert_eq!(score(20, 0, 0), 10.0);
        assert_eq!(score(20, 1, 0), 8.0);
        assert_eq!(score(20, 4, 0), 2.0);
        assert_eq!(score(20, 5, 0), 0.0);
        assert_eq!(score(20, 20, 0), 0.0);
        assert_eq!(score(20, 0, 1), 9.0);
        assert_eq!(score(3, 1, 0), 0.0);
        assert_eq!(score(0, 0, 0), 0.0);
    }
}
