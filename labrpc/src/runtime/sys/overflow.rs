//! Names the task whose stack overflowed, before the process dies.
//!
//! A task's stack ends in a guard page. Touching it raises a signal that would otherwise kill the
//! process without a word: `std`'s own handler knows only the stacks of threads.

#![allow(unsafe_code, reason = "signal handlers have no safe interface")]

use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::panic::Location;
use std::sync::Once;

/// What the handler may know of the task that runs on this thread.
#[derive(Clone, Copy)]
pub(crate) struct RunningTask {
    /// Lowest address of its stack.
    pub(crate) stack_limit: usize,
    /// Where it was spawned.
    pub(crate) site: &'static Location<'static>,
    /// The seed of its simulation.
    pub(crate) seed: u64,
}

thread_local! {
    /// Constant-initialised and without a destructor, so that the handler may read it.
    static RUNNING: Cell<Option<RunningTask>> = const { Cell::new(None) };
}

/// Bytes at the low end of a stack that count as its overflow: the guard page, with room for large
/// pages.
const GUARD: usize = 64 * 1024;

/// Tells the handler which task runs now on this thread, and returns which did before.
pub(crate) fn set_running(task: Option<RunningTask>) -> Option<RunningTask> {
    RUNNING.replace(task)
}

/// Installs the handler, once per process.
#[cfg(unix)]
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        for signal in [libc::SIGSEGV, libc::SIGBUS] {
            // SAFETY: an all-zero `sigaction` is a valid value to fill in, and the handler keeps to
            // what a handler may do: it reads a thread-local constant, formats into a buffer on the
            // stack, and calls `write` and `abort`, or puts the default action back.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = on_fault as *const () as usize;
                // The stack that overflowed cannot run the handler; `std` gives every thread that
                // it starts an alternate one.
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                libc::sigemptyset(&raw mut action.sa_mask);
                libc::sigaction(signal, &raw const action, std::ptr::null_mut());
            }
        }
    });
}

/// Other systems die without the task's name.
#[cfg(not(unix))]
pub(crate) fn install() {}

/// Reports an overflow of the running task's stack and aborts; any other fault is left to the
/// default action, which strikes when the faulting instruction is tried again.
#[cfg(unix)]
extern "C" fn on_fault(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid `info` to a handler installed with SA_SIGINFO.
    let address = unsafe { (*info).si_addr() } as usize;
    match RUNNING.get() {
        Some(task) if (task.stack_limit..task.stack_limit + GUARD).contains(&address) => {
            let mut text = Line::default();
            write!(
                text,
                "\nstack overflow in the task spawned at {}, seed {}: \
                 is there a recursion without an end?\n",
                task.site, task.seed
            )
            .ok(); // A line that is too long is cut.
            // SAFETY: the buffer is live and as long as said; both calls may be used in handlers.
            unsafe {
                libc::write(2, text.bytes.as_ptr().cast(), text.length);
                libc::abort();
            }
        }
        // SAFETY: resets one signal to its default action; the pointer is not kept.
        _ => unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        },
    }
}

/// A line of text on the stack: a handler must not allocate.
struct Line {
    bytes: [u8; 512],
    length: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self { bytes: [0; 512], length: 0 }
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.length..];
        let taken = text.len().min(room.len());
        room[..taken].copy_from_slice(&text.as_bytes()[..taken]);
        self.length += taken;
        if taken == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}
