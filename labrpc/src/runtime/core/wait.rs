//! How a task waits, and how it is woken.

use std::panic::Location;

use super::Core;
use crate::runtime::sys::fiber;
use crate::runtime::task::{State, Wait, Waiter, Waiting};
use crate::runtime::timers::Action;
use crate::runtime::trace::Kind;

impl Core {
    /// Stands for the wait that the current task is about to begin.
    pub(crate) fn waiter(&self) -> Waiter {
        let index = self.current_slot();
        Waiter { index, token: self.with_current(|slot| slot.token) }
    }

    /// Waits until `waiter` is woken (true) or `deadline` has come (false).
    ///
    /// The caller has put `waiter` where its waker finds it. No dead task comes here, but for a
    /// lock: for that it waits until its owner has unwound.
    pub(crate) fn wait(
        &self,
        waiter: Waiter,
        what: Wait,
        at: &'static Location<'static>,
        deadline: Option<u64>,
    ) -> bool {
        self.observe_again();
        let since = self.now();
        let woken_already = self.with_current(|slot| {
            slot.waiting = Some(Waiting { what, at, since });
            slot.timed_out = false;
            slot.token != waiter.token
        });
        if !woken_already {
            self.with_current(|slot| slot.state = State::Waiting);
            if let Some(deadline) = deadline {
                self.add_timer(deadline, Action::Wake(waiter));
            }
            match what {
                Wait::Lock(lock) => self.record(Kind::LockWait, lock.into(), 0),
                _ => self.record(Kind::Wait, what.code(), deadline.unwrap_or(0)),
            }
            self.suspend();
        }
        self.with_current(|slot| {
            slot.waiting = None;
            for held in &slot.held {
                self.held_over.borrow_mut().add(held.at, what, at, self.now() - since);
            }
            !slot.timed_out
        })
    }

    /// Ends the wait that `waiter` stands for; false if it has ended already.
    pub(crate) fn wake(&self, waiter: Waiter) -> bool {
        self.end_wait(waiter, false)
    }

    /// Ends a wait because it was woken, or because it `timed_out`.
    pub(super) fn end_wait(&self, waiter: Waiter, timed_out: bool) -> bool {
        let mut slots = self.slots.borrow_mut();
        let slot = &mut slots[waiter.index as usize];
        if slot.token != waiter.token || slot.state == State::Free {
            return false;
        }
        slot.token += 1;
        slot.timed_out = timed_out;
        if slot.state == State::Waiting {
            slot.state = State::Ready;
            self.ready.borrow_mut().push_back(waiter.index);
        }
        true
    }

    /// Lets any ready task run before the current one goes on.
    pub(crate) fn yield_now(&self) {
        let index = self.current_slot();
        self.with_current(|slot| slot.state = State::Ready);
        self.ready.borrow_mut().push_back(index);
        self.suspend();
    }

    /// Hands control to the scheduler until the current task is resumed; a task that was killed
    /// meanwhile unwinds from here.
    pub(super) fn suspend(&self) {
        fiber::suspend();
        self.unwind_if_dead();
    }

    /// Runs `action` at virtual time `at`.
    pub(crate) fn add_timer(&self, at: u64, action: Action) {
        self.next_due.set(self.next_due.get().min(at));
        self.timers.borrow_mut().push(at, action);
    }
}
