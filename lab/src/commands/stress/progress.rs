//! The progress of a stress run: bars on a terminal, otherwise a line every few seconds.

use std::time::{Duration, Instant};

use contract::record::Run;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use judge::TestCase;

use crate::results::stats::TestStats;
use crate::term::{self, BAD, paint};

/// The time between two lines if the output is not a terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Bars on a terminal, lines elsewhere.
    Bars,
    /// `Done 003/100; 3 ok, 0 failed`, where a run is one seed of all tests.
    StatusLine,
}

/// Shows progress while tests run.
pub(crate) enum StressProgress {
    Bars(Bars),
    Lines(Lines),
    StatusLine(StatusLine),
}

/// A bar for each test, and one for all of them.
pub(crate) struct Bars {
    all: MultiProgress,
    /// The runs of all tests.
    overall: ProgressBar,
    /// One for each test.
    tests: Vec<ProgressBar>,
}

/// Lines for a pipe.
pub(crate) struct Lines {
    started: Instant,
    /// When the last line was printed.
    shown: Instant,
    /// Finished runs.
    runs: u64,
    /// Failed runs.
    failed: u64,
}

/// The status line of the script that the course's students use.
pub(crate) struct StatusLine {
    /// The number of tests in a run.
    tests: usize,
    /// By unfinished seed: the number of finished tests, and whether one failed.
    open: std::collections::BTreeMap<u64, (usize, bool)>,
    /// Runs without a failure.
    ok: u64,
    /// Runs with a failure.
    failed: u64,
    /// Whether the line is drawn in place.
    is_live: bool,
}

impl StressProgress {
    /// Progress of these tests.
    pub(crate) fn new(form: Form, cases: &[TestCase]) -> Self {
        match form {
            Form::Bars if term::is_live() => StressProgress::Bars(Bars::new(cases)),
            Form::Bars => StressProgress::Lines(Lines {
                started: Instant::now(),
                shown: Instant::now(),
                runs: 0,
                failed: 0,
            }),
            Form::StatusLine => StressProgress::StatusLine(StatusLine {
                tests: cases.len(),
                open: Default::default(),
                ok: 0,
                failed: 0,
                is_live: term::is_terminal(),
            }),
        }
    }

    /// Shows a finished run. `total` is the number of runs of each test, if it is known.
    pub(crate) fn finished(
        &mut self,
        test: usize,
        result: &Run,
        stats: &TestStats,
        total: Option<u64>,
    ) {
        match self {
            StressProgress::Bars(bars) => bars.finished(test, stats, total),
            StressProgress::Lines(lines) => lines.finished(result, total),
            StressProgress::StatusLine(line) => line.finished(result, total),
        }
    }

    /// Shows why a run has failed.
    pub(crate) fn failed(&self, result: &Run) {
        if !matches!(self, StressProgress::StatusLine(_)) {
            let word = paint(BAD, result.verdict.word());
            let (test, run) = (&result.test, result.seed_and_policy());
            self.print(&format!("{word} {test} {run}  {}", result.reason()));
        }
    }

    /// Counts a run of an earlier command.
    pub(crate) fn resumed(&mut self, test: usize, result: &Run, stats: &TestStats) {
        match self {
            StressProgress::Bars(bars) => bars.finished(test, stats, None),
            StressProgress::Lines(lines) => lines.count(result),
            StressProgress::StatusLine(line) => {
                line.count(result);
            }
        }
    }

    /// Prints a line without disturbing the bars.
    pub(crate) fn print(&self, line: &str) {
        match self {
            StressProgress::Bars(bars) => bars.all.suspend(|| anstream::println!("{line}")),
            StressProgress::Lines(_) | StressProgress::StatusLine(_) => {
                anstream::println!("{line}")
            }
        }
    }

    /// Clears the bars.
    pub(crate) fn end(self) {
        if let StressProgress::Bars(bars) = self {
            bars.all.clear().ok(); // A terminal that went away needs no cleaning.
        }
    }
}

impl Bars {
    /// Bars at zero.
    fn new(cases: &[TestCase]) -> Self {
        let all = MultiProgress::new();
        let width = cases.iter().map(|case| case.name.len()).max().unwrap_or(0).max(7);
        let style = |color: &str| {
            let form = format!(
                "{{prefix:{width}}} {{bar:24.{color}}} {{pos:>5}}/{{len}} {{msg}} {{elapsed}}"
            );
            ProgressStyle::with_template(&form)
                .expect("the template is well formed")
                .progress_chars("=> ")
        };
        let add = |name: &str, color| {
            let bar = all.add(ProgressBar::new(0).with_prefix(name.to_string()));
            bar.set_style(style(color));
            bar
        };
        let overall = add("overall", "cyan");
        let tests = cases.iter().map(|case| add(&case.name, "green")).collect();
        overall.enable_steady_tick(Duration::from_millis(500));
        Self { all, overall, tests }
    }

    /// Advances the bar of a test and the overall bar.
    fn finished(&self, test: usize, stats: &TestStats, total: Option<u64>) {
        let bar = &self.tests[test];
        if let Some(total) = total {
            bar.set_length(total);
            self.overall.set_length(total * self.tests.len() as u64);
        }
        bar.set_position(stats.runs);
        self.overall.inc(1);
        if stats.failed > 0 {
            bar.set_message(paint(BAD, format!("{} failed", stats.failed)));
        }
    }
}

impl Lines {
    fn count(&mut self, result: &Run) {
        self.runs += 1;
        self.failed += u64::from(result.verdict.is_failure());
    }

    /// Counts a run, and prints a line if [`LINE_INTERVAL`] has passed since the last one.
    fn finished(&mut self, result: &Run, _total: Option<u64>) {
        self.count(result);
        if self.shown.elapsed() >= LINE_INTERVAL {
            self.shown = Instant::now();
            let seconds = self.started.elapsed().as_secs();
            anstream::println!("{seconds:4} s: {} runs, {} failed", self.runs, self.failed);
        }
    }
}

impl StatusLine {
    /// Counts a test of a run; true if it was the run's last one.
    fn count(&mut self, result: &Run) -> bool {
        let (tests, has_failed) = self.open.entry(result.seed).or_default();
        *tests += 1;
        *has_failed |= result.verdict.is_failure();
        if *tests < self.tests {
            return false;
        }
        let failed = self.open.remove(&result.seed).is_some_and(|(_, failed)| failed);
        self.failed += u64::from(failed);
        self.ok += u64::from(!failed);
        true
    }

    /// Counts a test of a run, and prints the line if the run is over.
    fn finished(&mut self, result: &Run, total: Option<u64>) {
        if self.count(result) {
            let (done, style) =
                (self.ok + self.failed, if self.failed > 0 { BAD } else { term::GOOD });
            let total = total.map_or_else(|| "-".to_string(), |total| total.to_string());
            let line = format!("Done {done:03}/{total}; {} ok, {} failed", self.ok, self.failed);
            let up = if self.is_live && done > 1 { "\x1b[1A\x1b[2K" } else { "" };
            anstream::println!("{up}{}", paint(style, line));
        }
    }
}
