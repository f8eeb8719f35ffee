//! How tasks are killed: by a crash of their node, or because the simulation is over.
//!
//! A killed task is resumed once more and unwinds its stack from the point where it stood, so that
//! what it owned is dropped. It is *dead* while it does: no operation waits or takes effect, but
//! for what others depend on, that locks are released and channels are closed, and for locks, which
//! it gets once their owner has let go.

use std::panic;

use super::Core;
use crate::runtime::sys::fiber;
use crate::runtime::task::{NodeId, State};
use crate::runtime::trace::Kind;

/// Unwinds the stack of a killed task. Not a panic: the hook is not called.
struct Killed;

/// A dead task that does more operations than this while it unwinds must be in an endless loop.
const MOST_DEAD_OPERATIONS: u32 = 100_000;
/// Swallowing the kill with `catch_unwind` takes longer, and counts as this many.
const SWALLOWED_KILL: u32 = 100;

impl Core {
    /// Stops every task of `node` at the point where it stands; if the current task is one of them,
    /// this does not return. New tasks of the node die at once.
    pub(crate) fn crash(&self, node: NodeId) {
        if !self.charge() {
            return;
        }
        assert!(node != NodeId::TEST, "the test itself cannot be crashed");
        self.record(Kind::Kill, node.0.into(), 0);
        self.nodes.borrow_mut()[node.0 as usize].alive = false;
        self.kill_tasks(|of| of == node);
        self.unwind_if_dead();
    }

    /// Ends every task, because the simulation is over.
    pub(super) fn kill_everyone(&self) {
        for node in self.nodes.borrow_mut().iter_mut() {
            node.alive = false;
        }
        self.kill_tasks(|_| true);
        // What is left waits for a lock while it unwinds: it goes on when the owner has let go.
        loop {
            let next = self.ready.borrow_mut().pop_front();
            match next {
                Some(index) => self.run_task(index),
                None => break,
            }
        }
        let timers = self.timers.borrow_mut().take_all();
        drop(timers);
        let at_end = self.at_end.take();
        at_end.into_iter().for_each(|action| action());
    }

    /// Kills the tasks of the chosen nodes, newest first.
    fn kill_tasks(&self, chosen: impl Fn(NodeId) -> bool) {
        let doomed = self.doom(chosen);
        for index in doomed {
            if self.current_slot() == index {
                // It kills itself, and unwinds as soon as the others have.
                self.current_dead.set(true);
            } else {
                self.run_task(index);
            }
        }
    }

    /// Marks the tasks of the chosen nodes as dead; returns their slots, newest task first. From
    /// now on nothing but the kill itself can resume them: their waits are over, and none is ready.
    fn doom(&self, chosen: impl Fn(NodeId) -> bool) -> Vec<u32> {
        let mut slots = self.slots.borrow_mut();
        let mut doomed = Vec::new();
        for (index, slot) in slots.iter_mut().enumerate() {
            if slot.state != State::Free && !slot.dead && chosen(slot.node) {
                slot.dead = true;
                slot.token += 1;
                if slot.state == State::Ready {
                    slot.state = State::Waiting;
                }
                doomed.push(index as u32);
            }
        }
        self.ready.borrow_mut().retain(|&index| slots[index as usize].state == State::Ready);
        doomed.sort_unstable_by_key(|&index| std::cmp::Reverse(slots[index as usize].serial));
        doomed
    }

    /// Unwinds the current task if it is dead, unless it does so already.
    pub(super) fn unwind_if_dead(&self) {
        if !self.current_dead.get() || self.unobserved.get() || !self.in_task() {
            return;
        }
        // `panicking` is true on this thread also while another task is stopped in the middle of
        // its unwinding, so it cannot be asked alone. It is false once a task has swallowed its
        // kill with `catch_unwind`; then the kill is repeated.
        let unwinding = self.with_current(|slot| slot.unwinding) && std::thread::panicking();
        if !unwinding {
            self.with_current(|slot| {
                slot.unwinding = true;
                slot.dead_operations += SWALLOWED_KILL;
            });
            panic::resume_unwind(Box::new(Killed));
        }
    }

    /// What an operation does in dead mode before it returns without effect.
    #[cold]
    pub(super) fn enter_dead(&self) {
        if self.unobserved.get() || !self.in_task() {
            return;
        }
        self.activity.count_operation();
        let operations = self.with_current(|slot| {
            slot.dead_operations += 1;
            slot.dead_operations
        });
        if operations > MOST_DEAD_OPERATIONS {
            // A destructor that loops until an operation succeeds: it never will.
            log::warn!("a destructor of a killed task does not end; the task is abandoned");
            self.leave_alone();
        }
        self.unwind_if_dead();
    }

    /// Never resumes the current task again. Its stack, and everything on it, is leaked.
    fn leave_alone(&self) -> ! {
        self.with_current(|slot| slot.state = State::Waiting);
        loop {
            fiber::suspend();
        }
    }

    /// The current task panicked: it is dead from now on, though not yet unwound.
    pub(crate) fn on_panic(&self) {
        self.with_current(|slot| {
            slot.dead = true;
            slot.unwinding = true;
        });
        self.current_dead.set(true);
    }

    /// Whether the current task is being unwound because it was killed. If it panics now, which can
    /// only happen in a destructor, the process ends.
    pub(crate) fn is_unwinding(&self) -> bool {
        self.in_task() && self.with_current(|slot| slot.unwinding) && !self.unobserved.get()
    }

    /// Whether the state is that of [`Core::unobserved`] and not of death.
    pub(crate) fn is_unobserved(&self) -> bool {
        self.unobserved.get()
    }
}
