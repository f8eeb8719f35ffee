//! One process of a test binary: its environment, its nonce, its output, its end.

use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, PipeReader, Read as _, Write as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::children::{Children, Killed};
use crate::error::Error;
use crate::record::{self, Record};
use crate::test_case::{TestCase, World};

/// What the environment may say about a run, and must not say to ours.
const SETTINGS: [&str; 7] =
    ["LAB_SEED", "LAB_RUNS", "LAB_POLICY", "LAB_RUNTIME", "LAB_REPORT", "LAB_NONCE_FD", "VERBOSE"];

/// Bytes of a log that are kept; a student's log inside a loop must not fill the disk.
const LOG_LIMIT: usize = 64 << 20;

/// Bytes of output that are kept for the case that a process ends without a record.
const TAIL: usize = 8 << 10;

/// How long a process that left our group may go on holding our pipe.
const GRACE: Duration = Duration::from_secs(2);

/// Where the output of a process goes.
#[derive(Clone, Debug)]
pub(crate) enum Output {
    /// Nowhere, but for its end.
    Dropped,
    /// To this file, with the log switched on.
    Log(PathBuf),
    /// To our standard output, with the log switched on.
    Shown,
}

/// What a process is to do.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    /// The test.
    pub(crate) case: &'a TestCase,
    /// In which world it runs.
    pub(crate) world: &'a World,
    /// The first seed.
    pub(crate) seed: u64,
    /// How many seeds, counting up.
    pub(crate) runs: u64,
    /// Where its output goes.
    pub(crate) output: Output,
    /// A file for the records, which does not exist yet.
    pub(crate) report: &'a Path,
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit status, which is only believed where no student code runs.
    pub(crate) status: ExitStatus,
    /// Whether and why we ended it.
    pub(crate) killed: Option<Killed>,
    /// The records that carry our nonce.
    pub(crate) records: Vec<Record>,
    /// The end of its output, to be shown and never to be judged by.
    pub(crate) tail: String,
}

/// Runs a process to its end.
///
/// # Errors
/// If it cannot be started, or its records cannot be read.
pub(crate) fn run(launch: &Launch<'_>, children: &Children) -> Result<Ended, Error> {
    let nonce = fresh_nonce();
    let broken = |error: io::Error| Error::harness(format!("cannot make a pipe: {error}"));
    let (nonce_reader, mut nonce_writer) = pipe().map_err(broken)?;
    nonce_writer.write_all(nonce.as_bytes()).map_err(broken)?;
    drop(nonce_writer);
    let (reader, writer) = pipe().map_err(broken)?;
    let mut command = command(launch);
    command.stdin(nonce_reader).stdout(writer.try_clone().map_err(broken)?).stderr(writer);
    let binary = &launch.case.binary.path;
    let mut child = command.spawn().map_err(Error::file("run", binary))?;
    drop(command); // It holds our ends of the pipe, which would never be at its end.
    let log = open_log(&launch.output)?;
    let (done, tail) = mpsc::channel();
    thread::spawn(move || done.send(drain(reader, log)).ok());
    let killed = children.wait(&mut child, launch.report);
    let status = child.wait().map_err(Error::file("wait for", binary))?;
    let tail = tail.recv_timeout(GRACE).unwrap_or_default();
    let mut records = record::read(launch.report)?;
    records.retain(|record| record.nonce == nonce);
    fs::remove_file(launch.report).ok(); // There is none if the process ended early.
    Ok(Ended { status, killed, records, tail })
}

/// The command line and environment of a process.
fn command(launch: &Launch<'_>) -> Command {
    let Launch { case, world, seed, runs, output, report } = launch;
    let mut command = Command::new(&case.binary.path);
    SETTINGS.iter().for_each(|name| {
        command.env_remove(name);
    });
    command
        .args(["--exact", &case.path, "--test-threads", "1"])
        .current_dir(&case.binary.directory)
        .env("CARGO_MANIFEST_DIR", &case.binary.directory)
        .env("LAB_SEED", seed.to_string())
        .env("LAB_RUNS", runs.to_string())
        .env("LAB_REPORT", report)
        .env("LAB_NONCE_FD", "0") // Its standard input.
        .process_group(0);
    match &world.policy {
        Some(policy) => command.env("LAB_POLICY", policy),
        None => command.env("LAB_RUNTIME", "real"),
    };
    if !matches!(output, Output::Dropped) {
        command.arg("--nocapture").env("VERBOSE", "1");
    }
    command
}

/// Where the log goes, if anywhere.
fn open_log(output: &Output) -> Result<Option<Box<dyn io::Write + Send>>, Error> {
    Ok(match output {
        Output::Dropped => None,
        Output::Log(path) => {
            Some(Box::new(File::create(path).map_err(Error::file("write", path))?))
        }
        Output::Shown => Some(Box::new(io::stdout())),
    })
}

/// Reads a process's output to its end, copies what fits into the log, and returns the last of it.
fn drain(mut reader: PipeReader, mut log: Option<Box<dyn io::Write + Send>>) -> String {
    let mut tail = Vec::new();
    let mut block = vec![0; 1 << 16];
    let mut room = LOG_LIMIT;
    while let Ok(n @ 1..) = reader.read(&mut block) {
        tail.extend_from_slice(&block[..n]);
        tail.drain(..tail.len().saturating_sub(TAIL));
        let Some(file) = &mut log else { continue };
        let kept = n.min(room);
        room -= kept;
        let mut written = file.write_all(&block[..kept]);
        if room == 0 {
            let limit = LOG_LIMIT >> 20;
            written = writeln!(file, "\nlab: the log goes on, but {limit} MiB are kept");
        }
        if room == 0 || written.is_err() {
            log = None; // A full disk costs the log, not the verdict.
        }
    }
    String::from_utf8_lossy(&tail).into_owned()
}

/// A word that nobody can guess.
fn fresh_nonce() -> String {
    let draw = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", draw(), draw())
}

/// A fresh first seed, short enough to be typed.
pub(crate) fn fresh_seed() -> u64 {
    RandomState::new().hash_one(std::process::id()) % 1_000_000_000
}
