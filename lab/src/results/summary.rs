//! The result of a command: a table for people and `summary.json` for programs.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use contract::record::Exit;
use contract::settings::Policy;
use judge::{Error, TestCase};
use serde::{Deserialize, Serialize};

use super::run_dir::{self, RunDir};
use super::stats::{FirstFailure, MeanDeviation, TestStats, percent};
use crate::table::{Align, Table};

/// The version of [`Summary`].
const VERSION: u32 = 2;

/// The contents of `summary.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Incremented when a field changes its meaning.
    pub(crate) version: u32,
    /// The command line.
    pub(crate) command: Vec<String>,
    /// Whether all runs were done.
    pub(crate) complete: bool,
    /// The policy; `null` on real threads.
    pub(crate) policy: Option<Policy>,
    /// Hashes of the builds by lab.
    pub(crate) builds: BTreeMap<String, String>,
    /// Seconds of real time.
    pub(crate) elapsed_seconds: f64,
    pub(crate) tests: Vec<TestSummary>,
}

/// All runs of a test.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TestSummary {
    /// The package.
    pub(crate) lab: String,
    pub(crate) part: String,
    /// The function.
    pub(crate) test: String,
    /// Finished runs.
    pub(crate) runs: u64,
    /// Failed runs.
    pub(crate) failed: u64,
    /// Runs that a checker could not decide.
    pub(crate) unknown: u64,
    /// Runs that failed because of the machine.
    pub(crate) harness: u64,
    /// The fraction of judged runs that failed.
    pub(crate) rate: f64,
    /// An upper bound of the failure rate with 95 % confidence; `null` if a run failed.
    pub(crate) bound95: Option<f64>,
    pub(crate) virtual_seconds: MeanDeviation,
    pub(crate) cpu_seconds: MeanDeviation,
    pub(crate) first_failure: Option<FirstFailure>,
}

/// The name of a test, for a summary that is not made from built tests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TestName {
    /// The package.
    pub(crate) lab: String,
    pub(crate) part: String,
    /// The function.
    pub(crate) test: String,
}

impl From<&TestCase> for TestName {
    fn from(case: &TestCase) -> Self {
        let TestCase { lab, part, name, .. } = case;
        Self { lab: lab.clone(), part: part.clone(), test: name.clone() }
    }
}

impl TestSummary {
    pub(crate) fn new(name: TestName, stats: &TestStats) -> Self {
        Self {
            lab: name.lab,
            part: name.part,
            test: name.test,
            runs: stats.runs,
            failed: stats.failed,
            unknown: stats.unknown,
            harness: stats.harness,
            rate: stats.rate(),
            bound95: stats.bound(),
            virtual_seconds: stats.virtual_seconds.value(),
            cpu_seconds: stats.cpu_seconds.value(),
            first_failure: stats.first_failure.clone(),
        }
    }
}

impl Summary {
    /// The summary of this process's command.
    pub(crate) fn new(policy: Option<Policy>, builds: BTreeMap<String, String>) -> Self {
        Self {
            version: VERSION,
            command: std::env::args().skip(1).collect(),
            complete: true,
            policy,
            builds,
            elapsed_seconds: 0.0,
            tests: Vec::new(),
        }
    }

    /// The summary in a directory; `None` if there is no summary of this version.
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        let file = File::open(directory.join("summary.json")).ok()?;
        serde_json::from_reader::<_, Self>(file).ok().filter(|summary| summary.version == VERSION)
    }

    /// Writes the table and, if all runs were done, the summary.
    pub(crate) fn write(&self, directory: &RunDir, table: &Table) -> Result<(), Error> {
        run_dir::write(&directory.path().join("table.txt"), &table.plain())?;
        if self.complete {
            run_dir::write_json(&directory.path().join("summary.json"), self)?;
        }
        Ok(())
    }

    /// The table; with `timing` it includes processor time.
    pub(crate) fn table(&self, timing: bool) -> Table {
        let mut head = vec!["Test", "Failed", "Total", "Time", "Rate", "First failing seed"];
        if timing {
            head.insert(4, "CPU");
        }
        let mut table = Table::new(&head);
        table.align(&[Align::Left, Align::Right, Align::Right]);
        for test in &self.tests {
            let rate = match test.bound95 {
                Some(bound) => format!("< {}", percent(bound)),
                None => percent(test.rate),
            };
            let seed = match &test.first_failure {
                Some(failure) => failure.seed.to_string(),
                None => "-".to_string(),
            };
            let MeanDeviation { mean, deviation } = test.virtual_seconds;
            let mut row = vec![
                test.test.clone(),
                test.failed.to_string(),
                test.runs.to_string(),
                format!("{mean:.2} +- {deviation:.2} s"),
                rate,
                seed,
            ];
            if timing {
                let MeanDeviation { mean, deviation } = test.cpu_seconds;
                row.insert(4, format!("{:.1} +- {:.1} ms", mean * 1e3, deviation * 1e3));
            }
            table.push(row, exit_of(test));
        }
        table
    }

    /// The remarks below the table.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.tests.iter().any(|test| test.bound95.is_some()) {
            remarks.push(
                "Rate '< x': no run failed; the rate is below x with 95 % confidence.".into(),
            );
        }
        let sum = |count: fn(&TestSummary) -> u64| self.tests.iter().map(count).sum::<u64>();
        let unknown = sum(|test| test.unknown);
        if unknown > 0 {
            remarks.push(format!("{unknown} runs are inconclusive: a checker reached its limit."));
        }
        let harness = sum(|test| test.harness);
        if harness > 0 {
            remarks.push(format!("{harness} runs are inconclusive: they could not be started."));
        }
        // Tests that fail for the same reason share a remark.
        let mut reasons: Vec<(&FirstFailure, Vec<&str>)> = Vec::new();
        for test in &self.tests {
            let Some(failure) = &test.first_failure else { continue };
            match reasons.iter_mut().find(|(first, _)| first.reason == failure.reason) {
                Some((_, tests)) => tests.push(&test.test),
                None => reasons.push((failure, vec![&test.test])),
            }
        }
        remarks.extend(reasons.into_iter().map(|(FirstFailure { reason, replay, .. }, tests)| {
            format!("{}: {reason}\n  {replay}", tests.join(", "))
        }));
        remarks
    }

    /// The exit code of the command.
    pub(crate) fn exit(&self) -> Exit {
        self.tests.iter().map(exit_of).max().unwrap_or_default()
    }
}

/// The exit code for one test.
fn exit_of(test: &TestSummary) -> Exit {
    match (test.failed, test.harness, test.unknown) {
        (1.., ..) => Exit::Failed,
        (_, 1.., _) => Exit::Harness,
        (_, _, 1..) => Exit::Inconclusive,
        _ => Exit::Passed,
    }
}
