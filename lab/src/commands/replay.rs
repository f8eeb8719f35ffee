//! `cargo lab replay`: repeats a run of one test with one seed.

use std::fs::File;

use contract::record::{Exit, Run, Verdict, file_name};
use judge::{Error, Output, Stop, TestCase, Workspace};
use serde::Serialize;

use crate::built::Built;
use crate::cli::{self, ReplayArgs};
use crate::results;
use crate::results::run_dir::{self, KeptVerdict, RunDir};
use crate::runner::{Runner, judge};
use crate::term::{self, BAD, DOUBTFUL, GOOD, paint};

/// What `--json` prints.
#[derive(Serialize)]
struct Replay<'a> {
    /// The run.
    #[serde(flatten)]
    result: &'a Run,
    /// Whether the code has changed since this run failed; `null` if that failure is not stored.
    sources_changed: Option<bool>,
}

/// Runs the command.
pub(crate) fn run(args: &ReplayArgs) -> Result<Exit, Error> {
    let workspace = Workspace::find()?;
    let stop = Stop::on_signals()?;
    let built = Built::for_one(&workspace, &args.test, args.release, &stop)?;
    let case = built.only(&args.test)?;
    let policy = (!args.real).then_some(args.run.policy);
    let seed = args.run.seed;
    let name = file_name(&case.name, seed, case.policy(policy));
    let accidents = cli::accidents(&args.only)?;
    // With chosen accidents it is another run than the one that is stored.
    let kept = accidents.is_none().then(|| kept_verdict(&workspace, &name)).flatten();
    let directory = RunDir::create(&results::runs(&workspace), &format!("replay_{}", case.name))?;
    let judge = judge(args.patience, stop)?;
    let mut runner = Runner::new(judge, policy, directory);
    runner.accidents = accidents;
    let log = runner.make_run(case, seed)?.join("log.txt");
    let output = if args.log { Output::Shown } else { Output::Log(log) };
    let Some(mut result) = runner.run_once(case, seed, &output)? else {
        runner.directory.discard()?;
        return Err(Error::Interrupted);
    };
    let is_ordinary = result.policy.is_some() && result.only.is_none();
    if result.verdict == Verdict::Pass && is_ordinary {
        // A run that leaves something behind passes alone.
        let twice = runner.judge.run_twice(case, seed, policy, &Output::Dropped)?;
        result = twice.filter(|twice| twice.verdict.is_failure()).unwrap_or(result);
    }
    keep(&runner, case, &mut result)?;
    show(args, case, &result, kept.as_ref());
    if result.verdict.is_failure() && !args.json && !args.log {
        let log = runner.make_run(case, seed)?.join("log.txt");
        anstream::println!("  log       cargo lab logs {}", workspace.shorten(&log).display());
        if let Some(path) = runner.picture(&result) {
            anstream::println!("  picture   {}", workspace.shorten(&path).display());
        }
        term::suggest_shrinking(&result);
    }
    Ok(result.verdict.exit())
}

/// Prints the result.
fn show(args: &ReplayArgs, case: &TestCase, result: &Run, kept: Option<&KeptVerdict>) {
    let sources_changed = kept.map(|kept| kept.build != case.build.hash());
    let lines = match args.json {
        true => run_dir::json(&Replay { result, sources_changed }),
        false => {
            headline(result)
                + &result.failure.as_ref().map_or(String::new(), |it| format!("\n{}", it.report))
        }
    };
    if args.log {
        anstream::eprintln!("{lines}");
    } else {
        anstream::println!("{lines}");
    }
    if !result.missing.is_empty() {
        let ids: Vec<String> = result.missing.iter().map(ToString::to_string).collect();
        term::note(format!(
            "the list names accidents that do not happen in this run, so it is of other code or of \
             another seed: {}",
            ids.join(", ")
        ));
    }
    let Some(kept) = kept else { return };
    if result.policy.is_none() {
        term::note("a seed does not repeat a run in real time: this was a different run");
    } else if sources_changed == Some(true) {
        let test = &case.name;
        term::note(format!(
            "the code has changed since this failure was stored, so the seed leads to a different \
             run{}: use cargo lab stress {test} -n 300",
            if result.verdict == Verdict::Pass { ", and a pass proves nothing" } else { "" }
        ));
    } else if result.is_replayable()
        && kept.run.is_replayable()
        && (result.verdict, &result.trace_hash) != (kept.run.verdict, &kept.run.trace_hash)
    {
        term::note(format!(
            "the build is the same, but the run differs from the stored failure ({} with hash {}): \
             the code depends on something outside the simulation",
            kept.run.verdict.word(),
            kept.run.trace_hash
        ));
    }
}

/// Verdict, virtual time, number of events and hash, in one line.
fn headline(result: &Run) -> String {
    let style = match result.verdict {
        Verdict::Pass => GOOD,
        Verdict::Fail | Verdict::Diverged => BAD,
        Verdict::Unknown | Verdict::Skipped | Verdict::Harness => DOUBTFUL,
    };
    let word = paint(style, result.verdict.word());
    let run = format!("{} {}", result.test, result.seed_and_policy());
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

/// Stores a failing run.
fn keep(runner: &Runner, case: &TestCase, result: &mut Run) -> Result<(), Error> {
    if !result.verdict.is_failure() {
        return runner.directory.discard();
    }
    let directory = runner.make_run(case, result.seed)?;
    runner.write(case, result, &directory)?;
    if result.is_replayable() && !case.health_check && !runner.judge.stop().is_requested() {
        runner.draw(case, result.seed, &Output::Dropped)?;
    }
    runner.directory.link();
    runner.directory.close();
    Ok(())
}

/// The stored verdict on this run in the latest directory that has one. Replays do not count: the
/// code may have changed before them.
fn kept_verdict(workspace: &Workspace, name: &str) -> Option<KeptVerdict> {
    let directories = run_dir::list(&results::runs(workspace));
    let is_replay = |path: &std::path::PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().contains("_replay_"))
    };
    directories.into_iter().filter(|path| !is_replay(path)).find_map(|path| {
        let file = File::open(path.join(name).join("verdict.json")).ok()?;
        serde_json::from_reader(file).ok()
    })
}
