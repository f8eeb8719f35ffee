//! A few jobs at a time.

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use crate::error::Error;

/// Does all jobs, `workers` of them at a time, and returns the results in the order of the jobs.
/// `done` hears how many are done.
///
/// # Errors
/// The first error of a job; what has not begun by then is left.
pub(crate) fn run_all<J: Send, R: Send>(
    jobs: Vec<J>,
    workers: usize,
    work: impl Fn(J) -> Result<R, Error> + Sync,
    mut done: impl FnMut(usize),
) -> Result<Vec<R>, Error> {
    let mut results: Vec<Option<R>> = jobs.iter().map(|_| None).collect();
    let jobs = Mutex::new(jobs.into_iter().enumerate());
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..workers.max(1) {
            let (sender, jobs, work) = (sender.clone(), &jobs, &work);
            scope.spawn(move || {
                // The guard is dropped before the work begins.
                let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some((place, job)) = next() {
                    let result = work(job);
                    let failed = result.is_err();
                    if sender.send((place, result)).is_err() || failed {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (count, (place, result)) in (1..).zip(&receiver) {
            match result {
                Ok(result) => results[place] = Some(result),
                Err(error) => {
                    jobs.lock().unwrap_or_else(PoisonError::into_inner).by_ref().for_each(drop);
                    return Err(error);
                }
            }
            done(count);
        }
        Ok(())
    })?;
    Ok(results.into_iter().map(|result| result.expect("every job has reported")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_jobs() {
        let mut counts = Vec::new();
        let results = run_all((0..50).collect(), 4, |job| Ok(job * 2), |count| counts.push(count));
        assert_eq!(results.unwrap(), (0..50).map(|job| job * 2).collect::<Vec<_>>());
        assert_eq!(counts, (1..=50).collect::<Vec<_>>());
    }

    #[test]
    fn first_error_stops_the_others() {
        let work = |job| if job == 3 { Err(Error::Interrupted) } else { Ok(job) };
        assert!(matches!(run_all((0..1_000).collect(), 2, work, |_| ()), Err(Error::Interrupted)));
    }
}
