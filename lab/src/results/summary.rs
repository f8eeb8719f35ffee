//! What a command found out, for people as a table and for programs as `summary.json`.

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

/// What `summary.json` says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Raised whenever a field changes its meaning.
    pub(crate) version: u32,
    /// The command line.
    pub(crate) command: Vec<String>,
    /// Whether it did all that it was asked to.
    pub(crate) complete: bool,
    /// The policy; `null` on real threads.
    pub(crate) policy: Option<Policy>,
    /// Hashes of the builds by lab.
    pub(crate) builds: BTreeMap<String, String>,
    /// Seconds that it took.
    pub(crate) elapsed_seconds: f64,
    /// The tests.
    pub(crate) tests: Vec<TestSummary>,
}

/// All runs of a test.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TestSummary {
    /// The package.
    pub(crate) lab: String,
    /// The part.
    pub(crate) part: String,
    /// The function.
    pub(crate) test: String,
    /// Runs that are over.
    pub(crate) runs: u64,
    /// Those that failed.
    pub(crate) failed: u64,
    /// Those that a checker could not judge.
    pub(crate) unknown: u64,
    /// Those that the machine disturbed.
    pub(crate) harness: u64,
    /// The share of judged runs that failed.
    pub(crate) rate: f64,
    /// Below which the failure rate is with 95 % confidence; `null` if a run failed.
    pub(crate) bound95: Option<f64>,
    /// Virtual seconds.
    pub(crate) virtual_seconds: MeanDeviation,
    /// Processor seconds.
    pub(crate) cpu_seconds: MeanDeviation,
    /// Where to begin.
    pub(crate) first_failure: Option<FirstFailure>,
}

/// The name of a test, for a summary that is not made from built tests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TestName {
    /// The package.
    pub(crate) lab: String,
    /// The part.
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
    /// The summary of a test.
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

    /// The summary in a directory; `None` if there is none that we understand.
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        let file = File::open(directory.join("summary.json")).ok()?;
        serde_json::from_reader::<_, Self>(file).ok().filter(|summary| summary.version == VERSION)
    }

    /// Writes the table, and, if everything was done, the summary.
    pub(crate) fn write(&self, directory: &RunDir, table: &Table) -> Result<(), Error> {
        run_dir::write(&directory.path().join("table.txt"), &table.plain())?;
        if self.complete {
            run_dir::write_json(&directory.path().join("summary.json"), self)?;
        }
        Ok(())
    }

    /// The table. With `timing` it shows processor time too.
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

    /// What stands below the table.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.tests.iter().any(|test| test.bound95.is_some()) {
            remarks.push("Rate '< x': none failed; with 95 % confidence fewer than x do.".into());
        }
        let sum = |count: fn(&TestSummary) -> u64| self.tests.iter().map(count).sum::<u64>();
        let unknown = sum(|test| test.unknown);
        if unknown > 0 {
            remarks.push(format!("{unknown} runs prove nothing: a checker gave up."));
        }
        let harness = sum(|test| test.harness);
        if harness > 0 {
            remarks.push(format!("{harness} runs could not be started and prove nothing."));
        }
        for test in &self.tests {
            if let Some(failure) = &test.first_failure {
                remarks.push(format!("{}: {}\n  {}", test.test, failure.reason, failure.replay));
            }
        }
        remarks
    }

    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        self.tests.iter().map(exit_of).max().unwrap_or_default()
    }
}

/// How a command ends because of one test.
fn exit_of(test: &TestSummary) -> Exit {
    match (test.failed, test.harness, test.unknown) {
        (1.., ..) => Exit::Failed,
        (_, 1.., _) => Exit::Harness,
        (_, _, 1..) => Exit::Inconclusive,
        _ => Exit::Passed,
    }
}
