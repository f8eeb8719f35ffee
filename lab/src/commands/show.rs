//! `cargo lab show`: draws a run of one test with one seed as a page for the browser.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use contract::record::{Exit, Run, seed_and_policy};
use judge::{Error, Output, Stop, TestCase, Workspace};

use crate::built::Built;
use crate::cli::{self, ShowArgs};
use crate::results;
use crate::results::run_dir::{self, RunDir};
use crate::runner::{PICTURE, Runner, judge};
use crate::term;

/// Runs the command.
pub(crate) fn run(args: &ShowArgs) -> Result<Exit, Error> {
    let workspace = Workspace::find()?;
    let stop = Stop::on_signals()?;
    let built = Built::for_one(&workspace, &args.test, args.release, &stop)?;
    let case = built.only(&args.test)?;
    let accidents = cli::accidents(&args.only)?;
    let directory = RunDir::create(&results::runs(&workspace), &format!("show_{}", case.name))?;
    let judge = judge(args.patience, stop)?;
    let mut runner = Runner::new(judge, Some(args.run.policy), directory);
    runner.accidents = accidents;
    let is_kept = args.output.is_none() && !args.json;
    let written = write(args, &runner, case);
    match &written {
        Ok(_) if is_kept => runner.directory.close(),
        _ => runner.directory.discard()?,
    }
    let (result, path) = written?;
    let Some(path) = path else { return Ok(Exit::Passed) };
    let (test, seed) = (&result.test, result.seed_and_policy());
    let verdict = result.verdict.word();
    anstream::println!("{verdict} {test} {seed}  {}", workspace.shorten(&path).display());
    if !args.json && !args.no_open && term::is_terminal() {
        open(&path);
    }
    Ok(Exit::Passed)
}

/// Runs the test and writes what is asked for; returns where it is, unless it was printed.
fn write(
    args: &ShowArgs,
    runner: &Runner,
    case: &TestCase,
) -> Result<(Run, Option<PathBuf>), Error> {
    let seed = args.run.seed;
    let run = format!("{} {}", case.name, seed_and_policy(seed, Some(args.run.policy)));
    let problem = |what: &str| Error::harness(format!("{run}: {what}"));
    if case.real || case.health_check {
        return Err(problem("only a simulated run can be drawn, and this test is not simulated"));
    }
    let file = runner.directory.work().join("recording.jsonl");
    let result = runner.record(case, seed, &Output::Dropped, &file)?.ok_or(Error::Interrupted)?;
    let recording = fs::read_to_string(&file).unwrap_or_default();
    if recording.is_empty() {
        let report = result.failure.as_ref().map_or("no report", |failure| &*failure.report);
        return Err(problem(&format!("the run has left no recording: {report}")));
    }
    let path = match &args.output {
        Some(path) => path.clone(),
        None if args.json => {
            print(&recording)?;
            return Ok((result, None));
        }
        None => runner.make_run(case, seed)?.join(PICTURE),
    };
    let text = if args.json { recording } else { picture::html(&recording) };
    run_dir::write(&path, &text)?;
    Ok((result, Some(path)))
}

/// Prints a recording. The reader may close the pipe early.
fn print(recording: &str) -> Result<(), Error> {
    match io::stdout().write_all(recording.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::harness(format!("cannot print the recording: {error}")))
        }
        _ => Ok(()),
    }
}

/// Opens a page in the browser, and says how to if that is not possible.
fn open(path: &Path) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    command.arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if !command.status().is_ok_and(|status| status.success()) {
        term::note("no browser could be opened; open the file yourself");
    }
}
