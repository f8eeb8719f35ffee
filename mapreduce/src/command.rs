//! What the programs have in common: the command line, addresses, and exit codes.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use labrpc::socket::{self, Address, Options};

use crate::app::App;
use crate::worker::Worker;

/// The socket of a coordinator, unless the user says otherwise: in the job's directory, so jobs of
/// one user do not get in each other's way.
pub const DEFAULT_SOCKET: &str = "mr.sock";

/// Exit code: the job failed, or was interrupted.
pub const FAILED: u8 = 1;

/// Exit code: wrong usage, or the system refuses what is needed.
pub const USAGE: u8 = 5;

/// Parses the command line and begins to print warnings. `RUST_LOG=info` prints more.
///
/// # Errors
/// The exit code, after help or an error was printed.
pub fn parse<C: Parser>() -> Result<C, ExitCode> {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    C::try_parse().map_err(|error| {
        error.print().ok(); // If standard error is closed, there is nobody to tell.
        if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
    })
}

/// Prints an error of the program `name` and returns its exit code.
pub fn fail(name: &str, code: u8, problem: impl std::fmt::Display) -> ExitCode {
    eprintln!("{name}: {problem}");
    ExitCode::from(code)
}

/// A number of bytes: `16777216`, `16384K`, `16M` or `1G`.
///
/// # Errors
/// What is wrong with it.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let (digits, factor) = match text.char_indices().last() {
        Some((end, 'K' | 'k')) => (&text[..end], 1 << 10),
        Some((end, 'M' | 'm')) => (&text[..end], 1 << 20),
        Some((end, 'G' | 'g')) => (&text[..end], 1 << 30),
        _ => (text, 1),
    };
    let number: u64 = digits.parse().map_err(|_| "give a number, and K, M or G".to_string())?;
    let size = number.checked_mul(factor).ok_or("this is too much")?;
    if size == 0 { Err("nothing fits into nothing".to_string()) } else { Ok(size) }
}

/// Command line of a worker.
#[derive(Debug, Parser)]
#[command(about = "Runs map and reduce tasks for a coordinator until the job is done.\n\n\
    Exit codes: 0 the job is done, 1 it failed or its coordinator is gone, 5 wrong usage.")]
pub struct WorkerArgs {
    /// Path of the coordinator's Unix-domain socket
    #[arg(long, value_name = "PATH", default_value = DEFAULT_SOCKET)]
    socket: PathBuf,
    /// Where the coordinator listens, host:port, instead of a socket
    #[arg(long, value_name = "ADDR", conflicts_with = "socket")]
    connect: Option<Address>,
    /// Tasks to run at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    slots: u32,
    /// Send every pair to the reduce tasks, even if the app could combine some
    #[arg(long)]
    no_combiner: bool,
    /// The app, and its arguments: wc, indexer, or grep PATTERN
    #[arg(value_name = "APP", required = true, num_args = 1..)]
    app: Vec<String>,
}

/// Finds an app by its name and takes its arguments off a list.
pub type FindApp = fn(&str, &mut Vec<String>) -> Result<Box<dyn App>, String>;

/// The whole of a worker's program, for the apps that `find` knows. Used by the grading tests.
pub fn worker_main(find: FindApp) -> ExitCode {
    let args: WorkerArgs = match parse() {
        Ok(args) => args,
        Err(code) => return code,
    };
    let app = match find_app(find, args.app) {
        Ok((app, rest)) if rest.is_empty() => app,
        Ok((_, rest)) => return fail("mrworker", USAGE, format!("what is '{}'?", rest.join(" "))),
        Err(problem) => return fail("mrworker", USAGE, problem),
    };
    let address = args.connect.unwrap_or(Address::Unix(args.socket));
    let coordinator = socket::connect(&address, Options::default());
    let (slots, combine, directory) = (args.slots, !args.no_combiner, PathBuf::from("."));
    match (Worker { app, coordinator, slots, combine, directory }).run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(left) => fail("mrworker", FAILED, format!("{address}: {left}")),
    }
}

/// The app that stands first in `words`, and what follows its arguments.
///
/// # Errors
/// What is wrong.
pub fn find_app(
    find: FindApp,
    mut words: Vec<String>,
) -> Result<(Box<dyn App>, Vec<String>), String> {
    if words.is_empty() {
        return Err("name an app".to_string());
    }
    let name = words.remove(0);
    let app = find(&name, &mut words)?;
    Ok((app, words))
}
