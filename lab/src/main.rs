//! `cargo lab`: the student's command.
//!
//! It has cargo build the grading tests, runs each test and seed in a process of its own, and
//! judges by the completion record that the process sends, never by what it prints. All of that is
//! the work of the crate [`judge`]; what is here is the command line, what is kept of the results,
//! and how they are shown.
//!
//! | room | what is in it |
//! |---|---|
//! | `cli` | the command line |
//! | `commands` | a file for each command |
//! | `results` | what is kept of runs, counted, resumed |
//! | `select`, `built`, `runner` | which tests are meant, built, and run so that failures are kept |
//! | `table`, `term` | the terminal |

mod built;
mod cli;
mod commands;
mod results;
mod runner;
mod select;
mod table;
mod term;

use std::process::ExitCode;

use clap::Parser as _;
use contract::record::Exit;
use judge::Error;

use crate::cli::{Cli, Command};
use crate::commands::{explain, list, logs, merge, replay, stress, test};
use crate::term::{BAD, paint};

fn main() -> ExitCode {
    if let Some(code) = judge::launcher_main() {
        return code;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            error.print().ok(); // If standard error is closed, nothing can be told.
            // Help is not an error; clap's own code 2 would mean "inconclusive" here.
            return if error.use_stderr() { Exit::Harness } else { Exit::Passed }.into();
        }
    };
    let exit = match &cli.command {
        Command::Test(args) => test::run(args),
        Command::Stress(args) => stress::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Logs(args) => logs::run(args),
        Command::List(args) => list::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Merge(args) => merge::run(args),
    };
    let exit = exit.unwrap_or_else(|error| {
        if !matches!(error, Error::Interrupted) {
            anstream::eprintln!("{} {error}", paint(BAD, "error:"));
        }
        error.exit()
    });
    exit.into()
}
