//! `cargo lab shrink`: finds the few accidents that make a test fail.

use std::collections::BTreeSet;
use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use contract::accidents::Accidents;
use contract::property::without_numbers;
use contract::record::{Exit, Run};
use contract::settings::{Policy, forget_verbosity};
use judge::shrink::{Effort, Failing, Trials, Violated};
use judge::{Error, Judge, Output, Stop, TestCase, Workspace, pool};

use crate::built::Built;
use crate::cli::ShrinkArgs;
use crate::results;
use crate::results::run_dir::{self, RunDir};
use crate::runner::Runner;
use crate::story::{SmallestRun, observed_lines};
use crate::term::{self, paint};

/// The greatest number of accidents that the line for a replay lists; more of them go to a file.
const LISTED: usize = 12;

/// Runs the command.
pub(crate) fn run(args: &ShrinkArgs) -> Result<Exit, Error> {
    let workspace = Workspace::find()?;
    let stop = Stop::on_signals()?;
    let built = Built::for_one(&workspace, &args.test, args.release, &stop)?;
    let case = built.only(&args.test)?;
    if case.real || case.health_check {
        let problem =
            format!("{} does not run in a simulation, so its runs cannot be repeated", case.name);
        return Err(Error::harness(problem));
    }
    let label = format!("shrink_{}", case.name);
    let directory = RunDir::create(&results::runs(&workspace), &label)?;
    let judge = crate::runner::judge(args.patience, stop.clone())?;
    // The search draws stalls, whatever policy the seed failed under.
    let mut runner = Runner::new(judge, Some(Policy::Stall), directory);
    let shrunk = shrink(args, case, &mut runner, stop);
    match &shrunk {
        Ok(Some(shrunk)) => {
            show(args, case, shrunk, runner.picture(&shrunk.run).as_deref(), &workspace);
            runner.directory.link();
            runner.directory.close();
            Ok(Exit::Failed)
        }
        Ok(None) => {
            runner.directory.discard()?;
            Ok(Exit::Inconclusive)
        }
        Err(_) => {
            runner.directory.discard()?;
            shrunk.map(|_| Exit::Harness)
        }
    }
}

/// A run that was made smaller.
struct Shrunk {
    /// What was observed in the run that was to be made smaller.
    first: String,
    /// The number of accidents in the run with all of them; `None` if it is not known.
    before: Option<usize>,
    runs: usize,
    seconds: f64,
    run: Run,
    log: PathBuf,
}

/// Searches for the smallest run; `None` if there is nothing to be made smaller.
fn shrink(
    args: &ShrinkArgs,
    case: &TestCase,
    runner: &mut Runner,
    stop: Stop,
) -> Result<Option<Shrunk>, Error> {
    let (seed, policy) = (args.run.seed, args.run.policy);
    let started = Instant::now();
    let first = runner.judge.run(case, seed, Some(policy), &Output::Dropped)?;
    let first = first.ok_or(Error::Interrupted)?;
    let real = started.elapsed();
    let violated = match &first.failure {
        None => {
            term::note(format!(
                "{} {}:{policy} passes: there is nothing to shrink",
                case.name, seed
            ));
            return Ok(None);
        }
        Some(failure) if failure.is_unwritten() || !first.is_replayable() => {
            term::note(format!("no accident decides this failure: {}", first.reason()));
            return Ok(None);
        }
        Some(failure) => Violated::of(failure),
    };
    let effort = Effort { limit: args.limit.map(Duration::from_secs), workers: pool::processors() };
    let judge = Judge::new(Trials::limits(real), stop)?.wrap(Box::new(|mut command| {
        forget_verbosity(&mut command);
        command
    }));
    let progress = ProgressLine::default();
    let mut trials = Trials::new(case, &first, violated.clone(), judge, effort);
    trials.watch = Box::new(|runs, left| progress.show(runs, left));
    let found = trials.search(seed);
    progress.clear();
    let Some(best) = found? else {
        term::note(format!(
            "none of {} runs with accidents that can be chosen breaks the same property: try other \
             seeds, which `cargo lab stress {}` finds",
            trials.runs(),
            case.name
        ));
        return Ok(None);
    };
    let (runs, seconds) = (trials.runs(), trials.elapsed().as_secs_f64());
    // A run with all accidents may fail early, before most of those of the smallest run.
    let before = trials.count_all(best.seed)?.filter(|before| *before >= best.accidents.len());
    let (run, log) = run_again(case, runner, &best)?;
    if run.failure.as_ref().map(Violated::of) != Some(violated) {
        let problem = "the smallest run did not fail again: the code depends on something outside \
                       the simulation";
        return Err(Error::harness(problem));
    }
    let first = first.failure.map_or_else(String::new, |failure| failure.actual);
    Ok(Some(Shrunk { first, before, runs, seconds, run, log }))
}

/// Repeats the smallest run with its log, and stores it.
fn run_again(
    case: &TestCase,
    runner: &mut Runner,
    best: &Failing,
) -> Result<(Run, PathBuf), Error> {
    let mut accidents = Accidents::only(best.ids());
    let directory = runner.make_run(case, best.seed)?;
    if best.accidents.len() > LISTED {
        let file = directory.join("accidents.txt");
        let ids: Vec<String> = best.ids().iter().map(ToString::to_string).collect();
        run_dir::write(&file, &(ids.join("\n") + "\n"))?;
        let here = std::env::current_dir().unwrap_or_default();
        accidents.source =
            Some(format!("@{}", file.strip_prefix(&here).unwrap_or(&file).display()));
    }
    let log = directory.join("log.txt");
    let output = Output::Log(log.clone());
    runner.accidents = Some(accidents);
    let run = runner.draw(case, best.seed, &output)?;
    let mut run = run.ok_or(Error::Interrupted)?;
    runner.write(case, &mut run, &directory)?;
    Ok((run, log))
}

/// Prints the result.
fn show(
    args: &ShrinkArgs,
    case: &TestCase,
    shrunk: &Shrunk,
    picture: Option<&Path>,
    workspace: &Workspace,
) {
    let Shrunk { first, before, runs, seconds, run, log } = shrunk;
    let (before, runs, seconds) = (*before, *runs, *seconds);
    let after = run.accidents.len();
    let (claim, replay) = (&*case.claim, run.replay());
    let found = SmallestRun { claim, before, after, runs, seconds, replay, run };
    if args.json {
        anstream::println!("{}", run_dir::json(&found));
        return;
    }
    let lines = |lines: Vec<String>| lines.iter().for_each(|line| anstream::println!("{line}"));
    lines(found.lines());
    anstream::println!("  log       cargo lab logs {}", workspace.shorten(log).display());
    if let Some(path) = picture {
        anstream::println!("  picture   {}", workspace.shorten(path).display());
    }
    lines(found.replay_lines());
    let observed = run.failure.as_ref().map_or("", |failure| &failure.actual);
    if let Some(observed) = other_way(first, observed) {
        let asked = format!("{}:{}", args.run.seed, args.run.policy);
        term::note(format!("{asked} breaks this property in another way: {observed}"));
    }
}

/// What was observed in the first run, if it has less than half of its words in common with what was
/// observed in the smallest one: the runs may then show different mistakes. Numbers and values, which
/// are quoted, do not count.
fn other_way(first: &str, smallest: &str) -> Option<String> {
    let line = |observed: &str| observed_lines(observed).next().unwrap_or_default();
    let words = |line: &str| -> BTreeSet<String> {
        let plain = line.split(['"', '\'']).step_by(2).map(without_numbers);
        plain
            .flat_map(|text| text.split_whitespace().map(String::from).collect::<Vec<_>>())
            .collect()
    };
    let first = line(first);
    if first.is_empty() {
        return None;
    }
    let (words, others) = (words(&first), words(&line(smallest)));
    let common = words.intersection(&others).count();
    (2 * common < words.len().max(others.len())).then_some(first)
}

/// A line on the terminal while the search goes on.
#[derive(Default)]
struct ProgressLine(Mutex<Option<usize>>);

impl ProgressLine {
    /// Shows the number of runs, and of accidents in the smallest failing run.
    fn show(&self, runs: usize, left: Option<usize>) {
        if !term::is_live() {
            return;
        }
        let mut least = self.0.lock().expect("no thread panics here");
        if let Some(left) = left {
            *least = Some(least.map_or(left, |least| least.min(left)));
        }
        let found = match *least {
            None => "no failing run yet".to_string(),
            Some(1) => "1 accident left".to_string(),
            Some(least) => format!("{least} accidents left"),
        };
        let line = paint(term::DIM, format!("{runs} runs, {found}"));
        // A terminal that is gone needs no progress.
        write!(anstream::AutoStream::auto(stderr()), "\r\x1b[K{line}").ok();
    }

    /// Removes the line.
    fn clear(&self) {
        if term::is_live() {
            write!(stderr(), "\r\x1b[K").ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_more_than_numbers_is_another_way() {
        let other = |first: &str, smallest: &str| other_way(first, smallest);
        assert_eq!(other("S0 leads in term 4: no\nmore", "S1 leads in term 7: no\nless"), None);
        let (first, smallest) = ("two\x1b leaders in term 6\nmore", "nobody leads");
        assert_eq!(other(first, smallest).as_deref(), Some("two leaders in term 6"));
        let wrong = |what: &str, value: &str| format!("get(x): an append {what}, \"{value}\"");
        assert_eq!(other(&wrong("is lost", "x y"), &wrong("is lost", "z")), None);
        let (lost, twice) = (wrong("is lost", "x"), wrong("took effect twice again", "x"));
        assert_eq!(other(&lost, &twice), Some(lost.clone()));
        let late =
            |call: &str| format!("took longer than the limit of 120 s: {call} has not returned");
        assert_eq!(other(&late("get(2)"), &late("append(3, \"x\")")), None);
        assert_eq!(other("", "no leader"), None);
    }
}
