//! The locks of one simulation: their numbers, and the tasks that wait for them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::runtime::task::Waiter;

/// See the head of this file.
pub(crate) struct LockTable {
    /// Tells this simulation from all others of the process. It is compared, and seen nowhere.
    run: u32,
    last_id: Cell<u32>,
    queues: RefCell<BTreeMap<u32, VecDeque<Waiter>>>,
}

impl Default for LockTable {
    fn default() -> Self {
        static RUNS: AtomicU32 = AtomicU32::new(1);
        let run = RUNS.fetch_add(1, Relaxed);
        Self { run, last_id: Cell::new(0), queues: RefCell::default() }
    }
}

impl LockTable {
    /// The number of the lock whose cell this is. The upper half of the cell says whose number it
    /// is: a lock in a `static` would otherwise carry it into another simulation.
    pub(crate) fn id(&self, cell: &AtomicU64) -> u32 {
        let known = cell.load(Relaxed);
        if (known >> 32) as u32 == self.run {
            return known as u32;
        }
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        cell.store(u64::from(self.run) << 32 | u64::from(id), Relaxed);
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
