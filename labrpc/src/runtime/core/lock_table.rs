//! The locks of one simulation: their numbers, and the tasks that wait for them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::runtime::activity::Activity;
use crate::runtime::escape::{self, Registered, RunNumber};
use crate::runtime::task::Waiter;

/// See the head of this file.
pub(crate) struct LockTable {
    /// Tells this simulation from all others of the process.
    run: Registered,
    last_id: Cell<u32>,
    queues: RefCell<BTreeMap<u32, VecDeque<Waiter>>>,
}

impl LockTable {
    /// The locks of a simulation in which there are none yet.
    pub(crate) fn new(activity: &Arc<Activity>) -> Self {
        let run = escape::register(activity);
        Self { run, last_id: Cell::new(0), queues: RefCell::default() }
    }

    /// The number of the simulation.
    pub(crate) fn run(&self) -> RunNumber {
        self.run.number()
    }

    /// The simulation in which the lock whose cell this is was used last.
    pub(crate) fn run_of(cell: &AtomicU64) -> RunNumber {
        (cell.load(Relaxed) >> 32) as RunNumber
    }

    /// The number of the lock whose cell this is. The upper half of the cell says whose number it
    /// is: a lock in a `static` would otherwise carry it into another simulation.
    pub(crate) fn id(&self, cell: &AtomicU64) -> u32 {
        let known = cell.load(Relaxed);
        if Self::run_of(cell) == self.run() {
            return known as u32;
        }
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        cell.store(u64::from(self.run()) << 32 | u64::from(id), Relaxed);
        id
    }

    /// Adds a waiter for a lock.
    pub(crate) fn enqueue(&self, lock: u32, waiter: Waiter) {
        self.queues.borrow_mut().entry(lock).or_default().push_back(waiter);
    }

    /// Removes a waiter that waits no longer.
    pub(crate) fn dequeue(&self, lock: u32, waiter: Waiter) {
        let mut queues = self.queues.borrow_mut();
        if let Some(queue) = queues.get_mut(&lock) {
            queue.retain(|&other| other != waiter);
            if queue.is_empty() {
                queues.remove(&lock);
            }
        }
    }

    /// Calls `wake` with those that wait for a lock, longest first, until it succeeds.
    pub(crate) fn wake_next(&self, lock: u32, wake: impl Fn(Waiter) -> bool) {
        let queues = self.queues.borrow();
        if let Some(queue) = queues.get(&lock) {
            queue.iter().any(|&waiter| wake(waiter));
        }
    }
}
