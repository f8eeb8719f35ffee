//! What the simulation knows of its locks: which task holds which, which waits for which, and
//! whether they wait in a circle.

use std::panic::Location;

use super::Core;
use crate::runtime::failure::FailureKind;
use crate::runtime::task::{Held, Wait, Waiter};

impl Core {
    /// Notes that the current task took a lock at `at`.
    pub(crate) fn took_lock(&self, lock: u32, at: &'static Location<'static>) {
        if self.in_task() {
            let since = self.now();
            self.with_current(|slot| slot.held.push(Held { lock, at, since }));
        }
    }

    /// Notes that the current task has released a lock.
    pub(crate) fn released_lock(&self, lock: u32) {
        if self.in_task() {
            self.with_current(|slot| {
                if let Some(place) = slot.held.iter().rposition(|held| held.lock == lock) {
                    slot.held.remove(place);
                }
            });
        }
    }

    /// Adds a waiter for a lock, which it wants at `at`. The run fails if it would wait for itself.
    pub(crate) fn enqueue_for_lock(
        &self,
        lock: u32,
        waiter: Waiter,
        at: &'static Location<'static>,
    ) {
        self.locks.enqueue(lock, waiter);
        if let Some(circle) = self.lock_circle(lock, at) {
            self.fail(FailureKind::LockCycle, circle);
            self.note_frames();
        }
    }

    /// Wakes the task that has waited longest for a lock; it may still find that another was
    /// faster.
    pub(crate) fn wake_next_for_lock(&self, lock: u32) {
        self.locks.wake_next(lock, |waiter| self.wake(waiter));
    }

    /// If waiting for `lock` at `at` would close a circle of tasks that wait for each other's locks,
    /// describes it.
    fn lock_circle(&self, lock: u32, at: &Location<'_>) -> Option<String> {
        if !self.in_task() || self.is_dead() {
            return None;
        }
        let me = self.current_slot() as usize;
        self.with_slots(|slots| {
            let owner_of = |lock: u32| {
                slots.iter().position(|slot| slot.held.iter().any(|held| held.lock == lock))
            };
            let (what, then) = match owner_of(lock) {
                Some(owner) if owner == me => {
                    ("a task locks what it has locked already", "it again")
                }
                _ => ("tasks wait for each other's locks in a circle", "the next"),
            };
            let mut text = format!("deadlock: {what}");
            let mut lock = lock;
            for _ in 0..slots.len() {
                let owner = owner_of(lock)?;
                let held = slots[owner].held.iter().find(|held| held.lock == lock)?;
                let task = self.describe(&slots[owner]);
                text += &format!("\n    {task} holds the lock it took at {}", held.at);
                if owner == me {
                    return Some(text + &format!(", and locks {then} at {at}"));
                }
                let waiting = slots[owner].waiting?;
                let Wait::Lock(next) = waiting.what else { return None };
                text += &format!(", and locks {then} at {}", waiting.at);
                lock = next;
            }
            None
        })
    }
}
