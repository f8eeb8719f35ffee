//! `cargo lab stress`: runs tests with many seeds and shows how often each test failed.

mod planner;
mod progress;

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use contract::record::{Exit, Run, file_name};
use judge::pool::{self, Ending};
use judge::{Error, Stop, TestCase, Workspace};

use self::planner::{Planner, PlannerSettings, Rounds};
use self::progress::{Form, StressProgress};
use crate::built::Built;
use crate::cli::StressArgs;
use crate::results;
use crate::results::plan::{self, Done, Plan, Stored};
use crate::results::run_dir::{JsonLines, RunDir};
use crate::results::stats::TestStats;
use crate::results::summary::{Summary, TestSummary};
use crate::runner::{PICTURE, Runner, judge};
use crate::select::Selection;
use crate::term::{self, BAD, GOOD, paint};

/// Runs the command.
pub(crate) fn run(args: &StressArgs) -> Result<Exit, Error> {
    let workspace = Workspace::find()?;
    let catalog = workspace.catalog()?;
    let selection = Selection::new(&args.patterns);
    let stop = Stop::on_signals()?;
    let parent = parent_of(args.output.as_deref(), &workspace)?;
    let release = args.world.release;
    let built = Built::new(&workspace, &catalog, &selection, release, parent, &stop)?;
    let stress = Stress::begin(args, &workspace, &built.cases, &selection.label(), stop)?;
    built.outcome(stress.run()?)
}

/// A stress run that is about to start or to resume.
struct Stress<'a> {
    args: &'a StressArgs,
    workspace: &'a Workspace,
    cases: &'a [TestCase],
    runner: Runner,
    planner: Planner,
    tally: Tally,
}

/// The results so far.
struct Tally {
    /// By test.
    stats: Vec<TestStats>,
    /// Reasons of failures that were shown.
    reasons: BTreeSet<String>,
    progress: StressProgress,
    /// Every result, so that the run can be resumed.
    runs: JsonLines,
    /// Every result, for `--json`.
    json: Option<JsonLines>,
}

impl<'a> Stress<'a> {
    /// Finds an unfinished run with the same plan, or creates a directory for a new one.
    fn begin(
        args: &'a StressArgs,
        workspace: &'a Workspace,
        cases: &'a [TestCase],
        label: &str,
        stop: Stop,
    ) -> Result<Self, Error> {
        let plan = plan_of(args, cases);
        let parent = parent_of(args.output.as_deref(), workspace)?;
        let unfinished = plan::unfinished(&parent, &plan)?;
        let is_resumed = unfinished.is_some();
        let (directory, stored) = match unfinished {
            Some(unfinished) => unfinished,
            None => {
                let stored = Stored { first_seeds: first_seeds(args), plan };
                let directory = RunDir::create(&parent, label)?;
                stored.write(&directory)?;
                (directory, stored)
            }
        };
        directory.link();
        let form = if args.status_line { Form::StatusLine } else { Form::Bars };
        let json = args.json.as_deref().map(JsonLines::create).transpose()?;
        let mut tally = Tally {
            stats: vec![TestStats::default(); cases.len()],
            reasons: BTreeSet::new(),
            progress: StressProgress::new(form, cases),
            runs: JsonLines::append_to(&directory.path().join("runs.jsonl"))?,
            json,
        };
        let done = tally.resume(cases, directory.path())?;
        if is_resumed {
            let runs: usize = done.iter().map(BTreeSet::len).sum();
            let path = workspace.shorten(directory.path()).display();
            tally.progress.print(&format!("resuming {path}: {runs} runs are done"));
        }
        let repeated = stored.first_seeds.start;
        let planner = Planner::new(planner_settings(args, cases, stored.first_seeds), done);
        let judge = judge(args.world.patience, stop)?;
        let mut runner = Runner::new(judge, Some(args.world.policy), directory);
        runner.repeated = Some(repeated);
        runner.keep_all = args.archive;
        runner.stop_at_failure = args.exit_first || args.until_fail;
        Ok(Self { args, workspace, cases, runner, planner, tally })
    }

    /// Runs the remaining seeds, and prints the table.
    fn run(self) -> Result<Exit, Error> {
        let Self { args, workspace, cases, runner, planner, mut tally } = self;
        let started = Instant::now();
        let workers = args.processes.map_or_else(pool::processors, |count| count as usize);
        let ending = pool::run(
            planner,
            workers,
            runner.judge.stop(),
            |job| Ok(runner.run(&cases[job.test], job.seed)?.map(|run| (job, run))),
            |(job, run)| tally.add(job.test, &run, job.seeds_per_test),
        );
        tally.progress.end();
        let mut summary = Summary::new(runner.policy, Plan::builds(cases));
        summary.complete = matches!(ending, Ok(Ending::Finished));
        summary.elapsed_seconds = started.elapsed().as_secs_f64();
        let tests = cases.iter().zip(&tally.stats);
        summary.tests = tests.map(|(case, stats)| TestSummary::new(case.into(), stats)).collect();
        show(&summary, args, &runner.directory, workspace);
        let written = summary.write(&runner.directory, &summary.table(true));
        runner.directory.close();
        let ending = ending?;
        written?;
        Ok(match ending {
            Ending::Finished => summary.exit(),
            Ending::Interrupted => summary.exit().max(Exit::Interrupted),
        })
    }
}

impl Tally {
    /// Counts the runs of an earlier command.
    fn resume(&mut self, cases: &[TestCase], directory: &Path) -> Result<Done, Error> {
        let mut done: Done = vec![BTreeSet::new(); cases.len()];
        let mut problem = Ok(());
        let length = plan::finished_runs(directory, |result| {
            let Some(test) = cases.iter().position(|case| case.name == result.test) else { return };
            if done[test].insert(result.seed) {
                self.stats[test].add(&result);
                self.progress.resumed(test, &result, &self.stats[test]);
                if let Some(Err(error)) = self.json.as_mut().map(|json| json.push(&result)) {
                    problem = Err(error);
                }
            }
        })?;
        problem?;
        plan::trim(directory, length)?;
        Ok(done)
    }

    /// Counts a run.
    fn add(&mut self, test: usize, result: &Run, total: Option<u64>) -> Result<(), Error> {
        self.runs.push(result)?;
        if let Some(json) = &mut self.json {
            json.push(result)?;
        }
        self.stats[test].add(result);
        self.progress.finished(test, result, &self.stats[test], total);
        let is_first = result.verdict.is_failure() && self.stats[test].failed == 1;
        if is_first && self.reasons.insert(result.reason().to_string()) {
            self.progress.failed(result);
        }
        Ok(())
    }
}

/// The directory in which directories of runs are created.
pub(crate) fn parent_of(output: Option<&Path>, workspace: &Workspace) -> Result<PathBuf, Error> {
    let Some(output) = output else { return Ok(results::runs(workspace)) };
    std::path::absolute(output).map_err(Error::file("find", output))
}

/// The plan for a command line.
fn plan_of(args: &StressArgs, cases: &[TestCase]) -> Plan {
    let rounds = match (args.until_fail, args.endless) {
        (true, _) => "until-fail".to_string(),
        (_, true) => format!("loop growing by {}", args.growth),
        _ => "once".to_string(),
    };
    Plan {
        version: plan::VERSION,
        tests: cases.iter().map(|case| case.name.clone()).collect(),
        builds: Plan::builds(cases),
        policy: Some(args.world.policy),
        runs: args.runs,
        seeds: args.seeds.clone(),
        shard: args.shard.map(|shard| format!("{}/{}", shard.k, shard.n)),
        rounds,
    }
}

/// The seeds of a new run: those on the command line, or new random ones. Shards must agree on
/// the seeds, so they start at 1.
fn first_seeds(args: &StressArgs) -> Range<u64> {
    let first = if args.shard.is_some() { 1 } else { term::fresh_seed() };
    args.seeds.clone().unwrap_or(first..first + args.runs)
}

fn planner_settings(args: &StressArgs, cases: &[TestCase], seeds: Range<u64>) -> PlannerSettings {
    let seeds = match args.shard {
        Some(shard) => planner::shard(seeds, shard.k, shard.n),
        None => seeds,
    };
    let rounds = match (args.until_fail, args.endless) {
        (true, _) => Rounds::Endless,
        (_, true) => Rounds::Growing(args.growth),
        _ => Rounds::One,
    };
    PlannerSettings { tests: cases.len(), seeds, sequential: args.sequential, rounds }
}

/// Prints the table and the remarks on it.
fn show(summary: &Summary, args: &StressArgs, directory: &RunDir, workspace: &Workspace) {
    let lines = |lines: Vec<String>| lines.iter().for_each(|line| anstream::println!("{line}"));
    anstream::println!();
    lines(summary.table(args.timing).lines());
    anstream::println!();
    lines(summary.remarks());
    lines(pictures(summary, directory, workspace));
    let runs: u64 = summary.tests.iter().map(|test| test.runs).sum();
    let failed: u64 = summary.tests.iter().map(|test| test.failed).sum();
    let word = if failed > 0 { paint(BAD, "failed") } else { paint(GOOD, "failed") };
    let path = workspace.shorten(directory.path()).display();
    let seconds = summary.elapsed_seconds;
    anstream::println!("{failed} of {runs} runs {word} in {seconds:.1} s; see {path}");
    if !summary.complete {
        term::note("stopped early: the same command resumes the run if the code has not changed");
    }
    if args.verbose {
        print_reports(summary, directory);
    }
}

/// Where the page is that shows a test's first failure. If several runs failed at the same time,
/// another one may have been drawn.
fn pictures(summary: &Summary, directory: &RunDir, workspace: &Workspace) -> Vec<String> {
    let picture = |test: &TestSummary| {
        let failure = test.first_failure.as_ref()?;
        let name = file_name(&test.test, failure.seed, failure.policy);
        let path = directory.path().join(name).join(PICTURE);
        let shown = workspace.shorten(&path).display();
        path.exists().then(|| format!("picture of {}: {shown}", test.test))
    };
    summary.tests.iter().filter_map(picture).collect()
}

/// Prints the report of each test's first failure.
fn print_reports(summary: &Summary, directory: &RunDir) {
    for test in &summary.tests {
        let Some(failure) = &test.first_failure else { continue };
        let report = directory
            .path()
            .join(file_name(&test.test, failure.seed, failure.policy))
            .join("report.txt");
        if let Ok(text) = fs::read_to_string(report) {
            anstream::println!("\n{text}");
        }
    }
}
