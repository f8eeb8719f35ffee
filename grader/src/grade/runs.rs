//! Runs the tests of a submission with their seeds.

use std::sync::{Mutex, PoisonError};
use std::thread;

use contract::record::{Run, Verdict};
use judge::pool::{self, Ending};
use judge::{Error, Judge, Output, TestCase};

use super::results::{LabResult, Runs};
use super::seeds::POLICY;

/// The number of tests with processes that run beside the simulations: they mostly wait.
const REAL_WORKERS: usize = 1;

/// A test, and its seeds.
struct Job<'c> {
    case: &'c TestCase,
    seeds: Vec<u64>,
}

/// Runs these tests with the seeds that `labs` lists, `workers` simulations at a time; `None` if
/// interrupted. A test without points left is not run again. `tell` hears how many of all tests
/// are done.
///
/// # Errors
/// If a test cannot be run.
pub(crate) fn of(
    judge: &Judge,
    workers: usize,
    cases: &[TestCase],
    labs: &[LabResult],
    tell: impl Fn(usize, usize),
) -> Result<Option<Runs>, Error> {
    let seeds = |case: &TestCase| {
        let lab = labs.iter().find(|lab| lab.lab == case.lab)?;
        lab.tests().find(|test| test.test == case.name).map(|test| test.seeds.clone())
    };
    let jobs = |is_real: bool| -> Vec<Job<'_>> {
        let cases = cases.iter().filter(move |case| case.real == is_real);
        cases.filter_map(|case| Some(Job { case, seeds: seeds(case)? })).collect()
    };
    let (simulated, real) = (jobs(false), jobs(true));
    let all = simulated.len() + real.len();
    let runs = Mutex::new(Runs::new());
    let work = |job: Job<'_>| {
        let name = (job.case.lab.clone(), job.case.name.clone());
        Ok(sweep(judge, &job)?.map(|runs| (name, runs)))
    };
    let store = |(name, done)| {
        let mut runs = runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.insert(name, done);
        runs.len()
    };
    tell(0, all);
    let (simulated, real) = thread::scope(|scope| {
        let real = scope.spawn(|| {
            pool::run(real.into_iter(), REAL_WORKERS, judge.stop(), work, |done| {
                store(done);
                Ok(())
            })
        });
        let simulated = pool::run(simulated.into_iter(), workers, judge.stop(), work, |done| {
            tell(store(done), all);
            Ok(())
        });
        (simulated, real.join().expect("a pool does not panic"))
    });
    if (simulated?, real?) != (Ending::Finished, Ending::Finished) {
        return Ok(None);
    }
    Ok(Some(runs.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

/// Runs a test with its seeds until no points are left; `None` if interrupted.
fn sweep(judge: &Judge, job: &Job<'_>) -> Result<Option<Vec<Run>>, Error> {
    sweep_by(&job.seeds, |seed, way| match way {
        Way::Once => judge.run(job.case, seed, Some(POLICY), &Output::Dropped),
        Way::Twice => judge.run_twice(job.case, seed, Some(POLICY), &Output::Dropped),
        Way::Patiently => judge.run_patiently(job.case, seed, Some(POLICY)),
    })
}

/// How to run a test with a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Once,
    /// The run is repeated in its process, to find what a run leaves behind.
    Twice,
    /// Checkers search for longer.
    Patiently,
}

/// As [`sweep`], with `run` to make the runs.
fn sweep_by(
    seeds: &[u64],
    run: impl Fn(u64, Way) -> Result<Option<Run>, Error>,
) -> Result<Option<Vec<Run>>, Error> {
    let (mut runs, mut failed) = (Vec::new(), 0);
    for &seed in seeds {
        let way = if runs.is_empty() { Way::Twice } else { Way::Once };
        let Some(mut result) = run(seed, way)? else { return Ok(None) };
        if result.verdict == Verdict::Unknown {
            let Some(again) = run(seed, Way::Patiently)? else { return Ok(None) };
            let cpu_seconds = result.cpu_seconds + again.cpu_seconds;
            result = Run { cpu_seconds, ..again };
        }
        failed += usize::from(result.verdict.is_failure());
        runs.push(result);
        if failed * 4 >= seeds.len() {
            break;
        }
    }
    Ok(Some(runs))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdicts of a test with four seeds whose runs have these verdicts, and what they cost.
    fn sweep(verdict: impl Fn(u64, Way) -> Verdict) -> (Vec<Verdict>, f64) {
        let run = |seed, way| {
            let run = Run::new("raft", "2A", "t_2a", seed, None);
            Ok(Some(Run { verdict: verdict(seed, way), cpu_seconds: 1.0, ..run }))
        };
        let runs = sweep_by(&[10, 11, 12, 13], run).unwrap().unwrap();
        (runs.iter().map(|run| run.verdict).collect(), runs.iter().map(|run| run.cpu_seconds).sum())
    }

    #[test]
    fn a_checker_that_gives_up_has_a_second_chance() {
        use Verdict::{Fail, Pass, Unknown};
        let hard = |patiently| {
            move |seed, way| match (seed, way) {
                (12, Way::Patiently) => patiently,
                (12, _) => Unknown,
                (_, way) => {
                    assert_ne!(way, Way::Patiently);
                    Pass
                }
            }
        };
        assert_eq!(sweep(hard(Pass)), (vec![Pass; 4], 5.0));
        assert_eq!(sweep(hard(Unknown)), (vec![Pass, Pass, Unknown, Pass], 5.0));
        assert_eq!(sweep(hard(Fail)), (vec![Pass, Pass, Fail], 4.0));
    }

    #[test]
    fn only_the_first_run_is_repeated_and_the_last_point_ends_it() {
        let verdict = |seed, way| {
            assert_eq!(way == Way::Twice, seed == 10);
            if seed == 11 { Verdict::Diverged } else { Verdict::Pass }
        };
        assert_eq!(sweep(verdict).0, [Verdict::Pass, Verdict::Diverged]);
    }
}
