//! A place for one value, and somebody who waits for it.

use std::panic::Location;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Thread};

use super::task::{Wait, Waiter};
use super::{SLICE, check_over, dispatch};

/// Carries one value from the task that makes it to the one that waits for it.
#[derive(Debug)]
pub(crate) struct OneShot<T>(Mutex<Place<T>>);

/// What the lock guards.
#[derive(Debug)]
struct Place<T> {
    value: Option<T>,
    /// Who waits, in a simulation.
    waiter: Option<Waiter>,
    /// Who waits, on real threads.
    thread: Option<Thread>,
}

impl<T> OneShot<T> {
    /// A place without a value.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Place { value: None, waiter: None, thread: None }))
    }

    /// Puts the value in its place and wakes whoever waits for it. This takes effect in dead mode
    /// too: others wait for the end of a task, however it came.
    pub(crate) fn put(&self, value: T) {
        let mut place = self.place();
        place.value = Some(value);
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
        self.place().value.is_some()
    }

    /// Waits for the value and takes it; `None` in dead mode.
    pub(crate) fn wait(&self, what: Wait, site: &'static Location<'static>) -> Option<T> {
        dispatch(|core| {
            loop {
                if core.is_none() {
                    check_over();
                }
                let mut place = self.place();
                if place.value.is_some() {
                    return place.value.take();
                }
                match core {
                    Some(core) if core.is_dead() => return None,
                    Some(core) => {
                        let waiter = core.waiter();
                        place.waiter = Some(waiter);
                        drop(place);
                        core.wait(waiter, what, site, None);
                    }
                    None => {
                        place.thread = Some(thread::current());
                        drop(place);
                        thread::park_timeout(SLICE);
                    }
                }
            }
        })
    }

    /// Locks the place.
    fn place(&self) -> std::sync::MutexGuard<'_, Place<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
