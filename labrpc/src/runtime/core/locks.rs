//! What the simulation knows of its locks: which task holds which, which waits for which, and
//! whether they wait in a circle.

use std::panic::Location;

use super::Core;
use crate::runtime::failure::FailureKind;
use crate::runtime::task::{Held, Slot, Wait, Waiter, Waiting};

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
        let me = self.current_serial();
        self.with_slots(|slots| {
            let owner_of = |lock: u32| {
                let held_by =
                    |slot: &Slot| slot.held.iter().find(|held| held.lock == lock).copied();
                slots.iter().find_map(|slot| Some((slot, held_by(slot)?)))
            };
            // Each task of the circle, the lock that it holds, and where it locks the next one.
            let mut circle = Vec::new();
            let mut wanted = lock;
            while circle.len() < slots.len() {
                let (owner, held) = owner_of(wanted)?;
                if owner.serial == me {
                    circle.push((owner, held, at));
                    return Some(self.describe_circle(&circle));
                }
                let Waiting { what: Wait::Lock(next), at, .. } = owner.waiting? else {
                    return None;
                };
                circle.push((owner, held, at));
                wanted = next;
            }
            None // A circle without this task.
        })
    }

    /// Describes a circle of tasks, given as in [`Core::lock_circle`].
    fn describe_circle(&self, circle: &[(&Slot, Held, &Location<'_>)]) -> String {
        let (what, then) = match circle.len() {
            1 => ("a task locks what it has locked already", "it again"),
            _ => ("tasks wait for each other's locks in a circle", "the next"),
        };
        let mut text = format!("deadlock: {what}");
        for (owner, held, at) in circle {
            let (task, taken) = (self.describe(owner), held.at);
            text += &format!(
                "\n    {task} holds the lock it took at {taken}, and locks {then} at {at}"
            );
        }
        text
    }
}
