//! Real time, for the real-thread backend and for measuring what a run cost.
//!
//! The one place that may read the machine's clock, put a real thread to sleep, or draw a number
//! that no seed decides.

#![allow(clippy::disallowed_methods, reason = "this is where real time comes from")]

use std::hash::{BuildHasher as _, RandomState};
use std::process;
use std::sync::LazyLock;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// When the process first asked for the time.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Nanoseconds of real time since the process first asked.
pub(crate) fn now() -> u64 {
    START.elapsed().as_nanos() as u64
}

/// A number that no other process is likely to draw.
pub(crate) fn entropy() -> u64 {
    // Its keys are from the system. A clock that counts from the start of the process would not do:
    // processes that were started together read the same.
    RandomState::new().hash_one(process::id())
}

/// Puts the calling thread to sleep.
pub(crate) fn sleep(duration: Duration) {
    std::thread::sleep(duration);
}

/// Starts a real thread with this name.
pub(crate) fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new()
        .name(name.to_string())
        .spawn(body)
        .expect("the system gives us another thread")
}
