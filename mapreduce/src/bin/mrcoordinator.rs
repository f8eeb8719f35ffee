//! The coordinator of a MapReduce job.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use labrpc::Server;
use labrpc::socket::{self, Address, Listener};
use mapreduce::command::{self, DEFAULT_SOCKET, FAILED, USAGE, fail};
use mapreduce::{Coordinator, DEFAULT_SPLIT_SIZE, Progress, TASK_TIMEOUT, cut};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// How often progress is shown, and an interrupt is looked for.
const GLANCE: Duration = Duration::from_millis(100);

/// Command line.
#[derive(Parser)]
#[command(
    about = "Coordinates a MapReduce job in the current directory, into mr-out-0, mr-out-1, ...\n\n\
    Start any number of workers in the same directory. A new job removes the files of the last one\n\
    (mr-X-Y, mr-out-Y); an interrupted job removes its own, so running it again starts afresh.\n\n\
    Exit codes: 0 done, 1 the job failed or was interrupted, 5 wrong usage or a file or socket that\n\
    cannot be used."
)]
struct Args {
    /// Number of reduce tasks, and of outputs
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    reduces: u32,
    /// Path of the Unix-domain socket to listen at
    #[arg(long, value_name = "PATH", default_value = DEFAULT_SOCKET)]
    socket: PathBuf,
    /// Listen at host:port instead of a socket
    #[arg(long, value_name = "ADDR", conflicts_with = "socket")]
    listen: Option<Address>,
    /// Largest input of one map task, in bytes or with K, M, G: larger files are cut at line ends
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_SPLIT_SIZE, value_parser = command::parse_size)]
    split_size: u64,
    /// Seconds that a worker may take for a task before another one gets it
    #[arg(long, value_name = "SECONDS", default_value_t = TASK_TIMEOUT.as_secs(), value_parser = clap::value_parser!(u64).range(1..))]
    task_timeout: u64,
    /// Input files, or patterns such as 'pg-*.txt'
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
}

fn main() -> ExitCode {
    let args: Args = match command::parse() {
        Ok(args) => args,
        Err(code) => return code,
    };
    match start(args) {
        Ok((coordinator, listener)) => see_through(&coordinator, listener),
        Err(problem) => fail("mrcoordinator", USAGE, problem),
    }
}

/// Opens the job and its socket. The socket comes first: where another coordinator listens, its
/// files must not be touched.
fn start(args: Args) -> Result<(Coordinator, Listener), String> {
    let files = expand(&args.files)?;
    let splits = cut(&files, args.split_size).map_err(|error| error.to_string())?;
    let timeout = Duration::from_secs(args.task_timeout);
    let address = args.listen.unwrap_or(Address::Unix(args.socket));
    let coordinator = Coordinator::new(splits, args.reduces, timeout, Path::new("."));
    let listener = socket::listen(&address, Server::new().with(coordinator.service()))
        .map_err(|error| format!("cannot listen at {address}: {error}"))?;
    coordinator.open().map_err(|error| error.to_string())?;
    Ok((coordinator, listener))
}

/// The files that patterns stand for, in order. A name without wildcards stands for itself.
fn expand(patterns: &[String]) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    for pattern in patterns {
        if Path::new(pattern).exists() {
            files.push(pattern.clone());
            continue;
        }
        let matches = glob::glob(pattern).map_err(|error| format!("{pattern}: {error}"))?;
        let before = files.len();
        for path in matches {
            let path = path.map_err(|error| error.to_string())?;
            let name = path.to_str().ok_or(format!("{}: the name is not UTF-8", path.display()))?;
            files.push(name.to_string());
        }
        if files.len() == before {
            return Err(format!("{pattern}: there is no such file"));
        }
    }
    Ok(files)
}

/// Waits for the end of the job, or an interrupt.
fn see_through(coordinator: &Coordinator, listener: Listener) -> ExitCode {
    let is_interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        if let Err(error) = flag::register(signal, Arc::clone(&is_interrupted)) {
            return fail("mrcoordinator", USAGE, error);
        }
    }
    let bar = ProgressBar::new(0); // Hidden by itself if standard error is no terminal.
    let style = ProgressStyle::with_template("{elapsed_precise} [{bar:30}] {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let result = loop {
        show(&bar, &coordinator.progress());
        if is_interrupted.load(Relaxed) {
            break Err("interrupted: all files of the job are removed".to_string());
        }
        if let Some(result) = coordinator.wait(GLANCE) {
            break result.map_err(|reason| format!("the job has failed: {reason}"));
        }
    };
    show(&bar, &coordinator.progress());
    bar.abandon();
    let cleared = match &result {
        _ if is_interrupted.load(Relaxed) => coordinator.cancel(),
        _ => coordinator.say_farewell(),
    };
    listener.shutdown();
    match (result, cleared) {
        (Ok(()), Ok(())) => ExitCode::SUCCESS,
        (Err(problem), _) => fail("mrcoordinator", FAILED, problem),
        (_, Err(error)) => fail("mrcoordinator", USAGE, error),
    }
}

/// Shows how far the job is.
fn show(bar: &ProgressBar, progress: &Progress) {
    let Progress { maps_done, maps, reduces_done, reduces, running, reassigned } = progress;
    bar.set_length((maps + reduces) as u64);
    bar.set_position((maps_done + reduces_done) as u64);
    bar.set_message(format!(
        "map {maps_done}/{maps}  reduce {reduces_done}/{reduces}  running {running}  \
         reassigned {reassigned}"
    ));
}
