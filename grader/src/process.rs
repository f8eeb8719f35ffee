//! Runs a child process that may misbehave.
//!
//! The child leads a process group of its own, so that all that it starts can be ended with it; and
//! its output goes to a file, so that a child that prints without end cannot block anybody.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::error::Error;
use crate::interrupt::Interrupt;

/// The first look at a child comes after this; each wait is longer than the one before.
const SHORTEST_POLL: Duration = Duration::from_millis(1);
/// The longest time between two looks at a child.
const LONGEST_POLL: Duration = Duration::from_millis(20);

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself, or by a signal that it got.
    Exited(ExitStatus),
    /// It was killed, since nothing came of it for too long.
    Silent,
    /// It was killed, since it printed too much.
    PrintedTooMuch,
}

/// What a child may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How long the watched file may stay as it is.
    pub(crate) silence: Duration,
    /// Bytes that it may print.
    pub(crate) output: u64,
}

/// Runs `command` to its end, its standard output and standard error in the file `output`. The file
/// `watched`, if there is one, grows whenever the child has made progress.
///
/// # Errors
/// If the child cannot be started, or the user interrupts; it is dead then.
pub(crate) fn run(
    command: &mut Command,
    output: &Path,
    watched: Option<&Path>,
    limits: Limits,
    interrupt: &Interrupt,
) -> Result<End, Error> {
    let file = File::create(output).map_err(|error| Error::io("create", output, &error))?;
    let copy = file.try_clone().map_err(|error| Error::io("share", output, &error))?;
    let program = Path::new(command.get_program()).to_owned();
    let child = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(copy)
        .process_group(0)
        .spawn()
        .map_err(|error| Error::io("run", &program, &error))?;
    // From here on, dropping the group ends all of it.
    let mut group = Group(child);
    let (mut poll, mut since, mut grown) = (SHORTEST_POLL, Instant::now(), 0);
    loop {
        if group.has_ended()? {
            return Ok(End::Exited(group.end(&program)?));
        }
        interrupt.check()?;
        let size = watched.map_or(0, size_of);
        if size != grown {
            (grown, since) = (size, Instant::now());
        }
        if since.elapsed() > limits.silence {
            return Ok(End::Silent);
        }
        if size_of(output) > limits.output {
            return Ok(End::PrintedTooMuch);
        }
        thread::sleep(poll);
        poll = (poll * 2).min(LONGEST_POLL);
    }
}

/// The size of a file; 0 if there is none.
fn size_of(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

/// A child and all that it has started, which end when this is dropped.
struct Group(Child);

impl Group {
    /// The child's id, which is the group's too.
    fn id(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// Whether the child has ended. It stays a zombie, so that its id cannot be anybody else's.
    fn has_ended(&self) -> Result<bool, Error> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.id()), options) {
            Ok(status) => Ok(status.is_some()),
            Err(error) => Err(Error::Harness(format!("cannot wait for a child: {error}"))),
        }
    }

    /// Ends whatever the child has left behind, and returns how the child itself ended.
    fn end(&mut self, program: &Path) -> Result<ExitStatus, Error> {
        self.kill();
        self.0.wait().map_err(|error| Error::io("wait for", program, &error))
    }

    /// Kills everybody in the group.
    fn kill(&self) {
        kill_process_group(self.id(), Signal::KILL).ok(); // Nobody is left: just as well.
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // After `end`, the id may be somebody else's.
        if matches!(self.0.try_wait(), Ok(None)) {
            self.kill();
            self.0.wait().ok(); // It was killed; what it has to say does not matter.
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    /// Runs a line of shell that may be silent for this long, and print a kilobyte; returns its end
    /// and what it has printed.
    fn shell(line: &str, silence: Duration) -> (End, String) {
        let directory = tempfile::tempdir().unwrap();
        let limits = Limits { silence, output: 1 << 10 };
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        let output = directory.path().join("output");
        let end = run(&mut command, &output, None, limits, &Interrupt::default()).unwrap();
        (end, std::fs::read_to_string(output).unwrap())
    }

    /// Far longer than a shell needs to start on a busy machine.
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn ends_are_told_apart() {
        assert_eq!(shell("exit 3", LONG).0, End::Exited(ExitStatus::from_raw(3 << 8)));
        assert_eq!(shell("kill -ABRT $$", LONG).0, End::Exited(ExitStatus::from_raw(6)));
        assert_eq!(shell("sleep 600", Duration::from_millis(200)).0, End::Silent);
        assert_eq!(shell("while :; do echo y; done", LONG).0, End::PrintedTooMuch);
    }

    #[test]
    fn what_a_child_leaves_behind_ends_with_it() {
        let (end, pid) = shell("sleep 600 & echo $!", LONG);
        assert!(matches!(end, End::Exited(status) if status.success()));
        let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        let begin = Instant::now();
        // Until somebody has collected its status it counts as being there.
        while rustix::process::test_kill_process(pid).is_ok() {
            assert!(begin.elapsed() < LONG, "it is still there");
            thread::sleep(LONGEST_POLL);
        }
    }
}
