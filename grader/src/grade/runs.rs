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
    let (mut runs, mut failed) = (Vec::new(), 0);
    for &seed in &job.seeds {
        // The first run is repeated in its process, to find what a run leaves behind.
        let run = match runs.is_empty() {
            true => judge.run_twice(job.case, seed, Some(POLICY), &Output::Dropped)?,
            false => judge.run(job.case, seed, Some(POLICY), &Output::Dropped)?,
        };
        let Some(mut run) = run else { return Ok(None) };
        if run.verdict == Verdict::Unknown {
            let again = judge.run_patiently(job.case, seed, Some(POLICY))?;
            let Some(again) = again else { return Ok(None) };
            let cpu_seconds = run.cpu_seconds + again.cpu_seconds;
            run = Run { cpu_seconds, ..again };
        }
        failed += usize::from(matches!(run.verdict, Verdict::Fail | Verdict::Diverged));
        runs.push(run);
        if failed * 4 >= job.seeds.len() {
            break;
        }
    }
    Ok(Some(runs))
}
