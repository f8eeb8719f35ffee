//! Waiting for something to happen.

use std::time::Duration;

use labrpc::{Instant, sleep};

/// Looks once in each `interval` until there is something to see, and returns that; `None` if
/// there is nothing to see within `limit`.
///
/// ```
/// use std::time::Duration;
/// use testkit::{lab_test, poll};
///
/// lab_test("third_look_0a", |_sim| {
///     let mut looks = 0;
///     let third = poll(Duration::from_secs(1), Duration::from_millis(10), || {
///         looks += 1;
///         (looks == 3).then_some("third")
///     });
///     assert_eq!(third, Some("third"));
/// });
/// ```
pub fn poll<T>(
    limit: Duration,
    interval: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return Some(seen);
        }
        if began.elapsed() >= limit {
            return None;
        }
        sleep(interval);
    }
}

/// Looks once in each `interval` until something is true; returns false if it is not within
/// `limit`.
#[must_use]
pub fn wait_until(limit: Duration, interval: Duration, mut is_true: impl FnMut() -> bool) -> bool {
    poll(limit, interval, || is_true().then_some(())).is_some()
}
