//! Statistics over many runs of a test.

use contract::record::{Run, Verdict};
use contract::settings::Policy;
use serde::{Deserialize, Serialize};

/// Mean and deviation of a figure, updated run by run (Welford's method).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figure {
    /// The number of runs.
    count: f64,
    mean: f64,
    /// Sum of squared distances from the mean.
    squares: f64,
}

/// Mean and deviation in a summary.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct MeanDeviation {
    pub(crate) mean: f64,
    /// The standard deviation of the runs.
    pub(crate) deviation: f64,
}

impl Figure {
    /// Adds a run.
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let distance = value - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (value - self.mean);
    }

    /// Mean and deviation of the runs so far.
    pub(crate) fn value(&self) -> MeanDeviation {
        let deviation = (self.squares / (self.count - 1.0).max(1.0)).sqrt();
        MeanDeviation { mean: self.mean, deviation }
    }
}

/// All runs of one test.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestStats {
    /// Finished runs.
    pub(crate) runs: u64,
    /// Failed runs.
    pub(crate) failed: u64,
    /// Runs that a checker could not decide.
    pub(crate) unknown: u64,
    /// Runs that failed because of the machine.
    pub(crate) harness: u64,
    pub(crate) virtual_seconds: Figure,
    pub(crate) cpu_seconds: Figure,
    /// The failing run with the smallest seed.
    pub(crate) first_failure: Option<FirstFailure>,
}

/// The run to look at first when a test fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FirstFailure {
    /// The smallest failing seed.
    pub(crate) seed: u64,
    /// The policy; `null` on real threads.
    #[serde(default)]
    pub(crate) policy: Option<Policy>,
    /// The command that replays the run.
    pub(crate) replay: String,
    /// The first line of what the test observed.
    pub(crate) reason: String,
}

impl TestStats {
    /// Adds a run.
    pub(crate) fn add(&mut self, result: &Run) {
        self.runs += 1;
        match result.verdict {
            Verdict::Pass | Verdict::Skipped => {}
            Verdict::Unknown => self.unknown += 1,
            Verdict::Harness => self.harness += 1,
            Verdict::Fail | Verdict::Diverged => {
                self.failed += 1;
                if self.first_failure.as_ref().is_none_or(|first| result.seed < first.seed) {
                    self.first_failure = Some(FirstFailure {
                        seed: result.seed,
                        policy: result.policy,
                        replay: result.replay(),
                        reason: result.reason().to_string(),
                    });
                }
            }
        }
        if result.verdict != Verdict::Harness {
            self.virtual_seconds.add(result.virtual_seconds);
            self.cpu_seconds.add(result.cpu_seconds);
        }
    }

    /// Runs that passed or failed.
    pub(crate) fn judged(&self) -> u64 {
        self.runs - self.unknown - self.harness
    }

    /// The fraction of judged runs that failed.
    pub(crate) fn rate(&self) -> f64 {
        self.failed as f64 / self.judged().max(1) as f64
    }

    /// If no run failed: an upper bound of the failure rate with 95 % confidence. With a higher
    /// rate, the probability of this number of clean runs would be less than 1 in 20.
    pub(crate) fn bound(&self) -> Option<f64> {
        let clean = self.failed == 0 && self.judged() > 0;
        clean.then(|| 1.0 - 0.05f64.powf(1.0 / self.judged() as f64))
    }
}

/// A fraction in per cent, with more digits if it is small.
pub(crate) fn percent(share: f64) -> String {
    let share = share * 100.0;
    match share {
        0.1.. => format!("{share:.1} %"),
        _ => format!("{share:.2} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The statistics of a number of passing runs.
    fn clean(runs: u64) -> TestStats {
        TestStats { runs, ..TestStats::default() }
    }

    #[test]
    fn bounds_after_clean_runs() {
        assert!(clean(58).bound().unwrap() > 0.05 && clean(59).bound().unwrap() < 0.05);
        assert!(clean(298).bound().unwrap() > 0.01 && clean(299).bound().unwrap() < 0.01);
        assert!(clean(2994).bound().unwrap() > 0.001 && clean(2995).bound().unwrap() < 0.001);
        assert_eq!(clean(0).bound(), None);
        assert_eq!(TestStats { failed: 1, ..clean(10) }.bound(), None);
    }

    #[test]
    fn mean_and_deviation() {
        let mut figure = Figure::default();
        [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].into_iter().for_each(|value| figure.add(value));
        let MeanDeviation { mean, deviation } = figure.value();
        assert_eq!(mean, 5.0);
        assert!((deviation - (32.0f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!(percent(0.0123), "1.2 %");
        assert_eq!(percent(0.000123), "0.01 %");
    }
}
