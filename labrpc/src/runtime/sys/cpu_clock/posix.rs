//! Threads' clocks as POSIX has them.

#![allow(unsafe_code, reason = "std has no way to read a thread's CPU clock")]

use std::time::Duration;

/// Identifies a thread for [`ThreadClock::cpu_time`] and [`ThreadClock::is_waiting`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadClock {
    clock: libc::clockid_t,
    #[cfg(target_os = "linux")]
    tid: libc::pid_t,
}

impl ThreadClock {
    /// The clock of the thread that calls this.
    pub(crate) fn of_this_thread() -> Self {
        let mut clock: libc::clockid_t = 0;
        // SAFETY: `pthread_self` is always valid, and `clock` is a live local for the call to fill.
        let failed = unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut clock) };
        assert_eq!(failed, 0, "this thread has no CPU clock");
        Self {
            clock,
            #[cfg(target_os = "linux")]
            // SAFETY: has no preconditions.
            tid: unsafe { libc::gettid() },
        }
    }

    /// CPU time used so far by the thread, which must not have been joined.
    pub(crate) fn cpu_time(self) -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is a live local for the call to fill; a clock that no longer exists makes
        // the call fail and nothing else.
        if unsafe { libc::clock_gettime(self.clock, &raw mut time) } != 0 {
            return Duration::ZERO;
        }
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
        Duration::new(seconds, nanos)
    }

    /// True if the kernel says that the thread sleeps: it waits for a lock, a timer or a file, not
    /// for a processor.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_waiting(self) -> bool {
        let path = format!("/proc/self/task/{}/stat", self.tid);
        let Ok(stat) = std::fs::read_to_string(path) else { return false };
        // "tid (name) state ...": the name may hold anything, so look behind its last parenthesis.
        let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
        matches!(state, Some('S' | 'D'))
    }

    /// Not known here, so true: CPU time that stands still has to do.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn is_waiting(self) -> bool {
        true
    }
}
