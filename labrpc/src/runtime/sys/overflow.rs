//! Names the task whose stack overflowed, before the process dies.
//!
//! A task's stack ends in a guard page. Touching it raises a signal that would otherwise kill the
//! process without a word: `std`'s own handler knows only the stacks of threads.

#![allow(unsafe_code, reason = "signal handlers have no safe interface")]

use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::panic::Location;
use std::sync::{Once, OnceLock};

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
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        for signal in [libc::SIGSEGV, libc::SIGBUS] {
            // SAFETY: an all-zero `sigaction` is a valid value to fill in, all pointers are to live
            // locals, and the handler keeps to what a handler may do: it reads constants, one of
            // them thread-local, formats into a buffer on the stack, and calls `write` and `abort`,
            // or the handler before it. That one is known before ours can be called.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                libc::sigaction(signal, std::ptr::null(), &raw mut action);
                previous(signal).set(action).ok(); // It is set here only, and this runs once.
                action = std::mem::zeroed();
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

/// What was done about a signal before we came: usually `std`'s handler, which knows the stacks of
/// threads.
fn previous(signal: libc::c_int) -> &'static OnceLock<libc::sigaction> {
    static SEGV: OnceLock<libc::sigaction> = OnceLock::new();
    static BUS: OnceLock<libc::sigaction> = OnceLock::new();
    if signal == libc::SIGSEGV { &SEGV } else { &BUS }
}

/// Reports an overflow of the running task's stack and aborts; any other fault is left to the
/// handler that was there before, or to the default action, which strikes when the faulting
/// instruction is tried again.
extern "C" fn on_fault(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
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
        _ => call_previous(signal, info, context),
    }
}

/// Does what would have been done about a signal had we not come.
fn call_previous(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let previous = previous(signal).get().filter(|action| {
        let is_handler = !matches!(action.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN);
        is_handler && action.sa_flags & libc::SA_SIGINFO != 0
    });
    match previous {
        Some(action) => {
            // SAFETY: with SA_SIGINFO, and unless it is one of two constants, the field holds the
            // address of a function of this type; the arguments are those of the signal.
            unsafe {
                let handler: Handler = std::mem::transmute(action.sa_sigaction);
                handler(signal, info, context);
            }
        }
        // SAFETY: resets one signal to its default action; the pointer is not kept.
        None => unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        },
    }
}

/// A signal handler with three arguments.
type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

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
