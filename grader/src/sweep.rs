//! Runs one test under many seeds, and judges each run.
//!
//! A run has passed if its process wrote a completion record that says so and then ended well. An
//! exit code alone proves nothing: code under test may end the process as it likes.

use std::fs;
use std::ops::Range;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::build::test_command;
use crate::cli::Policy;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::process::{self, End, Limits};
use crate::scratch::Scratch;

/// The fields of a completion record that matter here; the file that `LAB_REPORT` names gets one
/// line for each run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Record {
    seed: u64,
    /// None on real threads.
    policy: Option<String>,
    verdict: Verdict,
    /// What the test prints when it fails.
    failure: Option<String>,
}

/// How a run is judged by the process itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Pass,
    Fail,
    Diverged,
    Unknown,
    Skipped,
}

/// A test of a lab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Test {
    /// Its name for libtest: `election_2a::initial_election_2a`.
    pub(crate) name: String,
    /// Whether it runs under seeds and writes records. A plain test does not: it runs once.
    pub(crate) seeded: bool,
    /// Whether its servers are processes, so that it runs in real time and no seed decides its
    /// course.
    pub(crate) real: bool,
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    /// The seed.
    pub(crate) seed: u64,
    /// In a few words, what was seen.
    pub(crate) why: String,
}

/// How the runs of one test went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Sweep {
    /// The test.
    pub(crate) test: Test,
    /// How many runs there were.
    pub(crate) runs: u64,
    /// How many of them a checker could not judge.
    pub(crate) unknown: u64,
    /// Those that failed.
    pub(crate) failures: Vec<Failure>,
}

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Up to the first failure.
    FirstFailure,
    /// All seeds.
    AllSeeds,
}

/// A binary, and how its tests are to be run.
#[derive(Debug)]
pub(crate) struct Runner<'a> {
    /// Where the tests run.
    pub(crate) scratch: &'a Scratch,
    /// The lab.
    pub(crate) lab: &'a str,
    /// Its grading tests.
    pub(crate) binary: &'a Path,
    /// What a process may do.
    pub(crate) limits: Limits,
    /// When to stop.
    pub(crate) interrupt: &'a Interrupt,
}

impl Runner<'_> {
    /// Runs a test under these seeds.
    ///
    /// # Errors
    /// If the test cannot be run, or the user interrupts.
    pub(crate) fn sweep(
        &self,
        test: &Test,
        seeds: Range<u64>,
        policy: Policy,
        extent: Extent,
    ) -> Result<Sweep, Error> {
        let mut sweep = Sweep { test: test.clone(), ..Sweep::default() };
        if !test.seeded {
            let (end, _) = self.process(test, &(seeds.start..seeds.start + 1), policy)?;
            sweep.runs = 1;
            if let Some(why) = ended_badly(end) {
                sweep.failures.push(Failure { seed: seeds.start, why });
            }
            return Ok(sweep);
        }
        let mut next = seeds.start;
        while next < seeds.end {
            let left = next..seeds.end;
            let (end, records) = self.process(test, &left, policy)?;
            sweep.test.real |= records.first().is_some_and(|record| record.policy.is_none());
            next = sweep.add(&left, end, &records);
            if extent == Extent::FirstFailure && !sweep.failures.is_empty() {
                break;
            }
        }
        Ok(sweep)
    }

    /// One process.
    fn process(
        &self,
        test: &Test,
        seeds: &Range<u64>,
        policy: Policy,
    ) -> Result<(End, Vec<Record>), Error> {
        let directory = tempfile::tempdir_in(self.scratch.files())
            .map_err(|error| Error::io("create a directory in", self.scratch.files(), &error))?;
        let report = directory.path().join("report");
        let mut command = test_command(self.scratch, self.binary, self.lab);
        command
            .args(["--exact", &test.name])
            .env("LAB_SEED", seeds.start.to_string())
            .env("LAB_RUNS", (seeds.end - seeds.start).to_string())
            .env("LAB_POLICY", policy.name())
            .env("LAB_REPORT", &report);
        let output = directory.path().join("output");
        let end = process::run(&mut command, &output, Some(&report), self.limits, self.interrupt)?;
        // A process that dies early writes no report.
        let report = fs::read_to_string(&report).unwrap_or_default();
        let records = report.lines().map_while(|line| serde_json::from_str(line).ok()).collect();
        Ok((end, records))
    }
}

impl Sweep {
    /// Adds the runs of a process that was asked for `seeds`; returns the first seed that is left.
    fn add(&mut self, seeds: &Range<u64>, end: End, records: &[Record]) -> u64 {
        let asked = (seeds.end - seeds.start) as usize;
        for record in records.iter().take(asked) {
            self.runs += 1;
            match record.verdict {
                Verdict::Pass | Verdict::Skipped => {}
                Verdict::Unknown => self.unknown += 1,
                Verdict::Fail | Verdict::Diverged => {
                    let why = record.failure.as_deref().map_or("failed", headline).to_string();
                    self.failures.push(Failure { seed: record.seed, why });
                    // A process stops at its first failure.
                    return record.seed + 1;
                }
            }
        }
        let next = seeds.start + records.len().min(asked) as u64;
        let missing = next < seeds.end;
        let unrecorded = || missing.then(|| "ended without a completion record".to_string());
        let Some(why) = ended_badly(end).or_else(unrecorded) else { return next };
        self.runs += u64::from(missing);
        self.failures.push(Failure { seed: next.min(seeds.end - 1), why });
        next + 1
    }
}

/// What is bad about the end of a process, if anything is.
fn ended_badly(end: End) -> Option<String> {
    match end {
        End::Exited(status) if status.success() => None,
        End::Exited(status) => Some(match status.signal() {
            Some(signal) => format!("ended by signal {signal}"),
            None => format!("ended with {status}"),
        }),
        End::Silent => Some("hangs".to_string()),
        End::PrintedTooMuch => Some("prints without end".to_string()),
    }
}

/// The line of a report that says what was seen.
fn headline(report: &str) -> &str {
    let mut lines = report.lines().map(str::trim);
    let first = lines.clone().next().unwrap_or_default();
    lines.find_map(|line| line.strip_prefix("actual")).map_or(first, str::trim)
}

#[cfg(test)]
mod tests {
    use std::process::ExitStatus;

    use super::*;

    /// A record.
    fn record(seed: u64, verdict: Verdict) -> Record {
        Record { seed, policy: None, verdict, failure: None }
    }

    /// The sweep, and the seed that is left, after a process that was asked for seeds 5 to 7.
    fn after(end: End, verdicts: &[Verdict]) -> (Sweep, u64) {
        let records: Vec<_> = (5..).zip(verdicts).map(|(seed, v)| record(seed, *v)).collect();
        let mut sweep = Sweep::default();
        let next = sweep.add(&(5..8), end, &records);
        (sweep, next)
    }

    #[test]
    fn runs_are_judged_by_records_and_the_end() {
        use Verdict::{Fail, Pass, Unknown};
        let exit = |code: i32| End::Exited(ExitStatus::from_raw(code << 8));
        let abort = End::Exited(ExitStatus::from_raw(6));
        // End, records; runs, failing seed with reason, seed that is left.
        type Row = (End, &'static [Verdict], u64, Option<(u64, &'static str)>, u64);
        let table: [Row; 7] = [
            (exit(0), &[Pass, Unknown, Pass], 3, None, 8),
            (exit(101), &[Pass, Fail], 2, Some((6, "failed")), 7),
            (exit(0), &[Pass], 2, Some((6, "ended without a completion record")), 7),
            (exit(0), &[], 1, Some((5, "ended without a completion record")), 6),
            (abort, &[Pass, Pass], 3, Some((7, "ended by signal 6")), 8),
            (End::Silent, &[], 1, Some((5, "hangs")), 6),
            (exit(1), &[Pass, Pass, Pass], 3, Some((7, "ended with exit status: 1")), 9),
        ];
        for (end, verdicts, runs, failure, next) in table {
            let (sweep, left) = after(end, verdicts);
            let found = sweep.failures.first().map(|failure| (failure.seed, &*failure.why));
            assert_eq!((sweep.runs, found, left), (runs, failure, next), "{end:?} {verdicts:?}");
        }
    }

    #[test]
    fn headline_is_what_was_seen() {
        let report = "t failed\n  claim     one leader\n  actual    two: S0@4 S2@4\n  hint";
        assert_eq!(headline(report), "two: S0@4 S2@4");
        assert_eq!(headline("panicked\nat x"), "panicked");
    }
}
