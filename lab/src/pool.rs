//! Workers that run pieces of a plan, each a process at a time, until there is no more to do.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::Error;
use crate::planner::{Piece, Planner};
use crate::run_result::RunResult;
use crate::runner::Runner;
use crate::test_case::TestCase;

/// How often signals and hanging processes are looked for.
const TICK: Duration = Duration::from_millis(50);

/// How a pool came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything was run that was to be run.
    Finished,
    /// Ctrl-C.
    Interrupted,
}

/// A pool and what it needs.
pub(crate) struct Pool<'a> {
    /// Runs the pieces.
    pub(crate) runner: &'a Runner,
    /// The tests that pieces refer to by number.
    pub(crate) cases: &'a [TestCase],
    /// How many processes run at a time.
    pub(crate) workers: usize,
    /// For how long a process may go without finishing a run.
    pub(crate) patience: Duration,
}

/// Sets a flag when a signal asks us to end; once per process, before anything runs.
pub(crate) fn watch_signals() -> Result<Arc<AtomicBool>, Error> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&flag))
            .map_err(|error| Error::harness(format!("cannot watch signal {signal}: {error}")))?;
    }
    Ok(flag)
}

impl Pool<'_> {
    /// Runs everything that `planner` hands out. `finished` sees each result once.
    ///
    /// # Errors
    /// The first error, of a worker or of `finished`; all processes have ended by then.
    pub(crate) fn run(
        &self,
        planner: Planner,
        interrupted: &AtomicBool,
        mut finished: impl FnMut(usize, RunResult, Option<u64>) -> Result<(), Error>,
    ) -> Result<Ending, Error> {
        let planner = Mutex::new(planner);
        let (sender, results) = channel();
        let mut ending = Ok(Ending::Finished);
        thread::scope(|scope| {
            for _ in 0..self.workers {
                let (sender, planner) = (sender.clone(), &planner);
                scope.spawn(move || self.work(planner, &sender));
            }
            drop(sender);
            loop {
                if interrupted.load(Relaxed) && !self.runner.is_stopped() {
                    ending = Ok(Ending::Interrupted);
                    self.runner.stop();
                }
                self.runner.children.kill_hung(self.patience);
                let taken = match results.recv_timeout(TICK) {
                    Ok(_) if ending.is_err() => continue,
                    Ok(Ok((test, result))) => {
                        let total = planner.lock().unwrap_or_else(PoisonError::into_inner);
                        let total = total.seeds_per_test();
                        finished(test, result, total)
                    }
                    Ok(Err(error)) => Err(error),
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                if let Err(error) = taken {
                    self.runner.stop();
                    ending = Err(error);
                }
            }
        });
        ending
    }

    /// One worker.
    fn work(&self, planner: &Mutex<Planner>, results: &Sender<Result<(usize, RunResult), Error>>) {
        while !self.runner.is_stopped() {
            let piece = planner.lock().unwrap_or_else(PoisonError::into_inner).next_piece();
            let Some(Piece { test, seed, runs }) = piece else { return };
            // The receiver lives until all workers have ended.
            let finished = |result| drop(results.send(Ok((test, result))));
            if let Err(error) = self.runner.run(&self.cases[test], seed, runs, finished) {
                results.send(Err(error)).ok();
                return;
            }
        }
    }
}

/// How many processors there are.
pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
