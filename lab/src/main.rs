//! `cargo lab`: the student's command.
//!
//! The command builds the grading tests with cargo, runs each test and seed in a separate process,
//! and judges the run by the completion record that the process sends. Exit codes and printed
//! output are ignored. The crate [`judge`] does this work; this crate has the command line, stores
//! results, and shows them.
//!
//! | module | contents |
//! |---|---|
//! | `cli` | the command line |
//! | `commands` | a file for each command |
//! | `results` | stores, counts and resumes runs |
//! | `select`, `built`, `runner` | selects tests, builds them, and runs them |
//! | `story` | what happened in a failing run that was made smaller, in words |
//! | `submission` | runs the program that checks sources and makes archives |
//! | `table`, `term` | output to the terminal |

mod built;
mod cli;
mod commands;
mod results;
mod runner;
mod select;
mod story;
mod submission;
mod table;
mod term;

use std::process::ExitCode;

use clap::Parser as _;
use contract::record::Exit;
use judge::Error;

use crate::cli::{Cli, Command};
use crate::commands::{explain, lint, list, logs, merge, pack, replay, show, shrink, stress, test};
use crate::term::{BAD, paint};

fn main() -> ExitCode {
    if let Some(code) = judge::launcher_main() {
        return code;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            error.print().ok(); // Standard error may be closed.
            // Help is not an error; clap's own code 2 would mean "inconclusive" here.
            return if error.use_stderr() { Exit::Harness } else { Exit::Passed }.into();
        }
    };
    let exit = match &cli.command {
        Command::Test(args) => test::run(args),
        Command::Stress(args) => stress::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Show(args) => show::run(args),
        Command::Shrink(args) => shrink::run(args),
        Command::Logs(args) => logs::run(args),
        Command::List(args) => list::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Lint(args) => lint::run(args),
        Command::Pack(args) => pack::run(args),
    };
    let exit = exit.unwrap_or_else(|error| {
        if !matches!(error, Error::Interrupted) {
            anstream::eprintln!("{} {error}", paint(BAD, "error:"));
        }
        error.exit()
    });
    exit.into()
}
