//! What a simulation shows of itself to a watcher on another thread: whether it gets on, and what
//! processor time it has used.

use std::panic::Location;
use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use super::poison::unpoisoned;
use super::sys::cpu_clock::ThreadClock;

/// What a simulation shows of itself to the watchdog.
#[derive(Debug, Default)]
pub(crate) struct Activity {
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
    /// What a thread from outside has done, if one has.
    escape: OnceLock<String>,
    /// The thread of the simulation.
    clock: OnceLock<ThreadClock>,
}

impl Activity {
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
        let mut sites = unpoisoned(self.sites.lock());
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
            activity: &'a Activity,
            began: Duration,
        }
        impl Drop for Excuse<'_> {
            fn drop(&mut self) {
                let activity = self.activity;
                if activity.excuses.load(Relaxed) == 1 {
                    let used = activity.cpu_time().saturating_sub(self.began).as_nanos() as u64;
                    activity.excused.fetch_add(used, Relaxed);
                    activity.count_operation();
                }
                // A thread that sees the end of the excuse sees its time as well.
                activity.excuses.fetch_sub(1, Release);
            }
        }
        let began = self.cpu_time();
        self.excuses.fetch_add(1, Relaxed);
        let _excuse = Excuse { activity: self, began };
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

    /// Notes what a thread from outside has done; the simulation should fail.
    pub(crate) fn escape(&self, message: String) {
        self.escape.set(message).ok(); // The first one is the one to report.
        self.request_stop();
    }

    /// What a thread from outside has done, if one has.
    pub(crate) fn escaped(&self) -> Option<&String> {
        self.escape.get()
    }

    /// Whether the simulation is to end.
    pub(crate) fn must_stop(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// The clock of the simulation's thread; `None` before it has started.
    pub(crate) fn clock(&self) -> Option<ThreadClock> {
        self.clock.get().copied()
    }

    /// Operations of the runtime so far.
    pub(crate) fn operations(&self) -> u64 {
        self.operations.load(Relaxed)
    }

    /// Whether there is a reason not to count time now.
    pub(crate) fn is_excused(&self) -> bool {
        self.excuses.load(Acquire) > 0
    }

    /// Processor time that excused work has used.
    pub(crate) fn excused_time(&self) -> Duration {
        Duration::from_nanos(self.excused.load(Relaxed))
    }

    /// The task that runs, in a few words.
    pub(crate) fn current_task(&self) -> String {
        let sites = unpoisoned(self.sites.lock());
        match sites.get(self.current.load(Relaxed) as usize) {
            Some(site) => format!("task spawned at {site}"),
            None => "the scheduler".to_string(),
        }
    }
}
