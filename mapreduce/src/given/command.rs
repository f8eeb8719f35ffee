//! What the programs have in common: the command line, addresses, errors, and exit codes.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Parser;
use labrpc::socket::{self, Address, Limits, Options};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::Worker;
use crate::given::app::App;
use crate::given::message::escaped;
use crate::given::{descriptors, log_lines};

/// The socket of a coordinator unless the user says otherwise: in the job's directory, so that jobs
/// in different directories do not meet.
pub const DEFAULT_SOCKET: &str = "mr.sock";

/// Exit code: the job failed, or was interrupted.
pub const FAILED: u8 = 1;

/// Exit code: the program cannot do what it was asked to, and has changed nothing.
pub const USAGE: u8 = 5;

/// Exit code: that of Rust for a panic.
const PANICKED: i32 = 101;

/// Parses the command line and begins to print warnings. `RUST_LOG=info` prints more.
///
/// # Errors
/// The exit code, after help or an error was printed.
pub fn parse<C: Parser>() -> Result<C, ExitCode> {
    log_lines::start();
    end_at_missing_code();
    C::try_parse().map_err(|error| {
        error.print().ok(); // If that is impossible, there is no other place to print it.
        if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
    })
}

/// From now on a call of a function that is not written yet ends the process, in every task: the
/// others would wait without success.
fn end_at_missing_code() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        if panic.payload_as_str().is_some_and(|message| message.contains("is not written yet: ")) {
            std::process::exit(PANICKED);
        }
    }));
}

/// Prints an error of the program `name` and returns its exit code.
pub fn fail(name: &str, code: u8, problem: impl std::fmt::Display) -> ExitCode {
    say(name, problem);
    ExitCode::from(code)
}

/// Prints what the program `name` has to say, on one line, if standard error can be written.
pub fn say(name: &str, message: impl std::fmt::Display) {
    writeln!(io::stderr(), "{name}: {}", escaped(&message.to_string())).ok();
}

/// What a coordinator grants to workers: fewer connections than usual if it may have few files open.
pub fn limits() -> Limits {
    let usual = Limits::default();
    Limits { max_connections: descriptors::connections(usual.max_connections), ..usual }
}

/// A flag that becomes true at Ctrl-C, or when the process is asked to terminate.
///
/// # Errors
/// If the system refuses.
pub fn interrupt_flag() -> io::Result<Arc<AtomicBool>> {
    let is_interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register(signal, Arc::clone(&is_interrupted))?;
    }
    Ok(is_interrupted)
}

/// A number of bytes: `16777216`, `16384K`, `16M` or `1G`.
///
/// # Errors
/// If it is not a size, for the user.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let (digits, factor) = match text.char_indices().last() {
        Some((end, 'K' | 'k')) => (&text[..end], 1 << 10),
        Some((end, 'M' | 'm')) => (&text[..end], 1 << 20),
        Some((end, 'G' | 'g')) => (&text[..end], 1 << 30),
        _ => (text, 1),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "the size must be a number, or one with K, M or G".to_string())?;
    let size = number.checked_mul(factor).ok_or("the size must be less than 16777216 TB")?;
    if size == 0 { Err("the size must be at least 1 byte".to_string()) } else { Ok(size) }
}

/// Command line of a worker.
#[derive(Debug, Parser)]
#[command(about = "Runs map and reduce tasks for a coordinator until the job is done.\n\n\
    Start it in the coordinator's directory. All workers of a job run the same app with the same\n\
    arguments; the first worker decides which.\n\n\
    Exit codes: 0 the job is done, 1 it has failed or its coordinator is gone, 5 wrong usage, or the\n\
    worker does not fit the job: another app, version or directory.")]
pub struct WorkerArgs {
    /// Path of the coordinator's Unix-domain socket
    #[arg(long, value_name = "PATH", default_value = DEFAULT_SOCKET)]
    socket: PathBuf,
    /// Address of the coordinator as host:port, instead of a socket
    #[arg(long, value_name = "ADDR", conflicts_with = "socket")]
    connect: Option<Address>,
    /// Number of tasks to run at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    slots: u32,
    /// Send every pair to the reduce tasks, even if the app has a combiner
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
    let name = "mrworker";
    let app = match find_app(find, args.app.clone()) {
        Ok((app, rest)) if rest.is_empty() => app,
        Ok((_, rest)) => {
            return fail(name, USAGE, format!("unexpected argument '{}'", rest.join(" ")));
        }
        Err(problem) => return fail(name, USAGE, problem),
    };
    if let Err(problem) = descriptors::check(args.slots) {
        return fail(name, USAGE, problem);
    }
    let address = args.connect.unwrap_or(Address::Unix(args.socket));
    let worker = Worker {
        app,
        app_name: args.app,
        coordinator: socket::connect(&address, Options::default()),
        slots: args.slots,
        combine: !args.no_combiner,
        directory: PathBuf::from("."),
    };
    match worker.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = if error.is_refusal() { USAGE } else { FAILED };
            fail(name, code, format!("{address}: {error}"))
        }
    }
}

/// The app that the first of `words` names, and the words that follow its arguments.
///
/// # Errors
/// If there is no such app, or an argument is missing or wrong, for the user.
pub fn find_app(
    find: FindApp,
    mut words: Vec<String>,
) -> Result<(Box<dyn App>, Vec<String>), String> {
    if words.is_empty() {
        return Err("an app is missing".to_string());
    }
    let name = words.remove(0);
    let app = find(&name, &mut words)?;
    Ok((app, words))
}
