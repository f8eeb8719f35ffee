//! A lock whose owner the simulation knows.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{self, TryLockError};

use crate::runtime::core::Core;
use crate::runtime::core::lock_table::LockTable;
use crate::runtime::escape;
use crate::runtime::poison::unpoisoned;
use crate::runtime::real::run::check_over;
use crate::runtime::sys::current::dispatch;
use crate::runtime::task::{Wait, Waiter};

/// Protects data that tasks share. The counterpart of [`std::sync::Mutex`], except that
/// [`Mutex::lock`] returns the guard itself.
///
/// In a simulation, waiting for a lock in a circle is reported at once, and a failure report lists
/// locks that were held while their owner waited for an RPC, a sleep or a channel.
#[derive(Default)]
pub struct Mutex<T: ?Sized> {
    /// Numbers the lock within its simulation, see `LockTable`; 0 until first locked there.
    id: AtomicU64,
    /// How many tasks of a simulation wait for this lock.
    waiting: AtomicU32,
    /// The data. In a simulation this is only ever tried, never waited for.
    data: sync::Mutex<T>,
}

/// Access to the data of a locked [`Mutex`]; unlocks it when dropped.
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    /// `None` only while the guard is being dropped or a [`Condvar`](crate::Condvar) has it.
    data: Option<sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    /// A lock around `value`.
    pub const fn new(value: T) -> Self {
        Self { id: AtomicU64::new(0), waiting: AtomicU32::new(0), data: sync::Mutex::new(value) }
    }

    /// The data, without locking: `self` is the only owner left.
    pub fn into_inner(self) -> T {
        unpoisoned(self.data.into_inner())
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until the lock is free, and takes it.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        let site = Location::caller();
        dispatch(|core| match core {
            Some(core) => {
                core.enter();
                self.lock_simulated(core, site)
            }
            None => {
                escape::touched(LockTable::run_of(&self.id), "a lock", site);
                self.lock_real()
            }
        })
    }

    /// Takes the lock if it is free.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let site = Location::caller();
        dispatch(|core| {
            if let Some(core) = core {
                core.enter();
                return self.try_lock_simulated(core, site);
            }
            escape::touched(LockTable::run_of(&self.id), "a lock", site);
            check_over();
            self.try_data().map(|data| self.guard(data))
        })
    }

    /// The data, without locking: the exclusive borrow rules out other users.
    pub fn get_mut(&mut self) -> &mut T {
        unpoisoned(self.data.get_mut())
    }

    /// Locks on real threads.
    pub(super) fn lock_real(&self) -> MutexGuard<'_, T> {
        check_over();
        self.guard(unpoisoned(self.data.lock()))
    }

    /// Locks in a simulation, in dead mode too: a dead task gets the lock to unwind, even if its
    /// owner must unwind first.
    pub(super) fn lock_simulated(
        &self,
        core: &Core,
        site: &'static Location<'static>,
    ) -> MutexGuard<'_, T> {
        loop {
            if let Some(guard) = self.try_lock_simulated(core, site) {
                return guard;
            }
            let id = self.id(core);
            let waiter = core.waiter();
            core.enqueue_for_lock(id, waiter, site);
            self.waiting.fetch_add(1, Relaxed);
            let unregister = Unregister { mutex: self, core, id, waiter };
            core.wait(waiter, Wait::Lock(id), site, None);
            drop(unregister);
        }
    }

    /// Takes the lock in a simulation if it is free.
    fn try_lock_simulated(
        &self,
        core: &Core,
        site: &'static Location<'static>,
    ) -> Option<MutexGuard<'_, T>> {
        let data = self.try_data()?;
        let lock = self.id(core);
        core.took_lock(lock, site);
        Some(self.guard(data))
    }

    /// The number of this lock in its simulation.
    fn id(&self, core: &Core) -> u32 {
        core.locks.id(&self.id)
    }

    /// Locks the data if it is not locked. A panic while the lock was held does not matter: it has
    /// failed the run already.
    fn try_data(&self) -> Option<sync::MutexGuard<'_, T>> {
        match self.data.try_lock() {
            Ok(data) => Some(data),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The guard of the locked data.
    fn guard<'a>(&'a self, data: sync::MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        MutexGuard { mutex: self, data: Some(data) }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.data.fmt(f)
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// Ends the registration of a waiting task, also when it is killed.
struct Unregister<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    core: &'a Core,
    id: u32,
    waiter: Waiter,
}

impl<T: ?Sized> Drop for Unregister<'_, T> {
    fn drop(&mut self) {
        self.mutex.waiting.fetch_sub(1, Relaxed);
        self.core.locks.dequeue(self.id, self.waiter);
        // Killed after it was woken, and before it could take the lock: another task must.
        if self.core.is_dead() {
            self.core.wake_next_for_lock(self.id);
        }
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Unlocks and returns the lock, for a condition variable that will lock it again.
    pub(super) fn release(self) -> &'a Mutex<T> {
        self.mutex
    }

    /// Hands the data to a condition variable on real threads, and takes it back.
    pub(super) fn exchange(
        mut self,
        wait: impl FnOnce(sync::MutexGuard<'a, T>) -> sync::MutexGuard<'a, T>,
    ) -> Self {
        self.data = self.data.take().map(wait);
        self
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.data = None;
        // Zero outside simulations, and if it was never locked inside one.
        let id = self.mutex.id.load(Relaxed) as u32;
        if id == 0 {
            return;
        }
        dispatch(|core| {
            let Some(core) = core else { return };
            core.released_lock(id);
            if self.mutex.waiting.load(Relaxed) > 0 {
                core.wake_next_for_lock(id);
            }
        });
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.data.as_ref().expect("a guard has its data until it is dropped")
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.data.as_mut().expect("a guard has its data until it is dropped")
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
