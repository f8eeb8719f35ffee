//! `cargo lab test`: one pass, and the lines that every student of the course knows.

use std::time::Duration;

use crate::catalog::Catalog;
use crate::cli::TestArgs;
use crate::compile::Profile;
use crate::error::{Error, Status};
use crate::planner::{Planner, PlannerSettings, Rounds};
use crate::pool::{self, Ending, Pool};
use crate::process::fresh_seed;
use crate::record::{Statistics, Verdict};
use crate::run_dir::RunDir;
use crate::run_result::RunResult;
use crate::runner::Runner;
use crate::select::Selection;
use crate::stats::TestStats;
use crate::summary::{Summary, TestSummary};
use crate::term::{BAD, BOLD, DIM, DOUBTFUL, GOOD, paint};
use crate::test_case::{self, TestCase, World};
use crate::workspace::Workspace;

/// Runs the command.
pub(crate) fn run(args: &TestArgs) -> Result<Status, Error> {
    let workspace = Workspace::find()?;
    let catalog = Catalog::read(&workspace.catalog())?;
    let selection = Selection::new(&args.patterns);
    let profile = Profile { release: args.world.release };
    let interrupted = pool::watch_signals()?;
    let built = test_case::build(&workspace, &catalog, &selection, profile)?;
    let cases = &built.cases[..];
    let seed = args.seed.unwrap_or_else(fresh_seed);
    let world = World { policy: (!args.real).then(|| args.world.policy.clone()) };
    let directory = RunDir::create(&workspace.runs(), &format!("test_{}", selection.label()))?;
    let runner = Runner::new(world, directory);
    let rounds = Rounds::One;
    let planner = PlannerSettings {
        tests: cases.len(),
        seeds: seed..seed.saturating_add(1),
        piece: 1,
        sequential: false,
        rounds,
    };
    let planner = Planner::new(planner, vec![Default::default(); cases.len()]);
    let workers = args.processes.map_or_else(pool::processors, |count| count as usize);
    let patience = Duration::from_secs(args.world.patience);
    let mut pass = Pass { cases, results: vec![None; cases.len()], shown: 0 };
    let pool = Pool { runner: &runner, cases, workers, patience };
    let ending = pool.run(planner, &interrupted, |test, result, _| {
        pass.add(test, result);
        Ok(())
    });
    let mut summary = Summary::new(runner.world.policy.clone(), crate::plan::Plan::builds(cases));
    summary.tests = pass.summaries();
    let status = summary.status();
    if status == Status::Failed {
        summary.write(&runner.directory, &summary.table(true))?;
        runner.directory.link();
        runner.directory.close();
    } else {
        runner.directory.discard()?; // A pass keeps nothing.
    }
    let ending = ending?;
    let is_real = cases.iter().all(|case| case.real);
    let world = if is_real { &World::REAL } else { &runner.world };
    pass.show_totals(&world.run(seed));
    if status == Status::Failed {
        let path = workspace.shorten(runner.directory.path()).display();
        anstream::println!("logs and reports: {path}, see `cargo lab logs`");
    }
    let interrupted = ending == Ending::Interrupted;
    built.outcome(if interrupted { status.max(Status::Interrupted) } else { status })
}

/// One pass over some tests.
struct Pass<'a> {
    /// The tests.
    cases: &'a [TestCase],
    /// How they went, as far as they are over.
    results: Vec<Option<RunResult>>,
    /// How many tests have been shown, in their order.
    shown: usize,
}

impl Pass<'_> {
    /// Takes a result, and shows what can be shown in the order of the tests.
    fn add(&mut self, test: usize, result: RunResult) {
        self.results[test] = Some(result);
        while let Some(Some(result)) = self.results.get(self.shown) {
            show(result);
            self.shown += 1;
        }
    }

    /// The results as a summary has them.
    fn summaries(&self) -> Vec<TestSummary> {
        let results = self.cases.iter().zip(&self.results);
        results
            .map(|(case, result)| {
                let mut stats = TestStats::default();
                result.iter().for_each(|result| stats.add(result));
                TestSummary::new(case.into(), &stats)
            })
            .collect()
    }

    /// Shows what was not shown yet, and how many tests passed for how many points.
    fn show_totals(&self, run: &str) {
        self.results[self.shown..].iter().flatten().for_each(show);
        let passed = |result: &Option<RunResult>| {
            result.as_ref().is_some_and(|result| result.verdict == Verdict::Pass)
        };
        let count = self.results.iter().filter(|result| passed(result)).count();
        let points = |passing: bool| -> u32 {
            let tests = self.cases.iter().zip(&self.results);
            tests.filter(|(_, r)| !passing || passed(r)).map(|(case, _)| case.points).sum()
        };
        let (reached, all) = (points(true), points(false));
        let style = if count == self.cases.len() { GOOD } else { BAD };
        let tests = format!("Tests passed: {count}/{}", self.cases.len());
        anstream::println!("\n{}  {}", paint(style, tests), paint(DIM, format!("(seed {run})")));
        if let Some(share) = (reached * 100).checked_div(all) {
            anstream::println!("{}", paint(BOLD, format!("Points: {reached}/{all} ({share}%)")));
        }
    }
}

/// Shows one result.
fn show(result: &RunResult) {
    let claim = result.test.rsplit_once('_').map_or(&*result.test, |(claim, _)| claim);
    let claim = if result.part.is_empty() { &result.test } else { claim };
    let part = if result.part.is_empty() { &result.lab } else { &result.part };
    anstream::println!("Test ({part}): {} ...", claim.replace('_', " "));
    let figures = match result.statistics {
        Some(Statistics { peers, rpcs, bytes, commits }) => {
            let seconds = result.virtual_seconds;
            format!(" -- {seconds:5.1} {peers:2} {rpcs:4} {bytes:7} {commits:4}")
        }
        None if result.policy.is_none() => format!(" -- {:5.1}", result.virtual_seconds),
        None => String::new(),
    };
    match result.verdict {
        Verdict::Pass => anstream::println!("  ... {}{figures}", paint(GOOD, "Passed")),
        Verdict::Unknown => {
            anstream::println!("  ... {}{figures}", paint(DOUBTFUL, "Unknown: a checker gave up"));
        }
        Verdict::Skipped => {
            anstream::println!("  ... {}", paint(DOUBTFUL, "skipped: simulation only"));
        }
        Verdict::Fail | Verdict::Diverged | Verdict::Harness => {
            anstream::println!("  ... {}", paint(BAD, "FAILED"));
            anstream::println!("{}", result.failure.as_deref().unwrap_or("no report"));
        }
    }
}
