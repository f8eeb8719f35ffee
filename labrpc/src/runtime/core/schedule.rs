//! The loop that decides what happens next.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, Location};

use super::{Core, Current};
use crate::runtime::failure::{Failure, FailureKind, panic_message};
use crate::runtime::recorder::Recorder;
use crate::runtime::seconds::seconds;
use crate::runtime::sys::current;
use crate::runtime::sys::fiber::Fiber;
use crate::runtime::sys::overflow::{self, RunningTask};
use crate::runtime::task::{NodeId, State};
use crate::runtime::timers::Action;
use crate::runtime::trace::Kind;

impl Core {
    /// Runs `body` as the test's own task until it ends or something fails, then ends every other
    /// task.
    pub(crate) fn run(
        &self,
        body: Box<dyn FnOnce()>,
        site: &'static Location<'static>,
    ) -> Option<Failure> {
        let root = self.spawn(NodeId::TEST, site, body);
        while self.failure.borrow().is_none() && self.is_running(root) {
            self.fire_due_timers();
            let next = self.pick();
            match next {
                Some(index) => self.run_task(index),
                None => self.advance_clock(),
            }
            if self.activity.must_stop() {
                match self.activity.escaped() {
                    Some(message) => self.fail(FailureKind::Escape, message.clone()),
                    None => {
                        let message = "the run used too much processor time".to_string();
                        self.fail(FailureKind::CpuLimit, message);
                    }
                }
            }
            if self.now() > self.time_limit {
                let limit = seconds(self.time_limit);
                let message = format!("took longer than the limit of {limit} s of virtual time");
                self.fail(FailureKind::TimeLimit, message);
            }
        }
        self.recorder.iter().for_each(Recorder::close);
        self.kill_everyone();
        self.failure.take()
    }

    /// Whether the test's own task, the first that was ever spawned, has not ended.
    fn is_running(&self, root: u32) -> bool {
        let slot = &self.slots.borrow()[0];
        slot.serial == root && slot.state != State::Free
    }

    /// Takes the task that the policy wants to run next out of the ready ones.
    fn pick(&self) -> Option<u32> {
        let slots = self.slots.borrow();
        let priority = |index: u32| slots[index as usize].priority;
        self.scheduler.borrow_mut().pick(&mut self.ready.borrow_mut(), priority)
    }

    /// Does what timers demand up to the present.
    fn fire_due_timers(&self) {
        while self.now.get() >= self.next_due.get() {
            let due = self.timers.borrow_mut().pop_due(self.now());
            match due {
                Some(Action::Wake(waiter)) => {
                    self.end_wait(waiter, true);
                }
                Some(Action::Call(call)) => call(),
                None => {}
            }
            let next = self.timers.borrow().next_at();
            self.next_due.set(next.unwrap_or(u64::MAX));
        }
    }

    /// No task can run: jumps to the next timer, or reports that there is none.
    fn advance_clock(&self) {
        let slots = self.slots.borrow();
        let mut timers = self.timers.borrow_mut();
        timers.drop_stale(|waiter| slots[waiter.index as usize].token != waiter.token);
        let next = timers.next_at();
        drop((slots, timers));
        match next {
            // Whatever happens after the limit does not matter, nor when that would have been.
            Some(at) if at > self.time_limit => self.now.set(self.time_limit + 1),
            Some(at) => {
                self.now.set(self.now().max(at));
                self.next_due.set(at);
            }
            None => {
                let message = "deadlock: every task waits, and no timer is set".to_string();
                self.fail(FailureKind::Deadlock, message);
            }
        }
    }

    /// Runs a task until it waits or ends. May be called while another task runs: crashing a node
    /// unwinds its tasks on the spot.
    pub(super) fn run_task(&self, index: u32) {
        let (mut fiber, serial, node, site, dead) = {
            let mut slots = self.slots.borrow_mut();
            let slot = &mut slots[index as usize];
            slot.state = State::Running;
            let fiber = match slot.fiber.take() {
                Some(fiber) => fiber,
                None => {
                    let body = slot.body.take().expect("a task that has not started has a body");
                    Fiber::new(&mut self.stacks.borrow_mut(), move || run_body(body))
                }
            };
            (fiber, slot.serial, slot.node, slot.site, slot.dead)
        };
        let outer = self.current.replace(Current { slot: index, serial, node });
        let outer_dead = self.current_dead.replace(dead);
        self.burst.set(0);
        self.activity.running(index);
        self.record(Kind::Run, serial.into(), 0);
        let task = RunningTask { stack_limit: fiber.stack_limit(), site, seed: self.seed };
        let outer_task = overflow::set_running(Some(task));

        let ended = fiber.resume();

        overflow::set_running(outer_task);
        if ended {
            self.record(Kind::Exit, serial.into(), 0);
            fiber.recycle(&mut self.stacks.borrow_mut());
            self.release_slot(index);
        } else {
            self.slots.borrow_mut()[index as usize].fiber = Some(fiber);
        }
        self.current.set(outer);
        self.current_dead.set(outer_dead);
        self.activity.running(outer.slot);
    }

    /// Makes the slot of a task that ended free for another.
    fn release_slot(&self, index: u32) {
        let mut slots = self.slots.borrow_mut();
        let slot = &mut slots[index as usize];
        slot.state = State::Free;
        slot.token += 1;
        slot.dead = false;
        slot.unwinding = false;
        slot.dead_operations = 0;
        slot.waiting = None;
        slot.held.clear();
        self.free.borrow_mut().push(index);
    }

    /// Whether a task runs, as opposed to the scheduler.
    pub(crate) fn in_task(&self) -> bool {
        self.current_slot() != Current::SCHEDULER.slot
    }
}

/// What runs on a task's stack: the body, and the end of any unwinding.
fn run_body(body: Box<dyn FnOnce()>) {
    let result = panic::catch_unwind(AssertUnwindSafe(move || {
        // A task that was killed before it started drops what it owns while it unwinds from here.
        current::with_core(Core::unwind_if_dead);
        body();
    }));
    if let Err(payload) = result {
        current::with_core(|core| {
            // The hook has reported a panic, and a kill is expected. But `resume_unwind` calls no
            // hook, and counts as a panic.
            if !core.is_dead() {
                core.fail(FailureKind::Panic, panic_message(&*payload));
            }
        });
        discard(payload);
    }
}

/// Drops the payload of an unwinding that has been dealt with, which may panic itself.
fn discard(payload: Box<dyn Any + Send>) {
    panic::catch_unwind(AssertUnwindSafe(|| drop(payload))).ok();
}
