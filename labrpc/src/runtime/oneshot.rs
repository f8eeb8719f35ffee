//! A place for one value, and the task that waits for it.

use std::panic::Location;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use std::thread::{self, Thread};
use std::time::Duration;

use super::core::Core;
use super::poison::unpoisoned;
use super::real::run::{SLICE, check_over};
use super::real::spin;
use super::sys::current::dispatch;
use super::task::{Wait, Waiter};
use super::time::Instant;

/// Carries one value from the task that makes it to the one that waits for it.
#[derive(Debug)]
pub(crate) struct OneShot<T> {
    place: Mutex<Place<T>>,
    /// Whether the value is in its place, for a look without the lock.
    is_there: AtomicBool,
}

/// What the lock guards.
#[derive(Debug)]
struct Place<T> {
    value: Option<T>,
    /// The task that waits, in a simulation.
    waiter: Option<Waiter>,
    /// The thread that waits, in the real world.
    thread: Option<Thread>,
}

impl<T> OneShot<T> {
    /// A place without a value.
    pub(crate) fn new() -> Self {
        let place = Place { value: None, waiter: None, thread: None };
        Self { place: Mutex::new(place), is_there: AtomicBool::new(false) }
    }

    /// Puts the value in its place and wakes the task that waits for it. This takes effect in dead
    /// mode too: others wait for the end of a task, also of one that was killed.
    pub(crate) fn put(&self, value: T) {
        let mut place = self.place();
        place.value = Some(value);
        self.is_there.store(true, Release);
        let (waiter, thread) = (place.waiter.take(), place.thread.take());
        drop(place);
        if let Some(waiter) = waiter {
            dispatch(|core| core.map(|core| core.wake(waiter)));
        }
        if let Some(thread) = thread {
            thread.unpark();
        }
    }

    /// Whether the value is there.
    pub(crate) fn is_there(&self) -> bool {
        self.is_there.load(Acquire)
    }

    /// Waits for the value and takes it; `None` if it is not there at `deadline`, or in dead mode.
    pub(crate) fn wait(
        &self,
        what: Wait,
        site: &'static Location<'static>,
        deadline: Option<Instant>,
    ) -> Option<T> {
        dispatch(|core| match core {
            Some(core) => self.wait_simulated(core, what, site, deadline),
            None => match deadline {
                Some(deadline) => self.wait_on_thread_until(deadline),
                None => Some(self.wait_on_thread(SLICE)),
            },
        })
    }

    /// [`OneShot::wait`] in a simulation.
    fn wait_simulated(
        &self,
        core: &Core,
        what: Wait,
        site: &'static Location<'static>,
        deadline: Option<Instant>,
    ) -> Option<T> {
        let mut in_time = true;
        loop {
            let mut place = self.place();
            if place.value.is_some() || core.is_dead() || !in_time {
                return self.take(&mut place);
            }
            let waiter = core.waiter();
            place.waiter = Some(waiter);
            drop(place);
            in_time = core.wait(waiter, what, site, deadline.map(Instant::as_nanos));
        }
    }

    /// Waits on a real thread and takes the value; looks every `nap` whether its run is over.
    pub(crate) fn wait_on_thread(&self, nap: Duration) -> T {
        loop {
            if let Some(value) = self.look_on_thread(nap) {
                return value;
            }
        }
    }

    /// Waits on a real thread and takes the value, unless it is not there at `deadline`.
    fn wait_on_thread_until(&self, deadline: Instant) -> Option<T> {
        loop {
            let left = deadline - Instant::now();
            let value = self.look_on_thread(left.min(SLICE));
            if value.is_some() || left.is_zero() {
                return value;
            }
        }
    }

    /// Takes the value if it is there or comes within a moment; otherwise sleeps for `nap`, or
    /// until it comes.
    pub(crate) fn look_on_thread(&self, nap: Duration) -> Option<T> {
        check_over();
        let is_there = spin::briefly(|| self.is_there());
        let mut place = self.place();
        let value = self.take(&mut place);
        if value.is_none() && !is_there {
            place.thread = Some(thread::current());
            drop(place);
            thread::park_timeout(nap);
        }
        value
    }

    /// Takes the value, if it is there. The place can then be used again.
    fn take(&self, place: &mut Place<T>) -> Option<T> {
        self.is_there.store(false, Release);
        place.value.take()
    }

    fn place(&self) -> std::sync::MutexGuard<'_, Place<T>> {
        unpoisoned(self.place.lock())
    }
}
