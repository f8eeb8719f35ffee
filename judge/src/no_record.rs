//! Why a process did not leave a record.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::Signal;
use signal_hook::consts::{SIGKILL, SIGXCPU};

use crate::launch::Word;
use crate::process::{Ended, Limits, Stopped};
use crate::usage::{Excess, Resources};

/// Why there is not a record: a kind and a sentence.
pub(crate) fn without_record(ended: &Ended, limits: Limits) -> (&'static str, String) {
    match (ended.stopped, &ended.word) {
        (Some(Stopped::Late | Stopped::Unwanted), _) => {
            let seconds = limits.wall.as_secs();
            ("hang", format!("it did not end within {seconds} s and was stopped"))
        }
        (Some(Stopped::Verbose), _) => {
            let limit = limits.output >> 20;
            ("output", format!("it printed more than {limit} MiB and was stopped"))
        }
        (Some(Stopped::Greedy(excess)), _) => too_much(excess, limits.resources),
        (None, Some(Word::Ended { status, .. })) => by_status(Word::exit_status(*status), limits),
        (None, Some(Word::CannotStart(why))) => {
            ("start", format!("it could not be started: {why}"))
        }
        (None, _) => {
            ("crash", "the process that watches the test was killed by the run".to_string())
        }
    }
}

/// The limit that a run has exceeded.
fn too_much(excess: Excess, limits: Resources) -> (&'static str, String) {
    let bytes = |limit: Option<u64>| match limit.unwrap_or_default() {
        limit if limit.is_multiple_of(1 << 30) => format!("{} GiB", limit >> 30),
        limit => format!("{} MiB", limit >> 20),
    };
    let (kind, what) = match excess {
        Excess::Memory => ("memory", format!("{} of memory", bytes(limits.memory))),
        Excess::Processes => {
            ("processes", format!("{} processes", limits.processes.unwrap_or_default()))
        }
        Excess::Directories => ("disk", format!("{} of disk space", bytes(limits.directories))),
    };
    (kind, format!("it used more than {what} and was stopped"))
}

/// The reason for a process that exited or was killed by a signal.
fn by_status(status: ExitStatus, limits: Limits) -> (&'static str, String) {
    if status.signal() == Some(Signal::XFSZ.as_raw())
        && let Some(limit) = limits.resources.file
    {
        return ("disk", format!("it wrote a file with more than {} MiB", limit >> 20));
    }
    match (status.signal(), limits.cpu) {
        (Some(SIGXCPU), Some(limit)) => {
            let seconds = limit.as_secs();
            ("cpu-limit", format!("it used more than {seconds} s of processor time"))
        }
        (Some(signal), _) => {
            let guess = if signal == SIGKILL { "; the machine may be out of memory" } else { "" };
            ("crash", format!("the process died of signal {signal}{guess}"))
        }
        (None, _) => {
            let code = status.code().map_or_else(|| "none".to_string(), |code| code.to_string());
            let why = format!(
                "the process ended with exit code {code} before the run was over; \
                 does the code call std::process::exit?"
            );
            ("no-record", why)
        }
    }
}
