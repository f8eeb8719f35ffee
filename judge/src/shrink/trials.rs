//! Makes the runs of a search, several at a time and within limits.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use contract::accidents::{Accidents, FULL_RATE};
use contract::record::{Assignment, Run, Trial};
use contract::settings::Policy;

use super::search::{self, Failing, Ids, Outcome};
use super::violated::Violated;
use crate::error::Error;
use crate::judge::Judge;
use crate::pool;
use crate::process::Limits;
use crate::test_case::TestCase;
use crate::usage::Resources;

/// A search without a time limit makes at least this number of runs.
const RUNS: usize = 300;

/// A search without a time limit takes at least this real time.
const TIME: Duration = Duration::from_secs(10);

/// The limits of a run, as multiples of the first one's: real time and virtual time. Runs that take
/// much longer seldom fail, and their logs are no help.
const LONGEST: (f64, f64) = (8.0, 2.5);

/// Real time that a run may take in addition, also after the end of the search.
const PATIENCE: Duration = Duration::from_secs(2);

/// Bytes that a run may print: nothing is kept of it.
const OUTPUT: u64 = 64 << 20;

/// Makes the runs of one search.
pub struct Trials<'a> {
    case: &'a TestCase,
    violated: Violated,
    judge: Judge,
    trial: Trial,
    workers: usize,
    budget: Budget,
    /// What to show of the search while it goes on: the number of runs so far, and that of accidents
    /// if the last one fails alike.
    pub watch: Box<dyn Fn(usize, Option<usize>) + Sync + 'a>,
}

/// What a search may cost.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Real time; `None` for 300 runs or ten seconds, whichever is later.
    pub limit: Option<Duration>,
    /// The number of runs at a time. With one, and time enough, the result is always the same.
    pub workers: usize,
}

/// How long a search may go on.
struct Budget {
    started: Instant,
    /// `None` for [`RUNS`] and [`TIME`].
    limit: Option<Duration>,
    runs: AtomicUsize,
}

impl Budget {
    /// Whether another run may begin. Counts it.
    fn take(&self) -> bool {
        let runs = self.runs.fetch_add(1, Relaxed);
        let elapsed = self.started.elapsed();
        let is_left = match self.limit {
            Some(limit) => elapsed < limit,
            None => runs < RUNS || elapsed < TIME,
        };
        if !is_left {
            self.runs.fetch_sub(1, Relaxed);
        }
        is_left
    }

    /// The real time that a run may take which begins now.
    fn most(&self) -> Duration {
        let left = |limit: Duration| limit.saturating_sub(self.started.elapsed()) + PATIENCE;
        self.limit.map_or(Duration::MAX, left)
    }
}

impl<'a> Trials<'a> {
    /// A search for runs that fail as `first` did. The judge should have [`Trials::limits`].
    pub fn new(
        case: &'a TestCase,
        first: &Run,
        violated: Violated,
        judge: Judge,
        effort: Effort,
    ) -> Self {
        // A run that fails for want of time must not fail earlier.
        let is_late = first.kind.as_deref() == Some("time-limit");
        let until = (first.virtual_seconds * LONGEST.1 * 1e3).ceil() as u64;
        let Effort { limit, workers } = effort;
        Self {
            case,
            violated,
            judge,
            trial: Trial { until: (!is_late).then_some(until.max(1)) },
            workers,
            budget: Budget { started: Instant::now(), limit, runs: AtomicUsize::new(0) },
            watch: Box::new(|_, _| {}),
        }
    }

    /// The limits of a run, if the first one took this real time.
    pub fn limits(real: Duration) -> Limits {
        let wall = real.mul_f64(LONGEST.0) + PATIENCE;
        Limits { wall, cpu: Some(wall), output: OUTPUT, resources: Resources::default() }
    }

    /// The number of runs so far.
    pub fn runs(&self) -> usize {
        self.budget.runs.load(Relaxed)
    }

    /// Time since the search began.
    pub fn elapsed(&self) -> Duration {
        self.budget.started.elapsed()
    }

    /// The best failing run that the search finds; `None` if no run of the keyed mode fails alike.
    ///
    /// # Errors
    /// If a process cannot be run, or a signal has arrived.
    pub fn search(&self, seed: u64) -> Result<Option<Failing>, Error> {
        let starts = search::best_starts(self.find_starts(seed)?);
        let mut best: Option<Failing> = None;
        let shrink = |start: Failing| {
            let seed = start.seed;
            Ok(Some(search::shrink(start, |list| self.outcome(seed, list))))
        };
        let compare = |failing: Failing| {
            if best.as_ref().is_none_or(|best| failing.is_better_than(best)) {
                best = Some(failing);
            }
            Ok(())
        };
        pool::run(starts.into_iter(), self.workers, self.judge.stop(), shrink, compare)?;
        self.judge.stop().check()?;
        Ok(best)
    }

    /// Looks for failing runs.
    fn find_starts(&self, seed: u64) -> Result<Vec<Failing>, Error> {
        let found: Mutex<Vec<Failing>> = Mutex::default();
        let is_over = AtomicBool::new(false);
        let found_so_far = || found.lock().expect("no worker panics");
        let jobs = search::seeds_and_rates(seed).take_while(|(_, rate)| {
            !is_over.load(Relaxed) && !search::suffices(&found_so_far(), *rate)
        });
        pool::run(
            jobs,
            self.workers,
            self.judge.stop(),
            |(seed, rate)| {
                match self.run(seed, Accidents::all(rate))? {
                    Outcome::Fails(failing) => found_so_far().push(failing),
                    Outcome::Differs => {}
                    Outcome::OutOfTime => is_over.store(true, Relaxed),
                }
                Ok(Some(()))
            },
            |()| Ok(()),
        )?;
        self.judge.stop().check()?;
        Ok(found.into_inner().expect("no worker panics"))
    }

    /// What comes of a seed with only the listed accidents. A run that cannot be made, even when it
    /// is tried again, ends the search: what was found until then is the result.
    fn outcome(&self, seed: u64, list: &Ids) -> Outcome {
        let outcome = self.run(seed, Accidents::only(list.iter().copied()));
        outcome.unwrap_or(Outcome::OutOfTime)
    }

    /// Runs a seed with these accidents.
    fn run(&self, seed: u64, accidents: Accidents) -> Result<Outcome, Error> {
        if !self.budget.take() {
            return Ok(Outcome::OutOfTime);
        }
        let Some(run) = self.assign(seed, accidents)? else { return Ok(Outcome::OutOfTime) };
        let fails = run.verdict.is_failure()
            && run.failure.as_ref().is_some_and(|failure| Violated::of(failure) == self.violated);
        let left = fails.then_some(run.accidents.len());
        (self.watch)(self.runs(), left);
        Ok(match fails {
            true => {
                let at = run.virtual_seconds;
                Outcome::Fails(Failing { seed, accidents: run.accidents, at })
            }
            false => Outcome::Differs,
        })
    }

    /// The number of accidents in the run of a seed with all of them; `None` if it is not known: the
    /// run takes too long, or cannot be repeated.
    ///
    /// # Errors
    /// If the process cannot be run, or a signal has arrived.
    pub fn count_all(&self, seed: u64) -> Result<Option<usize>, Error> {
        let run = self.assign(seed, Accidents::all(FULL_RATE))?;
        self.judge.stop().check()?;
        Ok(run.filter(Run::is_replayable).map(|run| run.accidents.len()))
    }

    /// Makes one run; `None` if it was stopped.
    fn assign(&self, seed: u64, accidents: Accidents) -> Result<Option<Run>, Error> {
        let mut assignment = Assignment::new(&*self.case.name, seed, Some(Policy::Stall));
        assignment.accidents = Some(accidents);
        assignment.trial = Some(self.trial);
        self.judge.run_within(self.case, assignment, self.budget.most())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_does_not_outlast_the_search_by_much() {
        let budget = |limit| Budget { started: Instant::now(), limit, runs: AtomicUsize::new(0) };
        let seconds = Duration::from_secs;
        let limits = |limit| Trials::limits(seconds(60)).within(budget(limit).most());
        assert_eq!(limits(None).wall, seconds(482));
        let Limits { wall, cpu, .. } = limits(Some(seconds(10)));
        assert!(wall > seconds(2) && wall <= seconds(12) && cpu == Some(wall), "{wall:?} {cpu:?}");
        assert_eq!(limits(Some(Duration::ZERO)).wall, PATIENCE);
    }
}
