//! What stands for code that a student has not written yet.

use std::panic::Location;

/// Between the name of a function and the place where its body belongs.
const NOT_WRITTEN: &str = " is not written yet: ";

/// The body of a function that is to be written: panics and names the function and the line of this
/// call. `what` is the function's name as in `Raft::start`. `args` are dropped; a function that
/// hands over its arguments compiles without a warning that it does not use them.
///
/// A grading test that calls the function fails, and its report begins with that name and line, in
/// every task of a server and in a separate process.
///
/// ```should_panic
/// use labrpc::your_code_here;
///
/// /// The number of servers that are more than half of `servers`.
/// fn majority(servers: usize) -> usize {
///     your_code_here("majority", servers)
/// }
///
/// majority(5); // Panics: majority is not written yet: src/lib.rs:6
/// ```
///
/// # Panics
/// Always.
#[track_caller]
pub fn your_code_here<T>(what: &str, args: T) -> ! {
    drop(args);
    let place = Location::caller();
    panic!("{what}{NOT_WRITTEN}{}:{}", place.file(), place.line());
}

/// The function that is to be written, if `message` is that of a panic in [`your_code_here`].
pub(crate) fn unwritten(message: &str) -> Option<&str> {
    message.split_once(NOT_WRITTEN).map(|(what, _)| what)
}
