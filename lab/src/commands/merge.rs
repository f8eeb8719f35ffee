//! `cargo lab merge`: merges the results of shards.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use contract::record::{Exit, Run};
use contract::settings::Policy;
use judge::{Error, Workspace};

use super::stress::parent_of;
use crate::cli::MergeArgs;
use crate::results::plan::{self, Stored};
use crate::results::run_dir::{self, JsonLines, RunDir};
use crate::results::stats::TestStats;
use crate::results::summary::{Summary, TestName, TestSummary};
use crate::term;

/// The merged results.
struct Joined {
    /// By test, in the order of the tests' names.
    stats: BTreeMap<TestName, TestStats>,
    /// Runs that were added: two shards may overlap.
    seen: BTreeSet<(String, u64, Option<Policy>)>,
    /// The files to which every run is written.
    outputs: Vec<JsonLines>,
    /// The latest write error.
    problem: Result<(), Error>,
}

/// Runs the command.
pub(crate) fn run(args: &MergeArgs) -> Result<Exit, Error> {
    let workspace = Workspace::find()?;
    let mut shards = Vec::new();
    for directory in &args.directories {
        shards.push(run_of(directory)?);
    }
    let parent = parent_of(args.output.as_deref(), &workspace)?;
    let directory = RunDir::create(&parent, "merge")?;
    let mut outputs = vec![JsonLines::append_to(&directory.path().join("runs.jsonl"))?];
    if let Some(path) = &args.json {
        outputs.push(JsonLines::create(path)?);
    }
    let mut joined =
        Joined { stats: BTreeMap::new(), seen: BTreeSet::new(), outputs, problem: Ok(()) };
    for (path, _) in &shards {
        plan::finished_runs(path, |result| joined.add(&result))?;
    }
    joined.problem?;
    let plan = &shards[0].1.plan;
    let mut summary = Summary::new(plan.policy, plan.builds.clone());
    let place = |name: &TestName| plan.tests.iter().position(|test| *test == name.test);
    let mut tests: Vec<_> = joined.stats.into_iter().collect();
    tests.sort_by_key(|(name, _)| place(name));
    summary.tests = tests.into_iter().map(|(name, stats)| TestSummary::new(name, &stats)).collect();
    summary.complete = doubts(&shards, &summary).iter().map(term::note).count() == 0;
    let table = summary.table(args.timing);
    summary.write(&directory, &table)?;
    table.lines().iter().for_each(|line| anstream::println!("{line}"));
    anstream::println!();
    summary.remarks().iter().for_each(|line| anstream::println!("{line}"));
    let path = workspace.shorten(directory.path()).display();
    anstream::println!("{} runs of {} shards; see {path}", joined.seen.len(), shards.len());
    directory.link();
    directory.close();
    Ok(summary.exit())
}

impl Joined {
    /// Adds a run, unless it was added before.
    fn add(&mut self, result: &Run) {
        let Run { lab, part, test, seed, policy, .. } = result;
        if self.seen.insert((test.clone(), *seed, *policy)) {
            let name = TestName { lab: lab.clone(), part: part.clone(), test: test.clone() };
            self.stats.entry(name).or_default().add(result);
            for output in &mut self.outputs {
                if let Err(error) = output.push(result) {
                    self.problem = Err(error);
                }
            }
        }
    }
}

/// The run at `path`, or the latest of the runs in it.
fn run_of(path: &Path) -> Result<(PathBuf, Stored), Error> {
    let candidates = [path.to_path_buf()].into_iter().chain(run_dir::list(path));
    let found = candidates.into_iter().find_map(|path| {
        let stored = Stored::read(&path)?;
        Some((path, stored))
    });
    let problem = || format!("{} contains no results of a stress run", path.display());
    found.ok_or_else(|| Error::harness(problem()))
}

/// Reasons to doubt that these directories are all the shards of one run.
fn doubts(shards: &[(PathBuf, Stored)], summary: &Summary) -> Vec<String> {
    let mut doubts = Vec::new();
    let (first, plan) = (&shards[0].0, &shards[0].1.plan);
    for (path, stored) in shards {
        let (path, first) = (path.display(), first.display());
        if stored.plan.builds != plan.builds {
            doubts.push(format!("{path} and {first} have results of different builds"));
        }
        if stored.plan.policy != plan.policy || stored.plan.tests != plan.tests {
            doubts.push(format!("{path} and {first} have different tests or policies"));
        }
    }
    let seeds = &shards[0].1.first_seeds;
    let wanted = seeds.end - seeds.start;
    if plan.shard.is_some() {
        for test in summary.tests.iter().filter(|test| test.runs != wanted) {
            doubts.push(format!("{}: only {} of {wanted} runs were found", test.test, test.runs));
        }
    }
    doubts
}
