//! The lines that every student of the course knows.
//!
//! They go to the real standard output, past libtest's capture, which only covers the `print`
//! macros; each in one write, so that lines of tests that run in parallel do not mix. The leading
//! newline ends libtest's own `test name ... ` when tests run one after the other.

use std::io::Write as _;
use std::time::Duration;

use contract::record::{self, part_of};

use crate::sim::Statistics;

/// The sums over all runs of a test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    /// How many runs passed.
    pub(crate) runs: u64,
    /// How many of them a checker could not judge, and why not for the last of them.
    pub(crate) unknown: Option<(u64, String)>,
    /// Virtual time of all runs.
    pub(crate) virtual_time: Duration,
    /// Processor time of all runs.
    pub(crate) cpu_time: Duration,
    /// Sums, except for the number of peers.
    pub(crate) statistics: Statistics,
}

impl Totals {
    /// Adds a run that passed.
    pub(crate) fn add(&mut self, virtual_time: Duration, cpu_time: Duration, run: Statistics) {
        self.runs += 1;
        self.virtual_time += virtual_time;
        self.cpu_time += cpu_time;
        let sum = &mut self.statistics;
        sum.peers = run.peers;
        sum.rpcs += run.rpcs;
        sum.bytes += run.bytes;
        sum.commits += run.commits;
    }
}

/// `Test (2A): initial election ...` for `initial_election_2a`.
fn title(test: &str) -> String {
    record::title(test, part_of(test).unwrap_or_default())
}

/// What is known about the runs of a test that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figures {
    /// Seconds, peers, RPCs, bytes, commits.
    All,
    /// Seconds only.
    Time,
}

/// Says that a test passed, with these figures; on average if there were several runs.
pub(crate) fn passed(test: &str, totals: &Totals, figures: Figures) {
    let n = totals.runs.max(1);
    let Statistics { peers, rpcs, bytes, commits } = totals.statistics;
    let seconds = totals.virtual_time.as_secs_f64() / n as f64;
    let (rpcs, bytes, commits) = (rpcs / n, bytes / n, commits / n);
    let cpu = totals.cpu_time.as_secs_f64() * 1e3 / n as f64;
    let (figures, cpu) = match figures {
        Figures::All => (
            format!("-- {seconds:5.1} {peers:2} {rpcs:4} {bytes:7} {commits:4}"),
            format!("  in {cpu:.1} ms of CPU"),
        ),
        Figures::Time => (format!("-- {seconds:5.1}"), String::new()),
    };
    let line = if n == 1 {
        format!("  ... Passed {figures}")
    } else {
        format!("  ... Passed {n} runs, on average {figures}{cpu}")
    };
    let unknown = match &totals.unknown {
        Some((runs, why)) => format!("  ... {runs} of {n} runs prove nothing: {why}\n"),
        None => String::new(),
    };
    write(&format!("\n{}\n{line}\n{unknown}", title(test)));
}

/// Prints a line that is not part of the result.
pub(crate) fn note(text: &str) {
    write(text);
}

/// Says that a test does not run here.
pub(crate) fn skipped(test: &str) {
    write(&format!("\n{}\n  ... skipped: simulation only\n", title(test)));
}

/// Writes to the real standard output in one piece.
fn write(text: &str) {
    // A closed pipe must not fail a test.
    std::io::stdout().lock().write_all(text.as_bytes()).ok();
}
