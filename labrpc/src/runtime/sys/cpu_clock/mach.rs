//! Threads' clocks on macOS, which has no `pthread_getcpuclockid`: its kernel, Mach, tells.

#![allow(unsafe_code, reason = "std has no way to read a thread's CPU clock")]

use std::time::Duration;

/// Identifies a thread for [`ThreadClock::cpu_time`] and [`ThreadClock::is_waiting`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadClock {
    /// The name of the thread's port. The thread itself owns the right to it, so nothing has to be
    /// given back.
    port: libc::mach_port_t,
}

impl ThreadClock {
    /// The clock of the thread that calls this.
    pub(crate) fn of_this_thread() -> Self {
        // SAFETY: `pthread_self` is always valid.
        Self { port: unsafe { libc::pthread_mach_thread_np(libc::pthread_self()) } }
    }

    /// CPU time used so far by the thread, which must not have been joined.
    pub(crate) fn cpu_time(self) -> Duration {
        let Some(info) = self.info() else { return Duration::ZERO };
        duration(info.user_time) + duration(info.system_time)
    }

    /// True if the kernel says that the thread sleeps: it waits for a lock, a timer or a file, not
    /// for a processor.
    pub(crate) fn is_waiting(self) -> bool {
        let state = self.info().map(|info| info.run_state);
        matches!(state, Some(libc::TH_STATE_WAITING | libc::TH_STATE_UNINTERRUPTIBLE))
    }

    /// What the kernel tells of the thread; `None` if it has ended.
    fn info(self) -> Option<libc::thread_basic_info> {
        let nothing = libc::time_value_t { seconds: 0, microseconds: 0 };
        let mut info = libc::thread_basic_info {
            user_time: nothing,
            system_time: nothing,
            cpu_usage: 0,
            policy: 0,
            run_state: 0,
            flags: 0,
            suspend_count: 0,
            sleep_time: 0,
        };
        let mut length = libc::THREAD_BASIC_INFO_COUNT;
        // SAFETY: `info` is a live local of the type that this flavour fills, and `length` its
        // length in integers, so the call writes nothing beyond it; a port that no longer exists
        // makes the call fail and nothing else.
        let result = unsafe {
            libc::thread_info(
                self.port,
                libc::THREAD_BASIC_INFO as libc::thread_flavor_t,
                (&raw mut info).cast(),
                &raw mut length,
            )
        };
        (result == libc::KERN_SUCCESS).then_some(info)
    }
}

/// A time as Mach writes it.
fn duration(time: libc::time_value_t) -> Duration {
    let seconds = u64::try_from(time.seconds).unwrap_or(0);
    let micros = u64::try_from(time.microseconds).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}
