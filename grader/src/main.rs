//! The instructor's command: `cargo grade`, which is `cargo grader grade`, and `cargo grader …`.
//!
//! | command | module | what it does |
//! |---|---|---|
//! | `handout` | [`handout`] | makes the tree that students start from |
//! | `grade`, `merge`, `diff` | [`grade`] | builds, runs and scores submissions |
//! | `bugs` | [`patches`] | shows that the tests are not too weak: each patch in `bugs/` is a mistake that they must find |
//! | `variants` | [`patches`] | shows that they are not too strict: each patch in `variants/` is a correct solution that they must accept |
//!
//! The crate [`judge`] builds, runs and judges the tests, as it does for `cargo lab`. Results go to
//! standard output, progress to standard error.

mod cli;
mod grade;
mod handout;
mod lock;
mod patches;
mod progress;
mod sources;

use std::process::ExitCode;

use clap::Parser as _;
use contract::record::Exit;

use crate::cli::{Cli, Command};
use crate::grade::outputs::text::visible;
use crate::grade::outputs::{diff, merge};
use crate::patches::{bugs, variants};

fn main() -> ExitCode {
    if let Some(code) = grade::confine::enter().or_else(judge::launcher_main) {
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
        Command::Grade(options) => grade::run(options),
        Command::Diff(options) => diff::run(options),
        Command::Merge(options) => merge::run(options),
        Command::Handout(options) => handout::run(options),
        Command::Bugs(options) => bugs::run(options),
        Command::Variants(options) => variants::run(options),
    };
    let exit = exit.unwrap_or_else(|error| {
        eprintln!("error: {}", visible(&error.to_string()));
        error.exit()
    });
    exit.into()
}
