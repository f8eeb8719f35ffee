//! The CPU time that another thread has used, and whether that thread waits in the kernel.
//!
//! A watchdog that counts wall time accuses innocent code whenever the machine is busy; one that
//! counts the watched thread's own CPU time does not.
//!
//! [`ThreadClock`] identifies a thread of this process, which must not have been joined:
//!
//! | system | CPU time | whether it waits |
//! |---|---|---|
//! | Linux | `pthread_getcpuclockid` | `/proc/self/task` |
//! | FreeBSD | `pthread_getcpuclockid` | not known, so always true |
//! | macOS | `thread_info` | `thread_info` |
//!
//! Where it is not known whether a thread waits, the watchdog goes by CPU time that stands still
//! while wall time passes.

#[cfg(target_os = "macos")]
mod mach;
#[cfg(not(target_os = "macos"))]
mod posix;

#[cfg(target_os = "macos")]
pub(crate) use self::mach::ThreadClock;
#[cfg(not(target_os = "macos"))]
pub(crate) use self::posix::ThreadClock;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::thread::{sleep, spawn, yield_now};
    use std::time::Duration;

    use super::ThreadClock;

    /// Starts a thread that runs `body`, and returns its clock.
    #[expect(clippy::disallowed_methods, reason = "this is about real threads")]
    fn clock_of(body: impl FnOnce() + Send + 'static) -> ThreadClock {
        let (sender, receiver) = channel();
        spawn(move || {
            sender.send(ThreadClock::of_this_thread()).unwrap();
            body();
        });
        receiver.recv().unwrap()
    }

    #[test]
    fn time_of_a_thread_that_computes_goes_on() {
        let running = Arc::new(());
        let still = Arc::clone(&running);
        let clock = clock_of(move || while Arc::strong_count(&still) > 1 {});
        let began = clock.cpu_time();
        // However busy the machine is, the thread gets its turn.
        while clock.cpu_time() < began + Duration::from_millis(100) {
            yield_now();
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "this is about real threads")]
    fn a_thread_that_sleeps_is_seen_to_wait_and_uses_no_time() {
        let clock = clock_of(|| sleep(Duration::from_secs(3600)));
        // It may need a moment to get there.
        while !clock.is_waiting() {
            yield_now();
        }
        let began = clock.cpu_time();
        sleep(Duration::from_millis(200));
        assert!(clock.is_waiting());
        assert!(clock.cpu_time() < began + Duration::from_millis(100));
    }
}
