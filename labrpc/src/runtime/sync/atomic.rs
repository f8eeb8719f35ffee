//! Values that tasks share without a lock.

use std::fmt;

use crossbeam_utils::atomic::AtomicCell;

use crate::runtime::sys::current::dispatch;

/// A value that tasks read and change without a lock; every operation is sequentially consistent.
///
/// ```
/// use labrpc::AtomicU64;
/// let counter = AtomicU64::new(1);
/// assert_eq!(counter.fetch_add(2), 1);
/// assert_eq!(counter.load(), 3);
/// ```
#[derive(Default)]
pub struct Atomic<T>(AtomicCell<T>);

/// A flag.
pub type AtomicBool = Atomic<bool>;
/// A number of 32 bits.
pub type AtomicU32 = Atomic<u32>;
/// A number of 64 bits.
pub type AtomicU64 = Atomic<u64>;
/// A signed number of 64 bits.
pub type AtomicI64 = Atomic<i64>;
/// A size.
pub type AtomicUsize = Atomic<usize>;

impl<T> Atomic<T> {
    /// Holds `value`.
    pub const fn new(value: T) -> Self {
        Self(AtomicCell::new(value))
    }
}

impl<T: Copy + Eq> Atomic<T> {
    /// The value.
    pub fn load(&self) -> T {
        before_operation();
        self.0.load()
    }

    /// Sets the value.
    pub fn store(&self, value: T) {
        if before_operation() {
            self.0.store(value);
        }
    }

    /// Sets the value and returns the one before.
    pub fn swap(&self, value: T) -> T {
        if before_operation() { self.0.swap(value) } else { self.0.load() }
    }

    /// Sets the value to `new` if it is `current`; returns the one before, as an error if it was
    /// another.
    pub fn compare_exchange(&self, current: T, new: T) -> Result<T, T> {
        if before_operation() { self.0.compare_exchange(current, new) } else { Err(self.0.load()) }
    }

    /// Sets the value to what `f` makes of it; returns the one before.
    pub fn update(&self, mut f: impl FnMut(T) -> T) -> T {
        let mut value = self.load();
        loop {
            if !before_operation() {
                return value;
            }
            match self.0.compare_exchange(value, f(value)) {
                Ok(before) => return before,
                Err(now) => value = now,
            }
        }
    }
}

impl<T: Copy + Eq + std::ops::Add<Output = T>> Atomic<T> {
    /// Adds to the value; returns the one before.
    pub fn fetch_add(&self, summand: T) -> T {
        if !before_operation() {
            return self.0.load();
        }
        // One operation, not a load and a later exchange: no other task comes between the two.
        self.0.fetch_update(|value| Some(value + summand)).unwrap_or_else(|value| value)
    }
}

impl<T: Copy + Eq + fmt::Debug> fmt::Debug for Atomic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.load().fmt(f)
    }
}

/// A point at which others may run; false if the operation must not take effect.
fn before_operation() -> bool {
    dispatch(|core| core.is_none_or(|core| core.enter()))
}
