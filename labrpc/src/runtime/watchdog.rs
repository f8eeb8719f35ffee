//! Watches a simulation from outside: code that never comes back cannot be stopped from inside.
//!
//! Limits count the simulation thread's own processor time, so that a busy machine causes no
//! failure.

use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::activity::Activity;
use super::failure::{Failure, FailureKind};

/// How often the watchdog looks.
const POLL: Duration = Duration::from_millis(100);

/// Looks in a row that must find the thread asleep in the kernel before it counts as blocked.
const BLOCKED_POLLS: u32 = 30;

/// Looks in all that may find the thread asleep: only code that sleeps often and briefly adds up to
/// them, since the runtime itself never waits.
const SLEEPY_POLLS: u32 = 50;

/// Whether the system tells a thread that waits from one that lacks a processor.
const SEES_WAITING: bool = cfg!(any(target_os = "linux", target_os = "macos"));

/// How long a run may go on after it was told to stop.
const GRACE: Duration = Duration::from_secs(2);

/// How much processor time a run may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuLimits {
    /// Without any operation of the runtime.
    pub(crate) silence: Duration,
    /// In total, checkers excused.
    pub(crate) total: Duration,
}

impl Default for CpuLimits {
    fn default() -> Self {
        Self { silence: Duration::from_secs(5), total: Duration::from_secs(60) }
    }
}

/// Why the watchdog gave up on a run.
pub(crate) struct GivenUp {
    pub(crate) kind: FailureKind,
    /// What to tell the user.
    pub(crate) message: String,
    /// The task that ran.
    pub(crate) task: String,
}

/// Waits for what the simulation's thread sends at its end, or decides that it never will.
pub(crate) fn supervise<T>(
    outcome: &Receiver<T>,
    activity: &Activity,
    limits: CpuLimits,
) -> Result<T, GivenUp> {
    let mut watch = Watch::default();
    loop {
        match outcome.recv_timeout(POLL) {
            Ok(outcome) => return Ok(outcome),
            Err(RecvTimeoutError::Disconnected) => {
                let message = "the simulation's thread ended without a result".to_string();
                return Err(GivenUp { kind: FailureKind::Panic, message, task: String::new() });
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let Some((kind, message)) = watch.look(activity, limits) else { continue };
        let task = activity.current_task();
        activity.request_stop();
        if kind == FailureKind::CpuLimit
            && let Ok(outcome) = outcome.recv_timeout(GRACE)
        {
            return Ok(outcome);
        }
        return Err(GivenUp { kind, message, task });
    }
}

/// What the watchdog remembers from look to look.
#[derive(Default)]
struct Watch {
    operations: u64,
    cpu_at_last_operation: Duration,
    last_cpu: Duration,
    /// Looks in a row that have found the thread asleep without an operation.
    asleep: u32,
    /// Looks in all that have found the thread asleep.
    sleepy: u32,
}

impl Watch {
    /// Looks once; says what is wrong, if anything.
    fn look(&mut self, activity: &Activity, limits: CpuLimits) -> Option<(FailureKind, String)> {
        let clock = activity.clock()?;
        let cpu = clock.cpu_time();
        let used = cpu.saturating_sub(self.last_cpu);
        self.last_cpu = cpu;
        if activity.is_excused() {
            self.cpu_at_last_operation = cpu;
            self.asleep = 0;
            return None;
        }
        let is_asleep = used < POLL / 4 && clock.is_waiting();
        self.sleepy += u32::from(is_asleep && SEES_WAITING);
        let operations = activity.operations();
        if operations != self.operations {
            self.operations = operations;
            self.cpu_at_last_operation = cpu;
            self.asleep = 0;
        } else if used < POLL / 20 && is_asleep {
            self.asleep += 1;
        } else {
            self.asleep = 0;
        }
        let total = cpu.saturating_sub(activity.excused_time());
        if cpu.saturating_sub(self.cpu_at_last_operation) > limits.silence {
            let seconds = limits.silence.as_secs_f64();
            let message = format!(
                "a task used the processor for {seconds} s without a call to the runtime: \
                 does it loop without an end?"
            );
            Some((FailureKind::Spinning, message))
        } else if self.asleep >= BLOCKED_POLLS || self.sleepy >= SLEEPY_POLLS {
            let message = "a task blocks the whole simulation: does it wait for a lock of std that \
                           another task holds, for std::thread::sleep, or for real input?";
            Some((FailureKind::Blocked, message.to_string()))
        } else if total > limits.total {
            let seconds = limits.total.as_secs_f64();
            let message = format!("the run used more than {seconds} s of processor time");
            Some((FailureKind::CpuLimit, message))
        } else {
            None
        }
    }
}

/// Notes that a run's thread still spins. The first is left behind; two of them would use up the
/// machine, so the second ends the process.
pub(crate) fn leave_behind(failure: &Failure) {
    static LEFT_BEHIND: AtomicU32 = AtomicU32::new(0);
    if LEFT_BEHIND.fetch_add(1, Relaxed) > 0 {
        // Not `eprintln`: libtest would keep the text for a report that it never gets to write.
        let text = format!("\na second run does not respond, so the process ends\n{failure}\n");
        std::io::stderr().write_all(text.as_bytes()).ok(); // Nothing is left to be done about it.
        std::process::exit(101);
    }
}
