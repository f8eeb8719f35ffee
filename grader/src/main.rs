//! The instructor's command, `cargo grader …`: shows that the grading tests are worth having.
//!
//! Tests can be wrong in two ways, and each has its own collection of patches against the reference
//! solutions:
//!
//! * they let a mistake pass: `bugs` applies each patch of `bugs/` and says which test kills it;
//! * they refuse a correct solution because it is not ours: `variants` applies each patch of
//!   `variants/`, with which every test must pass.
//!
//! Both are in the room [`patches`]. Tests are built, run and judged by the crate [`judge`], as
//! `cargo lab` does it.
//!
//! Results go to standard output, progress to standard error.

mod cli;
mod patches;
mod progress;

use std::process::ExitCode;

use clap::Parser as _;
use contract::record::Exit;

use crate::cli::{Cli, Command};
use crate::patches::{bugs, variants};

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
        Command::Bugs(options) => bugs::run(options),
        Command::Variants(options) => variants::run(options),
    };
    let exit = exit.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        error.exit()
    });
    exit.into()
}
