//! The coordinator of a MapReduce job.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use labrpc::Server;
use labrpc::socket::{self, Address, Listener};
use mapreduce::command::{self, DEFAULT_SOCKET, FAILED, USAGE, fail, say};
use mapreduce::{
    Claim, Coordinator, DEFAULT_SPLIT_SIZE, JobDirectory, JobStatus, TASK_TIMEOUT, cut,
};

/// The name of this program.
const NAME: &str = "mrcoordinator";

/// How often progress is shown, and interrupts and missing workers are looked for.
const GLANCE: Duration = Duration::from_millis(100);

/// How often in a row workers must be missing before the user is told: a coordinator that was
/// stopped for a while first hears the workers that are still there.
const GLANCES_WITHOUT_WORKERS: u32 = 10;

/// Command line.
#[derive(Parser)]
#[command(
    about = "Coordinates a MapReduce job in the current directory, which writes mr-out-0, mr-out-1, ...\n\n\
    Start any number of workers in the same directory. One job at a time runs in a directory. It\n\
    refuses to start if files of an earlier job are there (mr-X-Y, mr-out-Y), unless --replace is\n\
    given. A job that fails or is interrupted removes the files that it has made.\n\n\
    Exit codes: 0 done, 1 the job failed or was interrupted, 5 wrong usage, or a file, directory or\n\
    socket that cannot be used; nothing has changed then."
)]
struct Args {
    /// Number of reduce tasks, and of outputs
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    reduces: u32,
    /// Path of the Unix-domain socket to listen at
    #[arg(long, value_name = "PATH", default_value = DEFAULT_SOCKET)]
    socket: PathBuf,
    /// Listen at host:port, instead of a socket
    #[arg(long, value_name = "ADDR", conflicts_with = "socket")]
    listen: Option<Address>,
    /// Largest input of a map task in bytes, or with K, M or G: larger files are cut at line ends
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_SPLIT_SIZE, value_parser = command::parse_size)]
    split_size: u64,
    /// Seconds that a worker may take for a task before another one gets it
    #[arg(long, value_name = "SECONDS", default_value_t = TASK_TIMEOUT.as_secs(), value_parser = clap::value_parser!(u64).range(1..))]
    task_timeout: u64,
    /// First remove the files of an earlier job: mr-out-Y, mr-tmp-*, and mr-X-Y that this job makes
    #[arg(long)]
    replace: bool,
    /// Input files, or patterns such as 'pg-*.txt'
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
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
    match start(args) {
        Ok((coordinator, listener)) => match coordinator.open() {
            Ok(()) => see_through(&coordinator, listener, &is_interrupted),
            Err(error) => fail(NAME, FAILED, error),
        },
        Err(problem) => fail(NAME, USAGE, problem),
    }
}

/// Claims the directory and opens the socket, which changes no file of the user's.
fn start(args: Args) -> Result<(Coordinator, Listener), String> {
    let files = expand(&args.files)?;
    let splits = cut(&files, args.split_size).map_err(|error| error.to_string())?;
    let timeout = Duration::from_secs(args.task_timeout);
    let claim = Claim {
        inputs: &splits,
        maps: splits.len(),
        reduces: args.reduces,
        socket: args.listen.is_none().then_some(&*args.socket),
        replace: args.replace,
    };
    let directory = JobDirectory::claim(Path::new("."), &claim)?;
    let coordinator = Coordinator::new(splits, args.reduces, timeout, directory);
    let address = args.listen.unwrap_or(Address::Unix(args.socket));
    let server = Server::new().with(coordinator.service());
    let listener = socket::listen_with(&address, server, command::limits())
        .map_err(|error| format!("cannot listen at {address}: {error}"))?;
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
            let name = path
                .to_str()
                .ok_or(format!("{}: the name of the file is not UTF-8", path.display()))?;
            files.push(name.to_string());
        }
        if files.len() == before {
            return Err(format!("{pattern}: no such file"));
        }
    }
    Ok(files)
}

/// Waits for the end of the job, or an interrupt.
fn see_through(
    coordinator: &Coordinator,
    listener: Listener,
    is_interrupted: &AtomicBool,
) -> ExitCode {
    let bar = ProgressBar::new(0); // Hidden by itself if standard error is not a terminal.
    let style = ProgressStyle::with_template("{elapsed_precise} [{bar:30}] {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut without_workers = 0;
    let result = loop {
        show(&bar, &coordinator.status());
        if is_interrupted.load(Relaxed) {
            break Err("interrupted: the files of the job are removed".to_string());
        }
        if let Some(result) = coordinator.wait(GLANCE) {
            break result.map_err(|reason| format!("the job has failed: {reason}"));
        }
        let missing = coordinator.missing_workers();
        without_workers = if missing.is_some() { without_workers + 1 } else { 0 };
        if without_workers == GLANCES_WITHOUT_WORKERS
            && let Some(message) = missing
        {
            bar.suspend(|| say(NAME, message));
        }
    };
    show(&bar, &coordinator.status());
    bar.abandon();
    let cleared = match &result {
        _ if is_interrupted.load(Relaxed) => coordinator.cancel(),
        _ => coordinator.finish(),
    };
    listener.shutdown();
    coordinator.release();
    match (result, cleared) {
        (Ok(()), Ok(())) => ExitCode::SUCCESS,
        (Err(problem), Ok(())) => fail(NAME, FAILED, problem),
        (Ok(()), Err(error)) => fail(NAME, FAILED, error),
        (Err(problem), Err(error)) => fail(NAME, FAILED, format!("{problem}; {error}")),
    }
}

/// Shows how far the job is.
fn show(bar: &ProgressBar, status: &JobStatus) {
    let JobStatus { maps_done, maps, reduces_done, reduces, running, reassigned } = status;
    bar.set_length((maps + reduces) as u64);
    bar.set_position((maps_done + reduces_done) as u64);
    bar.set_message(format!(
        "map {maps_done}/{maps}  reduce {reduces_done}/{reduces}  running {running}  \
         reassigned {reassigned}"
    ));
}
