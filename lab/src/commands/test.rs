//! `cargo lab test`: runs tests once and prints the lines that students of the course know.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;

use contract::record::{self, Exit, Failure, Run, Statistics, Verdict, seed_and_policy};
use judge::pool::{self, Ending};
use judge::{Error, Stop, TestCase, Workspace};

use crate::built::Built;
use crate::cli::TestArgs;
use crate::results;
use crate::results::plan::Plan;
use crate::results::run_dir::RunDir;
use crate::results::stats::TestStats;
use crate::results::summary::{Summary, TestSummary};
use crate::runner::{Runner, judge};
use crate::select::Selection;
use crate::submission;
use crate::term::{self, BAD, BOLD, DIM, DOUBTFUL, GOOD, paint};

/// Runs the command.
pub(crate) fn run(args: &TestArgs) -> Result<Exit, Error> {
    let workspace = Workspace::find()?;
    let catalog = workspace.catalog()?;
    let selection = Selection::new(&args.patterns);
    let stop = Stop::on_signals()?;
    let runs = results::runs(&workspace);
    let built = Built::new(&workspace, &catalog, &selection, args.world.release, runs, &stop)?;
    let cases = &built.cases[..];
    let seed = args.seed.unwrap_or_else(term::fresh_seed);
    let label = format!("test_{}", selection.label());
    let directory = RunDir::create(&results::runs(&workspace), &label)?;
    let policy = (!args.real).then_some(args.world.policy);
    let runner = Runner::new(judge(args.world.patience, stop)?, policy, directory);
    let workers = args.processes.map_or_else(pool::processors, |count| count as usize);
    let picture = &|run: &Run| Some(workspace.shorten(&runner.picture(run)?).to_path_buf());
    let mut pass = Pass {
        cases,
        results: vec![None; cases.len()],
        shown: 0,
        reported: BTreeMap::new(),
        picture,
    };
    let ending = pool::run(
        0..cases.len(),
        workers,
        runner.judge.stop(),
        |test| Ok(runner.run(&cases[test], seed)?.map(|run| (test, run))),
        |(test, run)| {
            pass.add(test, run);
            Ok(())
        },
    );
    let mut summary = Summary::new(policy, Plan::builds(cases));
    summary.tests = pass.summaries();
    let exit = summary.exit();
    if exit == Exit::Failed {
        summary.write(&runner.directory, &summary.table(true))?;
        runner.directory.link();
        runner.directory.close();
    } else {
        runner.directory.discard()?; // A pass keeps nothing.
    }
    let ending = ending?;
    let is_real = cases.iter().all(|case| case.real);
    pass.show_totals(&seed_and_policy(seed, policy.filter(|_| !is_real)));
    if exit == Exit::Failed {
        let path = workspace.shorten(runner.directory.path()).display();
        anstream::println!("logs and reports: {path}, see `cargo lab logs`");
    }
    let interrupted = ending == Ending::Interrupted;
    let failing = pass.failing_labs();
    if !failing.is_empty() && !interrupted {
        submission::show_refused(&workspace, &failing);
    }
    built.outcome(if interrupted { exit.max(Exit::Interrupted) } else { exit })
}

/// One pass over some tests.
struct Pass<'a> {
    cases: &'a [TestCase],
    /// The results of finished tests.
    results: Vec<Option<Run>>,
    /// The number of tests that have been shown, in their order.
    shown: usize,
    /// The test whose report was the first with this property and observation.
    reported: BTreeMap<(String, String), String>,
    /// Where the page is that shows a run, if there is one.
    picture: &'a dyn Fn(&Run) -> Option<PathBuf>,
}

impl Pass<'_> {
    /// Stores a result, and shows all results that are next in the order of the tests.
    fn add(&mut self, test: usize, result: Run) {
        self.results[test] = Some(result);
        while let Some(Some(result)) = self.results.get(self.shown) {
            show(result, &mut self.reported, self.picture);
            self.shown += 1;
        }
    }

    /// The labs of which a test failed, other than by a function that is still to be written. Health
    /// checks run no student code.
    fn failing_labs(&self) -> Vec<&str> {
        let tests = self.cases.iter().zip(&self.results).filter(|(case, result)| {
            let failure = result.as_ref().and_then(|it| it.failure.as_ref());
            !case.health_check && failure.is_some_and(|it| !it.is_unwritten())
        });
        let mut labs: Vec<&str> = tests.map(|(case, _)| &*case.lab).collect();
        labs.dedup();
        labs
    }

    /// The results for a summary.
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

    /// Shows the remaining results, the tests that did not run, and the totals.
    fn show_totals(&mut self, run: &str) {
        for result in self.results[self.shown..].iter().flatten() {
            show(result, &mut self.reported, self.picture);
        }
        let tests = self.cases.iter().zip(&self.results);
        for (case, _) in tests.filter(|(_, result)| result.is_none()) {
            anstream::println!(
                "{}\n  ... {}",
                title(&case.lab, &case.part, &case.name),
                paint(DOUBTFUL, "not run")
            );
        }
        let passed = |result: &Option<Run>| {
            result.as_ref().is_some_and(|result| result.verdict == Verdict::Pass)
        };
        let count = self.results.iter().filter(|result| passed(result)).count();
        let points = |passing: bool| -> u32 {
            let tests = self.cases.iter().zip(&self.results);
            tests.filter(|(_, r)| !passing || passed(r)).map(|(case, _)| case.points).sum()
        };
        let (reached, all) = (points(true), points(false));
        let style = if count == self.cases.len() { GOOD } else { BAD };
        let red = self.results.iter().flatten().filter(|result| result.verdict.is_failure());
        let red: Vec<&str> = red.map(|result| &*result.test).collect();
        if !red.is_empty() && self.cases.len() > 1 {
            anstream::println!("\n{}: {}", paint(BAD, "Failed"), red.join(", "));
        }
        let tests = format!("Tests passed: {count}/{}", self.cases.len());
        anstream::println!("\n{}  {}", paint(style, tests), paint(DIM, format!("(seed {run})")));
        if let Some(share) = (reached * 100).checked_div(all) {
            anstream::println!("{}", paint(BOLD, format!("Points: {reached}/{all} ({share}%)")));
        }
    }
}

/// Shows one result. The whole report is shown only once for tests that fail alike.
fn show(
    result: &Run,
    reported: &mut BTreeMap<(String, String), String>,
    picture: &dyn Fn(&Run) -> Option<PathBuf>,
) {
    anstream::println!("{}", title(&result.lab, &result.part, &result.test));
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
            anstream::println!(
                "  ... {}{figures}",
                paint(DOUBTFUL, "Unknown: a checker reached its limit")
            );
        }
        Verdict::Skipped => {
            anstream::println!("  ... {}", paint(DOUBTFUL, "skipped: simulation only"));
        }
        Verdict::Fail | Verdict::Diverged | Verdict::Harness => {
            anstream::println!("  ... {}", paint(BAD, "FAILED"));
            let Some(failure) = &result.failure else {
                anstream::println!("no report");
                return;
            };
            let Failure { property, actual, report } = failure;
            match reported.entry((property.clone(), actual.clone())) {
                Entry::Vacant(entry) => {
                    entry.insert(result.test.clone());
                    anstream::println!("{report}");
                    term::suggest_shrinking(result);
                }
                Entry::Occupied(first) => {
                    let first = first.get();
                    anstream::println!("  actual    the same as in {first}, see its report");
                    anstream::println!("  replay    {}", result.replay());
                }
            }
            if let Some(path) = picture(result) {
                anstream::println!("  picture   {}", path.display());
            }
        }
    }
}

/// A test's title; a health check does not belong to a part.
fn title(lab: &str, part: &str, test: &str) -> String {
    if part.is_empty() {
        return format!("Test ({lab}): {} ...", test.replace('_', " "));
    }
    record::title(test, part)
}
