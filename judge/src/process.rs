//! Starts and supervises the process of one run.

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
use crate::usage::{Excess, Resources};

/// Bytes of output to keep in case that a process ends without a record.
const TAIL: usize = 8 << 10;

/// Bytes that a process may send over the socket. A record with its report and a thousand events
/// has a few hundred thousand bytes.
const RECORD: usize = 16 << 20;

/// The time that a launcher may take to kill the run. It needs milliseconds unless it is stopped.
const GRACE: Duration = Duration::from_secs(5);

/// Changes the command that runs a test before it starts, for example to put it into a sandbox. The
/// command inherits this process's environment: remove the variables that it must not see.
pub type Wrap = Box<dyn Fn(Command) -> Command + Send + Sync>;

/// The limits of a run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Real time.
    pub wall: Duration,
    /// Processor time of each process of the run, in whole seconds.
    pub cpu: Option<Duration>,
    /// Bytes of output.
    pub output: u64,
    /// Memory, processes and files.
    pub resources: Resources,
}

impl Limits {
    /// The limits of a run that may take at most this time.
    pub fn within(self, most: Duration) -> Self {
        Self { wall: self.wall.min(most), cpu: self.cpu.map(|cpu| cpu.min(most)), ..self }
    }

    /// The limits of a process that runs a test twice, or whose checkers are patient.
    pub(crate) fn doubled(self) -> Self {
        let Self { wall, cpu, output, resources } = self;
        Self { wall: wall * 2, cpu: cpu.map(|cpu| cpu * 2), output: output * 2, resources }
    }
}

/// The end of a process.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The launcher's last message; `None` if it was killed.
    pub(crate) word: Option<Word>,
    /// Why the judge stopped the process; `None` if it did not.
    pub(crate) stopped: Option<Stopped>,
    /// The bytes that arrived over the socket.
    pub(crate) record: Vec<u8>,
    /// The end of its output. It is shown but not judged.
    pub(crate) tail: String,
    /// Its recording, if the launcher has sent one.
    pub(crate) recording: Option<String>,
}

impl Ended {
    /// A process that could not be started.
    fn not_started(error: &io::Error) -> Self {
        let word = Some(Word::CannotStart(error.to_string()));
        Self { word, stopped: None, record: Vec::new(), tail: String::new(), recording: None }
    }
}

/// Why a judge stops a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// It took too long.
    Late,
    /// It printed too much.
    Verbose,
    /// It used too much.
    Greedy(Excess),
    /// Its result is not needed any more.
    Unwanted,
}

/// The process ids of the running launchers of all judges in this process.
static LAUNCHERS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn launchers() -> MutexGuard<'static, BTreeSet<i32>> {
    LAUNCHERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process that is about to start.
pub(crate) struct Process<'a> {
    /// The program that starts it; it calls [`crate::launcher_main`].
    pub(crate) launcher: &'a [OsString],
    /// The test.
    pub(crate) command: Command,
    /// The message to the test.
    pub(crate) assignment: String,
    pub(crate) limits: Limits,
    pub(crate) stop: &'a Stop,
}

/// A running launcher, and the channels to it and to its test.
struct Running {
    launcher: Child,
    socket: UnixStream,
    control: UnixStream,
    output: PipeReader,
}

/// The bytes read so far.
struct Seen<'a> {
    words: Vec<u8>,
    record: Vec<u8>,
    tail: Vec<u8>,
    printed: u64,
    log: &'a mut dyn Write,
}

impl Process<'_> {
    /// Runs the process to its end, and copies its output to `log`.
    ///
    /// # Errors
    /// If the launcher cannot be started.
    pub(crate) fn run(self, log: &mut dyn Write) -> Result<Ended, Error> {
        let trouble = |error| Error::harness(format!("cannot run a test: {error}"));
        let running = match self.start() {
            Ok(running) => running,
            // The machine may be short of processes, memory or descriptors.
            Err(error) => return Ok(Ended::not_started(&error)),
        };
        let Running { mut launcher, mut socket, control, output } = running;
        // A process that dies at once does not read it, and its run fails.
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
            seen.log.write_all(bytes).ok(); // A full disk truncates the log but not the verdict.
        });
        let (words, record, tail) = Default::default();
        let mut seen = Seen { words, record, tail, printed: 0, log };
        streams.read(&mut seen, |seen| watch.look(&mut launcher, seen)).map_err(trouble)?;
        launcher.wait().map_err(trouble)?;
        launchers().remove(&id_of(&launcher));
        let mut words = Word::parse_all(&seen.words);
        let exceeded = words.iter().find_map(|word| match word {
            Word::Exceeded(excess) => Some(Stopped::Greedy(*excess)),
            _ => None,
        });
        let is_last = |word: &Word| matches!(word, Word::CannotStart(_) | Word::Ended { .. });
        let word = words.pop_if(|word| is_last(word));
        let recording = words.into_iter().find_map(|word| match word {
            Word::Recorded(recording) => Some(recording),
            _ => None,
        });
        if word.is_none() {
            watch.clean_up(&seen);
        }
        streams.drain(&mut seen).map_err(trouble)?;
        let tail = String::from_utf8_lossy(&seen.tail).into_owned();
        let stopped = watch.stopped.or(exceeded);
        Ok(Ended { word, stopped, record: seen.record, tail, recording })
    }

    /// Starts the launcher.
    fn start(&self) -> io::Result<Running> {
        // Held from here on: where descriptors become close-on-exec only after they are made, no
        // other launcher must inherit these.
        let mut ids = launchers();
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
            resources: self.limits.resources,
        };
        request.give_to(&mut command);
        command
            .stdin(OwnedFd::from(its_socket))
            .stdout(its_output)
            .stderr(OwnedFd::from(its_control))
            .process_group(0);
        // Dropping the command closes the parent's copies of the descriptors.
        let launcher = command.spawn()?;
        ids.insert(id_of(&launcher));
        Ok(Running { launcher, socket, control, output })
    }
}

/// The process id of a launcher.
fn id_of(launcher: &Child) -> i32 {
    Pid::from_child(launcher).as_raw_nonzero().get()
}

/// Checks whether a process should end, and stops it.
struct Watch<'a> {
    control: UnixStream,
    process: &'a Process<'a>,
    started: Instant,
    stopped: Option<Stopped>,
    /// When the launcher was told to end the run.
    told: Option<Instant>,
}

impl Watch<'_> {
    /// Checks once.
    fn look(&mut self, launcher: &mut Child, seen: &Seen<'_>) {
        if let Some(told) = self.told {
            if told.elapsed() > GRACE {
                launcher.kill().ok(); // It may just have ended.
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

    /// Kills the test of a launcher that was killed.
    fn clean_up(&self, seen: &Seen<'_>) {
        for word in Word::parse_all(&seen.words) {
            if let Word::Started(group) = word
                && let Some(group) = Pid::from_raw(group)
            {
                kill_process_group(group, Signal::KILL).ok(); // It may be empty.
            }
        }
        end_strays(&launchers());
    }
}
