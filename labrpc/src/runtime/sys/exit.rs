//! The end of the process.

#![allow(unsafe_code, reason = "std::process::exit runs handlers and destructors first")]

/// Ends the process at once with this exit code. Unlike with [`std::process::exit`], nothing runs
/// any more: no handler, no destructor of a thread-local variable, no other thread.
///
/// Harnesses use it when everything has been said about a run, so that the code under test cannot
/// have the last word.
pub fn end_process(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions. It skips all cleaning up in this process, which no
    // safe code may rely on; the kernel closes files and frees memory.
    unsafe { libc::_exit(code) }
}
