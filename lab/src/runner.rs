//! Runs a few seeds of a test in as few processes as possible, and keeps what failed.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::children::Children;
use crate::error::Error;
use crate::judge::{self, Judgement};
use crate::process::{self, Launch, Output};
use crate::record::Verdict;
use crate::run_dir::RunDir;
use crate::run_result::RunResult;
use crate::test_case::{TestCase, World};

/// Everything that all runs of a command share.
#[derive(Debug)]
pub(crate) struct Runner {
    /// In which world the tests run that do not insist on one.
    pub(crate) world: World,
    /// Where results go.
    pub(crate) directory: RunDir,
    /// Whether passing runs keep their log too.
    pub(crate) keep_all: bool,
    /// Whether the first failure ends everything.
    pub(crate) stop_at_failure: bool,
    /// The running processes.
    pub(crate) children: Children,
    /// Set when nobody wants further results.
    pub(crate) stopped: AtomicBool,
    /// Numbers the processes.
    pub(crate) launches: AtomicU64,
}

impl Runner {
    /// A runner that has not run anything.
    pub(crate) fn new(world: World, directory: RunDir) -> Self {
        Self {
            world,
            directory,
            keep_all: false,
            stop_at_failure: false,
            children: Children::default(),
            stopped: AtomicBool::new(false),
            launches: AtomicU64::new(0),
        }
    }

    /// Ends all processes; later calls return at once.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Relaxed);
        self.children.close();
    }

    /// Whether [`Runner::stop`] was called.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }

    /// Runs `runs` seeds of a test, counting up from `first`, and hands each result to `finished`.
    /// A process ends at its first failure; another one runs the seeds behind it.
    pub(crate) fn run(
        &self,
        case: &TestCase,
        first: u64,
        runs: u64,
        mut finished: impl FnMut(RunResult),
    ) -> Result<(), Error> {
        let world = &case.world(&self.world);
        let (mut next, end) = (first, first + runs);
        let mut retried = None;
        while next < end && !self.is_stopped() {
            let report = self.report_file();
            let runs = if retried == Some(next) { 1 } else { end - next };
            let output = match self.keep_all {
                true => Output::Log(self.directory.make_run(case, world, next)?.join("log.txt")),
                false => Output::Dropped,
            };
            let launch = Launch { case, world, seed: next, runs, output, report: &report };
            let ended = process::run(&launch, &self.children)?;
            let Judgement { results, is_disturbed } = judge::judge(&launch, ended);
            next += results.len() as u64;
            for result in results {
                self.keep(case, &result)?;
                let is_last = self.stop_at_failure && result.verdict.is_failure();
                finished(result);
                if is_last {
                    self.stop();
                }
            }
            if is_disturbed && retried == Some(next) {
                finished(judge::disturbed(&Launch { seed: next, ..launch }));
                next += 1;
            } else if is_disturbed {
                retried = Some(next);
            }
        }
        Ok(())
    }

    /// Runs one seed, its output going where the caller wants; `None` if it was stopped.
    pub(crate) fn run_once(
        &self,
        case: &TestCase,
        seed: u64,
        output: Output,
    ) -> Result<Option<RunResult>, Error> {
        let report = self.report_file();
        let world = &case.world(&self.world);
        let launch = Launch { case, world, seed, runs: 1, output, report: &report };
        let ended = process::run(&launch, &self.children)?;
        let judgement = judge::judge(&launch, ended);
        if judgement.is_disturbed {
            return Ok(Some(judge::disturbed(&launch)));
        }
        Ok(judgement.results.into_iter().next())
    }

    /// Keeps what there is to keep of a run.
    fn keep(&self, case: &TestCase, result: &RunResult) -> Result<(), Error> {
        if result.kind.as_deref() == Some("no-record") {
            self.directory.check_writable()?; // A full disk must not look like a failing test.
        }
        if result.verdict == Verdict::Pass && !self.keep_all {
            return Ok(());
        }
        let directory = self.directory.make_run(case, &result.world(), result.seed)?;
        self.directory.write_verdict(&directory, case, result)?;
        let log = directory.join("log.txt");
        // Processes would run another way: the report holds what there is to know.
        let can_repeat = !self.keep_all && !case.real;
        if can_repeat && self.directory.wants_log(case) && !self.is_stopped() {
            let again = self.run_once(case, result.seed, Output::Log(log.clone()))?;
            if let Some(again) = again
                && !case.health_check
                && result.policy.is_some()
                && (again.verdict, &again.trace_hash) != (result.verdict, &result.trace_hash)
            {
                self.directory.note_difference(&directory, result, &again)?;
            }
        }
        if fs::metadata(&log).is_ok_and(|data| data.len() == 0) {
            fs::remove_file(&log).ok(); // An empty log says less than none.
        }
        Ok(())
    }

    /// A file for the records of the next process.
    fn report_file(&self) -> PathBuf {
        let number = self.launches.fetch_add(1, Relaxed);
        self.directory.work().join(format!("{number}.jsonl"))
    }
}
