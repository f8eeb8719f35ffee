//! A MapReduce job in one process.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use mapreduce::command::{self, FAILED, USAGE, fail};
use mapreduce::{Claim, DEFAULT_SPLIT_SIZE, JobDirectory, apps, cut, sequential};

/// The name of this program.
const NAME: &str = "mrsequential";

/// Command line.
#[derive(Parser)]
#[command(
    about = "Runs a whole MapReduce job in one process, and writes mr-out-0 in the current directory.\n\n\
    It refuses to start if outputs of an earlier job are there, unless --replace is given.\n\n\
    Exit codes: 0 done, 1 interrupted, or a file cannot be read or written, 5 wrong usage, or a file\n\
    that cannot be used; nothing has changed then."
)]
struct Args {
    /// Largest input of a map call in bytes, or with K, M or G: larger files are cut at line ends
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_SPLIT_SIZE, value_parser = command::parse_size)]
    split_size: u64,
    /// First remove the files of an earlier job: mr-out-Y and mr-tmp-*
    #[arg(long)]
    replace: bool,
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
    let is_interrupted = match command::interrupt_flag() {
        Ok(flag) => flag,
        Err(error) => return fail(NAME, USAGE, error),
    };
    let start = || {
        let (app, files) = command::find_app(apps::find, args.app_and_files)?;
        if files.is_empty() {
            return Err("an input file is missing".to_string());
        }
        let splits = cut(&files, args.split_size).map_err(|error| error.to_string())?;
        let claim =
            Claim { inputs: &splits, maps: 0, reduces: 1, socket: None, replace: args.replace };
        let directory = JobDirectory::claim(Path::new("."), &claim)?;
        Ok((app, splits, directory))
    };
    match start() {
        Ok((app, splits, mut directory)) => {
            match sequential::run(&*app, &splits, &mut directory, &is_interrupted) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(NAME, FAILED, error),
            }
        }
        Err(problem) => fail(NAME, USAGE, problem),
    }
}
