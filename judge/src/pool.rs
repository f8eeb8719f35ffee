//! Runs several jobs at a time.

use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use crate::error::Error;
use crate::stop::Stop;

/// Why a pool ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All jobs are done, or the caller requested a stop.
    Finished,
    /// A signal arrived.
    Interrupted,
}

/// Runs `jobs` in order, `workers` of them at a time. `done` gets each result as soon as it is
/// known; a job that was stopped has no result. After a stop is requested, no further job starts.
///
/// # Errors
/// The first error of `work` or `done`, after all workers have ended.
pub fn run<J, R: Send>(
    jobs: impl Iterator<Item = J> + Send,
    workers: usize,
    stop: &Stop,
    work: impl Fn(J) -> Result<Option<R>, Error> + Sync,
    mut done: impl FnMut(R) -> Result<(), Error>,
) -> Result<Ending, Error> {
    let jobs = Mutex::new(jobs);
    let (sender, results) = mpsc::channel();
    let mut problem = Ok(());
    thread::scope(|scope| {
        for _ in 0..workers.max(1) {
            let (sender, jobs, work) = (sender.clone(), &jobs, &work);
            scope.spawn(move || {
                while !stop.is_requested() {
                    let Some(job) = lock(jobs).next() else { return };
                    let result = work(job);
                    // The receiver lives until all workers have ended.
                    sender.send(result).ok();
                }
            });
        }
        drop(sender);
        for result in results {
            let taken = match result {
                Ok(Some(result)) if problem.is_ok() => done(result),
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = taken
                && problem.is_ok()
            {
                stop.request();
                problem = Err(error);
            }
        }
    });
    problem?;
    Ok(if stop.is_interrupted() { Ending::Interrupted } else { Ending::Finished })
}

/// The jobs. A worker that panicked has left them in a valid state.
fn lock<T>(jobs: &Mutex<T>) -> MutexGuard<'_, T> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of processors.
pub fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_has_a_result() {
        let mut sum = 0;
        let ending = run(
            0..50,
            4,
            &Stop::default(),
            |job| Ok((job != 7).then_some(job)),
            |result| {
                sum += result;
                Ok(())
            },
        );
        assert_eq!((ending.unwrap(), sum), (Ending::Finished, 49 * 50 / 2 - 7));
    }

    #[test]
    fn first_error_stops_the_others() {
        let stop = Stop::default();
        let work = |job| if job == 3 { Err(Error::Interrupted) } else { Ok(Some(job)) };
        let mut count = 0;
        let ending = run(0.., 2, &stop, work, |_| {
            count += 1;
            Ok(())
        });
        assert!(matches!(ending, Err(Error::Interrupted)) && stop.is_requested() && count >= 3);
    }
}
