//! The launcher: a process between a judge and one run.
//!
//! It runs the same program as the judge. It sets limits, starts the test in a separate process
//! group, waits for it, and kills all processes that the test leaves. The advantages:
//!
//! * A test that kills its parent kills the launcher: its run fails, and the judge continues.
//! * On Linux the launcher is a child subreaper: a process that leaves its group or session becomes
//!   the launcher's child when its parent dies, so the launcher can kill it.
//! * If the judge dies for any reason, the launcher notices and kills the run.
//! * `setrlimit`, which every Unix has, sets the limits in a process that does nothing else.
//!
//! Judge and launcher communicate over a socket that is the launcher's standard error: the launcher
//! writes [`Word`]s, and the judge closes its side to end the run.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use contract::record::Exit;
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions, getpgid, getpgrp, getpid, kill_process,
    kill_process_group, setrlimit, waitid,
};
use rustix::stdio::{dup2_stderr, dup2_stdin};
use serde::{Deserialize, Serialize};

use crate::recorded;
use crate::usage::{Excess, Resources, descendants};

/// The environment variable that makes this program a launcher, and holds its [`Request`].
const REQUEST: &str = "LAB_LAUNCH";

/// The first descriptor that is not one of the three standard ones.
const FIRST_FREE: i32 = 3;

/// Seconds between the signal for used-up processor time, which a process may catch, and the signal
/// that kills it.
const CPU_GRACE: u64 = 2;

/// The shortest time between two looks at what a run uses.
const LOOK: Duration = Duration::from_millis(50);

/// The time between two looks is at least this number of times the duration of one.
const LOOK_SHARE: u32 = 50;

/// This program, for starting it again. On Linux, the very file that runs: a build may have replaced
/// the one with its name.
pub(crate) fn own_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    env::current_exe()
}

/// What a launcher should start.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) program: OsString,
    pub(crate) arguments: Vec<OsString>,
    /// Seconds of processor time that each process of the run may use.
    pub(crate) cpu_seconds: Option<u64>,
    pub(crate) resources: Resources,
}

/// A message from a launcher: one line of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Word {
    /// The test runs as the leader of the process group with this id.
    Started(i32),
    /// The test has used too much and is being killed.
    Exceeded(Excess),
    /// The test could not be started.
    CannotStart(String),
    /// The recording of the test, if it was written in a sandbox.
    Recorded(String),
    /// The test has ended, with this status in the system's encoding.
    Ended {
        status: i32,
        /// The number of processes that it left running; known on Linux only.
        left: usize,
    },
}

impl Request {
    /// Passes this request to `launcher`.
    pub(crate) fn give_to(&self, launcher: &mut Command) {
        let request = serde_json::to_string(self).expect("a request has only plain fields");
        launcher.env(REQUEST, request);
    }
}

impl Word {
    /// The complete messages in the output of a launcher.
    pub(crate) fn parse_all(text: &[u8]) -> Vec<Word> {
        let lines = text.split(|byte| *byte == b'\n');
        lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }

    /// The status in a [`Word::Ended`].
    pub(crate) fn exit_status(status: i32) -> ExitStatus {
        ExitStatus::from_raw(status)
    }
}

/// Runs the launcher if a judge has started this process as one. A program that uses this crate
/// calls this function at the start of `main`, and exits with the code that it returns.
pub fn launcher_main() -> Option<ExitCode> {
    launcher_main_with(|_| Ok(Vec::new()))
}

/// Like [`launcher_main`], but `prepare` runs before the test, in the thread that starts it: if this
/// thread gives up rights, the test lacks them, but the launcher keeps them. `prepare` returns the
/// directories that the test may write to, whose size is limited. If it sets
/// [`RECORD`](contract::settings::RECORD), the launcher sends the recording in that file to the judge.
pub fn launcher_main_with(
    prepare: impl FnOnce(&mut Command) -> io::Result<Vec<PathBuf>> + Send,
) -> Option<ExitCode> {
    let request = env::var(REQUEST).ok()?;
    Some(match launch(&request, prepare) {
        Ok(()) => Exit::Passed.into(),
        // Without a last word the run fails; this is for a person who has set the variable.
        Err(error) => {
            eprintln!("error: {REQUEST}: {error}");
            Exit::Harness.into()
        }
    })
}

/// Starts the test, waits for its end, and cleans up.
fn launch(
    request: &str,
    prepare: impl FnOnce(&mut Command) -> io::Result<Vec<PathBuf>> + Send,
) -> io::Result<()> {
    let request: Request = serde_json::from_str(request)?;
    let control = UnixStream::from(fcntl_dupfd_cloexec(io::stderr().as_fd(), FIRST_FREE)?);
    dup2_stderr(io::stdout())?;
    adopt_orphans();
    set_limits(&request);
    let mut command = Command::new(&request.program);
    command.args(&request.arguments).env_remove(REQUEST).process_group(0);
    let start = || -> io::Result<_> {
        let directories = prepare(&mut command)?;
        Ok((command.spawn()?, directories))
    };
    let started = thread::scope(|scope| scope.spawn(start).join());
    let started = started.unwrap_or_else(|_| Err(io::Error::other("a panic, see its output")));
    // From here on, only the test has the socket for its record.
    dup2_stdin(File::open("/dev/null")?)?;
    let (mut child, directories) = match started {
        Ok(started) => started,
        Err(error) => return say(&control, &Word::CannotStart(error.to_string())),
    };
    let group = Pid::from_child(&child);
    if !getpid().is_init() {
        // The first process of a namespace would name the group by an id that is not the judge's.
        // It need not: everything in the namespace ends with it.
        say(&control, &Word::Started(group.as_raw_nonzero().get()))?;
    }
    let is_over = Arc::new(Mutex::new(false));
    end_with_judge(control.try_clone()?, group, Arc::clone(&is_over));
    if request.resources.is_polled() {
        let (control, is_over) = (control.try_clone()?, Arc::clone(&is_over));
        thread::spawn(move || watch(&control, &request.resources, &directories, &is_over));
    }
    let status = wait(&mut child, group, &is_over)?;
    let left = end_orphans();
    if let Some(recording) = recorded::elsewhere(&command).and_then(|path| recorded::read(&path)) {
        say(&control, &Word::Recorded(recording))?;
    }
    say(&control, &Word::Ended { status: status.into_raw(), left })
}

/// Sends a message to the judge.
fn say(mut control: &UnixStream, word: &Word) -> io::Result<()> {
    let line = serde_json::to_string(word).expect("a word has only plain fields") + "\n";
    control.write_all(line.as_bytes())
}

/// Makes this process the parent of descendants whose parent dies.
pub(crate) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(getpid())).ok(); // Linux 3.4 and later can.
}

/// Sets the limits of this process, which the test inherits.
fn set_limits(request: &Request) {
    let limit = |resource, current, maximum| {
        // This fails if a stricter limit is in force, which is fine.
        setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) }).ok();
    };
    limit(Resource::Core, 0, 0);
    if let Some(seconds) = request.cpu_seconds {
        limit(Resource::Cpu, seconds, seconds + CPU_GRACE);
    }
    if let Some(bytes) = request.resources.file {
        limit(Resource::Fsize, bytes, bytes);
    }
    if let Some(files) = request.resources.open_files {
        limit(Resource::Nofile, files, files);
    }
}

/// Kills the test's group when the judge closes its side or dies.
fn end_with_judge(mut control: UnixStream, group: Pid, is_over: Arc<Mutex<bool>>) {
    thread::spawn(move || {
        // The judge writes nothing: this returns at the end of the stream.
        control.read_to_end(&mut Vec::new()).ok();
        let is_over = is_over.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_over {
            kill_process(group, Signal::KILL).ok(); // It may have ended.
            kill_process_group(group, Signal::KILL).ok();
        }
    });
}

/// Kills the test when it uses too much.
fn watch(
    control: &UnixStream,
    resources: &Resources,
    directories: &[PathBuf],
    is_over: &Mutex<bool>,
) {
    let is_over = || is_over.lock().unwrap_or_else(PoisonError::into_inner);
    let mut cost = Duration::ZERO;
    loop {
        thread::sleep(LOOK.max(cost * LOOK_SHARE));
        let begun = Instant::now();
        let excess = resources.excess(directories);
        cost = begun.elapsed();
        let is_over = is_over();
        if *is_over {
            return;
        }
        if let Some(excess) = excess {
            say(control, &Word::Exceeded(excess)).ok(); // The judge may have died.
            break;
        }
    }
    while !*is_over() {
        kill_descendants();
        thread::sleep(Duration::from_millis(1));
    }
}

/// Waits for the test.
fn wait(child: &mut Child, group: Pid, is_over: &Mutex<bool>) -> io::Result<ExitStatus> {
    // Without reaping it: no other process can get the ID of a zombie.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(group), options) {}
    let mut is_over = is_over.lock().unwrap_or_else(PoisonError::into_inner);
    if !cfg!(target_os = "linux") {
        kill_process_group(group, Signal::KILL).ok(); // Often the group is empty.
    }
    *is_over = true;
    child.wait()
}

/// Ends all children of this process, and the children that it gets by that. Returns how many of
/// them were running when the test had ended.
fn end_orphans() -> usize {
    let mut left = None;
    loop {
        match waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {} // Reaped.
            Ok(None) => {
                // The zombies have been reaped: these are running.
                let children = kill_descendants();
                left.get_or_insert(children);
                thread::sleep(Duration::from_millis(1));
            }
            Err(_) => return left.unwrap_or(0), // No children.
        }
    }
}

/// Kills all descendants of this process, and returns the number of its children among them.
fn kill_descendants() -> usize {
    let descendants = descendants();
    for descendant in &descendants {
        kill_process(descendant.id, Signal::KILL).ok(); // It may have ended.
    }
    descendants.iter().filter(|descendant| descendant.is_child).count()
}

/// Kills the descendants of killed launchers: the children of this process that are in another
/// group, except the `launchers`.
pub(crate) fn end_strays(launchers: &BTreeSet<i32>) {
    let is_stray = |child: &Pid| {
        let is_launcher = launchers.contains(&child.as_raw_nonzero().get());
        !is_launcher && getpgid(Some(*child)).is_ok_and(|group| group != getpgrp())
    };
    loop {
        let children = descendants().into_iter().filter(|descendant| descendant.is_child);
        let strays: Vec<Pid> = children.map(|child| child.id).filter(is_stray).collect();
        if strays.is_empty() {
            return;
        }
        for stray in strays {
            kill_process(stray, Signal::KILL).ok(); // It may be gone by now.
            waitid(WaitId::Pid(stray), WaitIdOptions::EXITED).ok();
        }
    }
}
