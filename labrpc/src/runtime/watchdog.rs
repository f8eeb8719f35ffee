//! Watches a simulation from outside: code that never comes back cannot be stopped from inside.
//!
//! Limits count the simulation thread's own processor time, so that a busy machine accuses nobody.

use std::io::Write as _;
use std::panic::Location;
use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::failure::FailureKind;
use super::sys::cpu_clock::ThreadClock;

/// How often the watchdog looks.
const POLL: Duration = Duration::from_millis(100);

/// Looks in a row that must find the thread asleep in the kernel before it counts as blocked.
const BLOCKED_POLLS: u32 = 30;

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

/// What a simulation shows of itself to the watchdog.
#[derive(Default)]
pub(crate) struct Progress {
    /// Operations of the runtime so far.
    operations: AtomicU64,
    /// The slot of the task that runs.
    current: AtomicU32,
    /// Where the task of each slot was spawned.
    sites: Mutex<Vec<&'static Location<'static>>>,
    /// How many reasons there are not to count time now.
    excuses: AtomicU32,
    /// Processor time that excused work has used, in nanoseconds.
    excused: AtomicU64,
    /// Set when the simulation should fail at the next opportunity.
    stop: AtomicBool,
    /// The thread of the simulation.
    clock: OnceLock<ThreadClock>,
}

impl Progress {
    /// Counts an operation of the runtime.
    pub(crate) fn count_operation(&self) {
        // One thread writes, so this needs no atomic addition.
        self.operations.store(self.operations.load(Relaxed) + 1, Relaxed);
    }

    /// The task in this slot runs now.
    pub(crate) fn running(&self, index: u32) {
        self.current.store(index, Relaxed);
    }

    /// The task in this slot was spawned here.
    pub(crate) fn label(&self, index: u32, site: &'static Location<'static>) {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        match sites.get_mut(index as usize) {
            Some(place) => *place = site,
            None => sites.push(site),
        }
    }

    /// The thread that calls this is the simulation's.
    pub(crate) fn start(&self) -> ThreadClock {
        *self.clock.get_or_init(ThreadClock::of_this_thread)
    }

    /// Runs `f` without counting its time. The thread takes the time itself: between two looks of
    /// the watchdog, much of it may be excused and much not.
    pub(crate) fn excused<R>(&self, f: impl FnOnce() -> R) -> R {
        /// Ends the excuse even if `f` is unwound.
        struct Excuse<'a> {
            progress: &'a Progress,
            began: Duration,
        }
        impl Drop for Excuse<'_> {
            fn drop(&mut self) {
                let progress = self.progress;
                if progress.excuses.load(Relaxed) == 1 {
                    let used = progress.cpu_time().saturating_sub(self.began).as_nanos() as u64;
                    progress.excused.fetch_add(used, Relaxed);
                    progress.count_operation();
                }
                // Whoever sees that the excuse is over sees its time as well.
                progress.excuses.fetch_sub(1, Release);
            }
        }
        let began = self.cpu_time();
        self.excuses.fetch_add(1, Relaxed);
        let _excuse = Excuse { progress: self, began };
        f()
    }

    /// Processor time that the simulation's thread has used.
    fn cpu_time(&self) -> Duration {
        self.clock.get().map_or(Duration::ZERO, |clock| clock.cpu_time())
    }

    /// Asks the simulation to fail at the next opportunity.
    pub(crate) fn request_stop(&self) {
        self.stop.store(true, Relaxed);
    }

    /// Whether the watchdog wants the simulation to end.
    pub(crate) fn must_stop(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// The task that runs, in a few words.
    fn current_task(&self) -> String {
        let sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        match sites.get(self.current.load(Relaxed) as usize) {
            Some(site) => format!("task spawned at {site}"),
            None => "the scheduler".to_string(),
        }
    }
}

/// Why the watchdog gave up on a run.
pub(crate) struct Verdict {
    /// What kind of failure it is.
    pub(crate) kind: FailureKind,
    /// What to tell the user.
    pub(crate) message: String,
    /// The task that ran.
    pub(crate) task: String,
}

/// Waits for what the simulation's thread sends at its end, or decides that it never will.
pub(crate) fn supervise<T>(
    outcome: &Receiver<T>,
    progress: &Progress,
    limits: CpuLimits,
) -> Result<T, Verdict> {
    let mut watch = Watch::default();
    loop {
        match outcome.recv_timeout(POLL) {
            Ok(outcome) => return Ok(outcome),
            Err(RecvTimeoutError::Disconnected) => {
                let message = "the simulation's thread ended without a result".to_string();
                return Err(Verdict { kind: FailureKind::Panic, message, task: String::new() });
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let Some((kind, message)) = watch.look(progress, limits) else { continue };
        let task = progress.current_task();
        progress.request_stop();
        if kind == FailureKind::CpuLimit
            && let Ok(outcome) = outcome.recv_timeout(GRACE)
        {
            return Ok(outcome);
        }
        return Err(Verdict { kind, message, task });
    }
}

/// What the watchdog remembers from look to look.
#[derive(Default)]
struct Watch {
    operations: u64,
    cpu_at_last_operation: Duration,
    last_cpu: Duration,
    asleep: u32,
}

impl Watch {
    /// Looks once; says what is wrong, if anything.
    fn look(&mut self, progress: &Progress, limits: CpuLimits) -> Option<(FailureKind, String)> {
        let clock = *progress.clock.get()?;
        let cpu = clock.cpu_time();
        let used = cpu.saturating_sub(self.last_cpu);
        self.last_cpu = cpu;
        if progress.excuses.load(Acquire) > 0 {
            self.cpu_at_last_operation = cpu;
            self.asleep = 0;
            return None;
        }
        let operations = progress.operations.load(Relaxed);
        if operations != self.operations {
            self.operations = operations;
            self.cpu_at_last_operation = cpu;
            self.asleep = 0;
        } else if used < POLL / 20 && clock.is_waiting() {
            self.asleep += 1;
        } else {
            self.asleep = 0;
        }
        let excused = Duration::from_nanos(progress.excused.load(Relaxed));
        let total = cpu.saturating_sub(excused);
        if cpu.saturating_sub(self.cpu_at_last_operation) > limits.silence {
            let seconds = limits.silence.as_secs_f64();
            let message = format!(
                "a task used the processor for {seconds} s without a call to the runtime: \
                 does it loop without an end?"
            );
            Some((FailureKind::Spinning, message))
        } else if self.asleep >= BLOCKED_POLLS {
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
pub(crate) fn leave_behind(failure: &super::failure::Failure) {
    static LEFT_BEHIND: AtomicU32 = AtomicU32::new(0);
    if LEFT_BEHIND.fetch_add(1, Relaxed) > 0 {
        // Not `eprintln`: libtest would keep the text for a report that it never gets to write.
        let text = format!("\na second run never came back, so the process ends\n{failure}\n");
        std::io::stderr().write_all(text.as_bytes()).ok(); // Nothing is left to be done about it.
        std::process::exit(101);
    }
}
