//! `cargo lab replay`: one test under one seed, as a failing test prints it.

use std::fs::File;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::catalog::Catalog;
use crate::cli::ReplayArgs;
use crate::compile::Profile;
use crate::error::{Error, Status};
use crate::pool;
use crate::process::Output;
use crate::record::Verdict;
use crate::run_dir::{self, KeptVerdict, RunDir};
use crate::run_result::RunResult;
use crate::runner::Runner;
use crate::select::Selection;
use crate::term::{self, BAD, DOUBTFUL, GOOD, paint};
use crate::test_case::{self, TestCase, World};
use crate::workspace::Workspace;

/// What `--json` prints.
#[derive(Serialize)]
struct Replay<'a> {
    /// The run.
    #[serde(flatten)]
    result: &'a RunResult,
    /// Whether the code is another than when this run failed; `null` if no such failure is kept.
    sources_changed: Option<bool>,
}

/// Runs the command.
pub(crate) fn run(args: &ReplayArgs) -> Result<Status, Error> {
    let workspace = Workspace::find()?;
    let catalog = Catalog::read(&workspace.catalog())?;
    let selection = Selection::new(std::slice::from_ref(&args.test));
    let interrupted = pool::watch_signals()?;
    let profile = Profile { release: args.release };
    let cases = test_case::build(&workspace, &catalog, &selection, profile)?.cases;
    let [case] = &cases[..] else {
        let names: Vec<&str> = cases.iter().map(|case| &*case.name).collect();
        let problem = format!("'{}' means several tests: {}", args.test, names.join(", "));
        return Err(Error::harness(problem));
    };
    let world = case.world(&World { policy: (!args.real).then(|| args.run.policy.clone()) });
    let seed = args.run.seed;
    let kept = kept_verdict(&workspace, case, &world, seed);
    let directory = RunDir::create(&workspace.runs(), &format!("replay_{}", case.name))?;
    let runner = Runner::new(world, directory);
    let log = runner.directory.make_run(case, &runner.world, seed)?.join("log.txt");
    let output = if args.log { Output::Shown } else { Output::Log(log) };
    let patience = Duration::from_secs(args.patience);
    let result = thread::scope(|scope| {
        let worker = scope.spawn(|| runner.run_once(case, seed, output));
        while !worker.is_finished() {
            if interrupted.load(Relaxed) {
                runner.stop();
            }
            runner.children.kill_hung(patience);
            thread::sleep(Duration::from_millis(5));
        }
        worker.join().expect("the worker does not panic")
    });
    let Some(result) = result? else {
        runner.directory.discard()?;
        return Err(Error::Interrupted);
    };
    show(args, case, &result, kept.as_ref());
    keep(&workspace, args, case, &runner, &result)?;
    Ok(match result.verdict {
        Verdict::Pass | Verdict::Skipped => Status::Passed,
        Verdict::Fail | Verdict::Diverged => Status::Failed,
        Verdict::Unknown => Status::Inconclusive,
        Verdict::Harness => Status::Disturbed,
    })
}

/// Shows how it went.
fn show(args: &ReplayArgs, case: &TestCase, result: &RunResult, kept: Option<&KeptVerdict>) {
    let sources_changed = kept.map(|kept| kept.build != case.binary.hash);
    let lines = match args.json {
        true => run_dir::json(&Replay { result, sources_changed }),
        false => {
            headline(result)
                + &result.failure.as_ref().map_or(String::new(), |report| format!("\n{report}"))
        }
    };
    if args.log {
        anstream::eprintln!("{lines}");
    } else {
        anstream::println!("{lines}");
    }
    let Some(kept) = kept else { return };
    if result.policy.is_none() {
        term::note("in real time no seed decides what happens: this was another run");
    } else if sources_changed == Some(true) {
        let test = &case.name;
        term::note(format!(
            "the code has changed since this failure was kept, so the seed explores another \
             schedule{}: cargo lab stress {test} -n 300",
            if result.verdict == Verdict::Pass { ", and a pass proves nothing" } else { "" }
        ));
    } else if result.verdict != kept.run.verdict || result.trace_hash != kept.run.trace_hash {
        term::note(format!(
            "this is the build that was kept, but the run went another way ({} with hash {} then): \
             something outside of the simulation leaks in",
            kept.run.verdict.word(),
            kept.run.trace_hash
        ));
    }
}

/// Verdict, virtual time, number of events and hash, in one line.
fn headline(result: &RunResult) -> String {
    let style = match result.verdict {
        Verdict::Pass => GOOD,
        Verdict::Fail | Verdict::Diverged => BAD,
        Verdict::Unknown | Verdict::Skipped | Verdict::Harness => DOUBTFUL,
    };
    let (word, run) = (paint(style, result.verdict.word()), result.run());
    let seconds = result.virtual_seconds;
    if result.policy.is_none() {
        return format!("{word} {run}  {seconds:.3} s of real time");
    }
    format!(
        "{word} {run}  {seconds:.3} s of virtual time, {} events, hash {}, {:.1} ms of CPU",
        result.events,
        result.trace_hash,
        result.cpu_seconds * 1e3
    )
}

/// Keeps a failing run.
fn keep(
    workspace: &Workspace,
    args: &ReplayArgs,
    case: &TestCase,
    runner: &Runner,
    result: &RunResult,
) -> Result<(), Error> {
    if !result.verdict.is_failure() {
        return runner.directory.discard();
    }
    let directory = runner.directory.make_run(case, &runner.world, result.seed)?;
    runner.directory.write_verdict(&directory, case, result)?;
    runner.directory.link();
    runner.directory.close();
    if !args.json && !args.log {
        let log = directory.join("log.txt");
        anstream::println!("  log       cargo lab logs {}", workspace.shorten(&log).display());
    }
    Ok(())
}

/// What the latest directory that has this run says of it. Replays themselves do not count: they
/// may have been made after the code had changed.
fn kept_verdict(
    workspace: &Workspace,
    case: &TestCase,
    world: &World,
    seed: u64,
) -> Option<KeptVerdict> {
    let name = format!("{}_{}", case.name, world.file_name(seed));
    let directories = run_dir::list(&workspace.runs());
    let is_replay = |path: &std::path::PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().contains("_replay_"))
    };
    directories.into_iter().filter(|path| !is_replay(path)).find_map(|path| {
        let file = File::open(path.join(&name).join("verdict.json")).ok()?;
        serde_json::from_reader(file).ok()
    })
}
