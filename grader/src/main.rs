//! The instructor's command, `cargo grader …`: shows that the grading tests are worth having.
//!
//! Tests can be wrong in two ways, and each has its own collection of patches against the reference
//! solutions:
//!
//! * they let a mistake pass: [`bugs`] applies each patch of `bugs/` and says which test kills it;
//! * they refuse a correct solution because it is not ours: [`variants`] applies each patch of
//!   `variants/`, with which every test must pass.
//!
//! The grader links no lab. It patches a copy of the workspace ([`scratch`]), lets cargo build the
//! lab's grading tests there ([`build`]), and runs the tests as processes ([`sweep`]) that can
//! hang, abort or print without end as they please ([`process`]).
//!
//! Results go to standard output, progress to standard error.

mod bugs;
mod build;
mod cli;
mod error;
mod interrupt;
mod markdown;
mod patch;
mod pool;
mod process;
mod progress;
mod report;
mod scratch;
mod session;
mod sweep;
mod variants;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::error::{Error, Exit};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            error.print().ok(); // Nobody is left to be told if standard error is closed.
            // Help is not an error; clap's own code 2 would mean "inconclusive" here.
            return if error.use_stderr() { Exit::Harness } else { Exit::Passed }.into();
        }
    };
    let result = match &cli.command {
        Command::Bugs(options) => bugs::run(options),
        Command::Variants(options) => variants::run(options),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("error: {error}");
            Exit::from(&error).into()
        }
    }
}

impl From<&Error> for Exit {
    fn from(error: &Error) -> Self {
        match error {
            Error::NothingMatched(_) => Exit::NothingMatched,
            Error::Interrupted => Exit::Interrupted,
            Error::Harness(_) => Exit::Harness,
        }
    }
}
