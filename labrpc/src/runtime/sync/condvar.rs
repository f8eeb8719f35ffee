//! Waiting for a condition under a lock.

use std::collections::VecDeque;
use std::panic::Location;
use std::sync;
use std::time::Duration;

use super::mutex::MutexGuard;
use crate::runtime::core::Core;
use crate::runtime::poison::unpoisoned;
use crate::runtime::real::run::{SLICE, check_over};
use crate::runtime::sys::current::dispatch;
use crate::runtime::task::{Wait, Waiter};
use crate::runtime::time::Instant;

/// Lets tasks wait until another changes what a [`Mutex`](crate::Mutex) guards. The counterpart of
/// [`std::sync::Condvar`]: wait in a loop that checks the condition, or use
/// [`Condvar::wait_while`].
#[derive(Debug, Default)]
pub struct Condvar {
    /// The tasks that wait, in a simulation, longest first.
    waiters: sync::Mutex<VecDeque<Waiter>>,
    /// Where threads wait, in the real world.
    real: sync::Condvar,
}

impl Condvar {
    /// A condition variable without waiting tasks.
    pub const fn new() -> Self {
        Self { waiters: sync::Mutex::new(VecDeque::new()), real: sync::Condvar::new() }
    }

    /// Unlocks, waits to be notified, and locks again.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.wait_until(guard, None, Location::caller()).0
    }

    /// As [`Condvar::wait`], as long as `condition` holds.
    #[track_caller]
    pub fn wait_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'a, T> {
        let site = Location::caller();
        while condition(&mut guard) {
            guard = self.wait_until(guard, None, site).0;
        }
        guard
    }

    /// As [`Condvar::wait`], for `timeout` at most; the flag says whether the wait timed out.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> (MutexGuard<'a, T>, bool) {
        let site = Location::caller();
        let deadline = deadline(timeout);
        self.wait_until(guard, Some(deadline), site)
    }

    /// As [`Condvar::wait_while`], for `timeout` at most; the flag says whether `condition` still
    /// held at the end.
    #[track_caller]
    pub fn wait_timeout_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> (MutexGuard<'a, T>, bool) {
        let site = Location::caller();
        let deadline = deadline(timeout);
        loop {
            if !condition(&mut guard) {
                return (guard, false);
            }
            let timed_out;
            (guard, timed_out) = self.wait_until(guard, Some(deadline), site);
            if timed_out {
                let still = condition(&mut guard);
                return (guard, still);
            }
        }
    }

    /// Wakes one task that waits.
    pub fn notify_one(&self) {
        dispatch(|core| match core {
            Some(core) => {
                if core.enter() {
                    self.wake_next(core);
                }
            }
            None => self.real.notify_one(),
        });
    }

    /// Wakes every task that waits.
    pub fn notify_all(&self) {
        dispatch(|core| match core {
            Some(core) => {
                if core.enter() {
                    let mut waiters = unpoisoned(self.waiters.lock());
                    waiters.drain(..).for_each(|waiter| _ = core.wake(waiter));
                }
            }
            None => self.real.notify_all(),
        });
    }

    /// Wakes the task of a simulation that has waited longest.
    fn wake_next(&self, core: &Core) {
        let mut waiters = unpoisoned(self.waiters.lock());
        while let Some(waiter) = waiters.pop_front() {
            if core.wake(waiter) {
                break;
            }
        }
    }

    /// Waits until notified or until `deadline`; the flag says whether it was the latter.
    fn wait_until<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> (MutexGuard<'a, T>, bool) {
        dispatch(|core| match core {
            Some(core) => self.wait_simulated(core, guard, deadline, site),
            None => self.wait_real(guard, deadline),
        })
    }

    /// [`Condvar::wait_until`] in a simulation.
    fn wait_simulated<'a, T>(
        &self,
        core: &Core,
        guard: MutexGuard<'a, T>,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> (MutexGuard<'a, T>, bool) {
        if !core.enter() {
            return (guard, true);
        }
        let waiter = core.waiter();
        unpoisoned(self.waiters.lock()).push_back(waiter);
        let registration = Registration { condvar: self, core, waiter };
        let mutex = guard.release();
        let woken = core.wait(waiter, Wait::Condvar, site, deadline.map(Instant::as_nanos));
        drop(registration);
        (mutex.lock_simulated(core, site), !woken)
    }

    /// [`Condvar::wait_until`] on real threads.
    fn wait_real<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        deadline: Option<Instant>,
    ) -> (MutexGuard<'a, T>, bool) {
        check_over();
        let left = deadline.map_or(SLICE, |deadline| (deadline - Instant::now()).min(SLICE));
        let guard = guard.exchange(|data| unpoisoned(self.real.wait_timeout(data, left)).0);
        // The end of a slice looks like a wake-up without a reason, which any caller must expect.
        let timed_out = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        (guard, timed_out)
    }
}

/// Ends the registration of a waiting task, also when it is killed.
struct Registration<'a> {
    condvar: &'a Condvar,
    core: &'a Core,
    waiter: Waiter,
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        let mut waiters = unpoisoned(self.condvar.waiters.lock());
        let registered = waiters.len();
        waiters.retain(|&other| other != self.waiter);
        let was_notified = waiters.len() == registered;
        drop(waiters);
        // Killed after it was notified, and before it could act on it: another task must.
        if was_notified && self.core.is_dead() {
            self.condvar.wake_next(self.core);
        }
    }
}

/// The instant at which a timeout that begins now ends.
fn deadline(timeout: Duration) -> Instant {
    Instant::now() + timeout
}
