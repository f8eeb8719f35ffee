//! `cargo lab`: the student's command.
//!
//! It has cargo build the grading tests, runs each test and seed in a process of its own, and
//! judges by the completion record that the process leaves, never by what it prints. It links no
//! lab, so a lab that does not compile costs only itself.
//!
//! | file | what it does |
//! |---|---|
//! | `cli` | the command line |
//! | `catalog`, `select` | `labs.toml`, and which of its tests a person means |
//! | `compile`, `test_case` | cargo builds, and what came out |
//! | `process`, `children` | one process: environment, output, end; all of them, and their groups |
//! | `record`, `judge`, `run_result` | completion records, and the verdict on a run |
//! | `runner`, `planner`, `pool` | a piece of work, what there is to do, and the workers |
//! | `run_dir`, `plan`, `stats`, `summary` | what is kept, resumed, counted and shown |
//! | `test`, `stress`, `replay`, `logs`, `list`, `explain`, `merge` | the commands |

mod catalog;
mod children;
mod cli;
mod clock;
mod compile;
mod error;
mod explain;
mod judge;
mod list;
mod logs;
mod merge;
mod plan;
mod planner;
mod pool;
mod process;
mod progress;
mod record;
mod replay;
mod run_dir;
mod run_result;
mod runner;
mod select;
mod stats;
mod stress;
mod summary;
mod table;
mod term;
mod test;
mod test_case;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::error::Error;
use crate::term::{BAD, paint};

/// The exit code for a command line that makes no sense; clap's own is 2, which means something
/// else here.
const USAGE: u8 = 5;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            error.print().ok(); // Nobody is left to hear that this failed.
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    let status = match &cli.command {
        Command::Test(args) => test::run(args),
        Command::Stress(args) => stress::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Logs(args) => logs::run(args),
        Command::List(args) => list::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Merge(args) => merge::run(args),
    };
    match status {
        Ok(status) => status.into(),
        Err(error) => {
            if !matches!(error, Error::Interrupted) {
                anstream::eprintln!("{} {error}", paint(BAD, "error:"));
            }
            ExitCode::from(error.exit_code())
        }
    }
}
