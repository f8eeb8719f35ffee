//! One process: how it is started, watched, and what is known of it when it is over.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, PipeReader, Write, pipe};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::Error;
use crate::launch::{Request, Word, end_strays};
use crate::stop::Stop;
use crate::streams::Streams;

/// Bytes of output that are kept for the case that a process ends without a record.
const TAIL: usize = 8 << 10;

/// Bytes that a process may send over the socket; a record with its report and a thousand events
/// has some hundred thousand.
const RECORD: usize = 16 << 20;

/// How long a launcher may take to end the run. It needs milliseconds, unless it is stopped too.
const GRACE: Duration = Duration::from_secs(5);

/// What a process may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Real time.
    pub wall: Duration,
    /// Processor time, in whole seconds; each process of the run may use as much.
    pub cpu: Option<Duration>,
    /// Bytes that it may print.
    pub output: u64,
}

/// How a process came to its end.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The launcher's last word; `None` if it was killed.
    pub(crate) word: Option<Word>,
    /// Whether and why it was the judge who ended it.
    pub(crate) stopped: Option<Stopped>,
    /// What arrived over the socket.
    pub(crate) record: Vec<u8>,
    /// The end of its output, to be shown and never to be judged by.
    pub(crate) tail: String,
}

/// Why a judge ends a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// It took too long.
    Late,
    /// It printed too much.
    Verbose,
    /// Its result is not wanted any more.
    Unwanted,
}

/// The launchers that are running, of all judges in this process.
static LAUNCHERS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Their process ids.
fn launchers() -> MutexGuard<'static, BTreeSet<i32>> {
    LAUNCHERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process that is about to be started.
pub(crate) struct Process<'a> {
    /// What starts it: a program that calls [`crate::launcher_main`].
    pub(crate) launcher: &'a [OsString],
    /// The test.
    pub(crate) command: Command,
    /// What it is told.
    pub(crate) assignment: String,
    pub(crate) limits: Limits,
    pub(crate) stop: &'a Stop,
}

/// A launcher that runs, and what leads to it and to its test.
struct Running {
    launcher: Child,
    socket: UnixStream,
    control: UnixStream,
    output: PipeReader,
}

/// What has been read so far.
struct Seen<'a> {
    words: Vec<u8>,
    record: Vec<u8>,
    tail: Vec<u8>,
    printed: u64,
    log: &'a mut dyn Write,
}

impl Process<'_> {
    /// Runs it to its end, and copies its output to `log`.
    ///
    /// # Errors
    /// If the launcher cannot be started.
    pub(crate) fn run(self, log: &mut dyn Write) -> Result<Ended, Error> {
        let trouble = |error| Error::harness(format!("cannot run a test: {error}"));
        let running = self.start().map_err(trouble)?;
        let Running { mut launcher, mut socket, control, output } = running;
        // A process that dies at once does not read it; its run has failed then.
        socket.write_all(self.assignment.as_bytes()).ok();
        let mut watch = Watch {
            control: control.try_clone().map_err(trouble)?,
            process: &self,
            started: Instant::now(),
            stopped: None,
            told: None,
        };
        let mut streams: Streams<Seen<'_>> = Streams::new();
        streams.until_end(OwnedFd::from(control), |seen, bytes| seen.words.extend(bytes));
        streams.meanwhile(OwnedFd::from(socket), |seen, bytes| {
            let room = RECORD.saturating_sub(seen.record.len()).min(bytes.len());
            seen.record.extend_from_slice(&bytes[..room]);
        });
        streams.meanwhile(OwnedFd::from(output), |seen, bytes| {
            seen.printed += bytes.len() as u64;
            seen.tail.extend_from_slice(bytes);
            seen.tail.drain(..seen.tail.len().saturating_sub(TAIL));
            seen.log.write_all(bytes).ok(); // A full disk costs the log, not the verdict.
        });
        let (words, record, tail) = Default::default();
        let mut seen = Seen { words, record, tail, printed: 0, log };
        streams.read(&mut seen, |seen| watch.look(&mut launcher, seen)).map_err(trouble)?;
        launcher.wait().map_err(trouble)?;
        launchers().remove(&id_of(&launcher));
        let word = Word::parse_all(&seen.words).pop();
        let word = word.filter(|word| !matches!(word, Word::Started(_)));
        if word.is_none() {
            watch.clean_up(&seen);
        }
        let tail = String::from_utf8_lossy(&seen.tail).into_owned();
        Ok(Ended { word, stopped: watch.stopped, record: seen.record, tail })
    }

    /// Starts the launcher.
    fn start(&self) -> io::Result<Running> {
        let (socket, its_socket) = UnixStream::pair()?;
        let (control, its_control) = UnixStream::pair()?;
        let (output, its_output) = pipe()?;
        let mut command = Command::new(&self.launcher[0]);
        command.args(&self.launcher[1..]);
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(directory) = self.command.get_current_dir() {
            command.current_dir(directory);
        }
        let request = Request {
            program: self.command.get_program().to_owned(),
            arguments: self.command.get_args().map(ToOwned::to_owned).collect(),
            cpu_seconds: self.limits.cpu.map(|limit| limit.as_secs().max(1)),
        };
        request.give_to(&mut command);
        command
            .stdin(OwnedFd::from(its_socket))
            .stdout(its_output)
            .stderr(OwnedFd::from(its_control))
            .process_group(0);
        let mut ids = launchers();
        // Dropping the command closes our copies of its ends.
        let launcher = command.spawn()?;
        ids.insert(id_of(&launcher));
        Ok(Running { launcher, socket, control, output })
    }
}

/// The process id of a launcher.
fn id_of(launcher: &Child) -> i32 {
    Pid::from_child(launcher).as_raw_nonzero().get()
}

/// Looks whether a process should end, and sees to it that it does.
struct Watch<'a> {
    control: UnixStream,
    process: &'a Process<'a>,
    started: Instant,
    stopped: Option<Stopped>,
    /// When the launcher was told.
    told: Option<Instant>,
}

impl Watch<'_> {
    /// Looks once.
    fn look(&mut self, launcher: &mut Child, seen: &Seen<'_>) {
        if let Some(told) = self.told {
            if told.elapsed() > GRACE {
                launcher.kill().ok(); // It has ended by itself.
                self.clean_up(seen);
            }
            return;
        }
        let limits = self.process.limits;
        let stopped = if self.process.stop.is_requested() {
            Stopped::Unwanted
        } else if self.started.elapsed() > limits.wall {
            Stopped::Late
        } else if seen.printed > limits.output {
            Stopped::Verbose
        } else {
            return;
        };
        self.stopped = Some(stopped);
        self.told = Some(Instant::now());
        self.control.shutdown(Shutdown::Write).ok(); // The launcher may just have ended.
    }

    /// Ends the test of a launcher that was killed and cannot do it.
    fn clean_up(&self, seen: &Seen<'_>) {
        for word in Word::parse_all(&seen.words) {
            if let Word::Started(group) = word
                && let Some(group) = Pid::from_raw(group)
            {
                kill_process_group(group, Signal::KILL).ok(); // Nothing may be left of it.
            }
        }
        end_strays(&launchers());
    }
}
