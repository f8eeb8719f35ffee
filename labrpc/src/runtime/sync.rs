//! Locks, condition variables, channels and atomics, shaped like those of `std`.
//!
//! They work in a simulation and on real threads alike. Differences from `std`: locking cannot fail
//! (there is no poisoning, since a panic fails the whole run), and atomics are always sequentially
//! consistent.

mod atomic;
mod channel;
mod condvar;
mod mutex;
mod select;

pub use self::atomic::{Atomic, AtomicBool, AtomicI64, AtomicU32, AtomicU64, AtomicUsize};
pub use self::channel::{
    IntoIter, Iter, Receiver, RecvError, RecvTimeoutError, SendError, Sender, TryRecvError,
    TrySendError, bounded, channel, rendezvous,
};
pub use self::condvar::Condvar;
pub use self::mutex::{Mutex, MutexGuard};
pub use self::select::Select;
