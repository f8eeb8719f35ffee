//! A MapReduce job in one process.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use mapreduce::command::{self, USAGE, fail};
use mapreduce::{DEFAULT_SPLIT_SIZE, apps, cut, sequential};

/// Command line.
#[derive(Parser)]
#[command(about = "Runs a whole MapReduce job in one process, into mr-out-0.\n\n\
    Exit codes: 0 done, 5 wrong usage or a file that cannot be read or written.")]
struct Args {
    /// Largest input of one map call, in bytes or with K, M, G: larger files are cut at line ends
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_SPLIT_SIZE, value_parser = command::parse_size)]
    split_size: u64,
    /// The app, its arguments, and the input files: wc FILE..., indexer FILE..., or grep PATTERN
    /// FILE...
    #[arg(value_name = "APP FILE", required = true, num_args = 1..)]
    app_and_files: Vec<String>,
}

fn main() -> ExitCode {
    let args: Args = match command::parse() {
        Ok(args) => args,
        Err(code) => return code,
    };
    let run = || {
        let (app, files) = command::find_app(apps::find, args.app_and_files)?;
        if files.is_empty() {
            return Err("name at least one input file".to_string());
        }
        let splits = cut(&files, args.split_size).map_err(|error| error.to_string())?;
        sequential::run(&*app, &splits, Path::new(".")).map_err(|error| error.to_string())
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => fail("mrsequential", USAGE, problem),
    }
}
