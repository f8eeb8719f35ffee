//! How tasks are killed: by a crash of their node, or because the simulation is over.
//!
//! A killed task is resumed once more and unwinds its stack from the point where it stood, so that
//! what it owned is dropped. It is *dead* while it does: no operation waits or takes effect, with
//! two exceptions that others depend on: locks are released and channels are closed.

use std::panic;

use super::{Core, NOBODY};
use crate::runtime::sys::fiber;
use crate::runtime::task::{NodeId, State};
use crate::runtime::trace::Kind;

/// Unwinds the stack of a killed task. Not a panic: the hook is not called.
struct Killed;

/// A dead task that does more operations than this while it unwinds loops for ever.
const MOST_DEAD_OPERATIONS: u32 = 100_000;

impl Core {
    /// Stops every task of `node` at the point where it stands. New tasks of it die at once.
    pub(crate) fn crash(&self, node: NodeId) {
        assert!(node != NodeId::TEST, "the test itself cannot be crashed");
        self.record(Kind::Kill, node.0.into(), 0);
        self.nodes.borrow_mut()[node.0 as usize].alive = false;
        self.kill_tasks(|of| of == node);
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
        for slot in self.slots.borrow_mut().iter_mut() {
            // A task that will not die keeps its stack, and whatever is on it, for ever.
            std::mem::forget(slot.fiber.take());
        }
    }

    /// Kills the tasks of the chosen nodes, newest first.
    fn kill_tasks(&self, chosen: impl Fn(NodeId) -> bool) {
        let mut doomed: Vec<(u32, u32)> = Vec::new();
        for (index, slot) in self.slots.borrow_mut().iter_mut().enumerate() {
            if slot.state != State::Free && !slot.dead && chosen(slot.node) {
                slot.dead = true;
                doomed.push((slot.serial, index as u32));
            }
        }
        doomed.sort_unstable_by(|a, b| b.cmp(a));
        for (serial, index) in doomed {
            let running = {
                let mut slots = self.slots.borrow_mut();
                let slot = &mut slots[index as usize];
                // An earlier victim may have let this one run to its end.
                if slot.serial != serial || slot.state == State::Free {
                    continue;
                }
                slot.token += 1;
                slot.state == State::Running
            };
            if running {
                // It resumed whoever kills it, or kills itself: it dies at its next operation.
                if self.current.get() == index {
                    self.current_dead.set(true);
                }
                continue;
            }
            self.ready.borrow_mut().retain(|&ready| ready != index);
            self.run_task(index);
        }
    }

    /// Unwinds the current task if it is dead, unless it does so already.
    pub(super) fn unwind_if_dead(&self) {
        if !self.current_dead.get() || self.current.get() == NOBODY {
            return;
        }
        // `panicking` is true on this thread also while another task is stopped in the middle of
        // its unwinding, so it cannot be asked alone. It is false once a task has swallowed its
        // kill with `catch_unwind`; then the kill is repeated.
        let unwinding = self.with_current(|slot| slot.unwinding) && std::thread::panicking();
        if !unwinding {
            self.with_current(|slot| slot.unwinding = true);
            self.dead_operations.set(0);
            panic::resume_unwind(Box::new(Killed));
        }
    }

    /// What an operation does in dead mode before it returns without effect.
    #[cold]
    pub(super) fn enter_dead(&self) {
        self.progress.count_operation();
        self.unwind_if_dead();
        self.dead_operations.set(self.dead_operations.get() + 1);
        if self.dead_operations.get() > MOST_DEAD_OPERATIONS && self.current.get() != NOBODY {
            // A destructor that loops until an operation succeeds: it never will.
            log::warn!("a task was killed, but a destructor of it runs for ever; it is left alone");
            self.with_current(|slot| slot.state = State::Waiting);
            loop {
                fiber::suspend();
            }
        }
    }

    /// The current task panicked: it is dead from now on, though not yet unwound.
    pub(crate) fn on_panic(&self) {
        self.with_current(|slot| {
            slot.dead = true;
            slot.unwinding = true;
        });
        self.current_dead.set(true);
        self.dead_operations.set(0);
    }
}
