//! What the runtime installs once in a process.

use std::io::Write as _;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use super::failure::{FailureKind, panic_message};
use super::sys::current;
use super::sys::overflow;
use super::{logger, real};

/// What a process needs once: the logger, the panic hook, and the handler for stack overflows.
pub(crate) fn install_process_wide() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        logger::install();
        overflow::install();
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !report_panic(info) {
                previous(info);
            }
        }));
    });
}

/// Makes a panic of a task the failure of its simulation; false for other panics.
fn report_panic(info: &PanicHookInfo<'_>) -> bool {
    current::dispatch(|core| match core {
        Some(core) if core.in_task() && (!core.is_dead() || core.is_unobserved()) => {
            core.fail(FailureKind::Panic, panic_message(info.payload()));
            core.amend_failure(|failure| {
                failure.location = info.location().map(ToString::to_string);
            });
            core.note_frames();
            core.on_panic();
            true
        }
        Some(core) if core.is_unwinding() => {
            explain_abort(&core.current_task());
            false
        }
        Some(_) => false,
        None => real::report_panic(info),
    })
}

/// Rust ends the process if a destructor panics while its stack is unwound, and says little about
/// it; here is what the programmer must know.
fn explain_abort(task: &str) {
    let text = format!(
        "\na destructor panics while its task is killed, which ends the process: {task}\n\
         in a killed task, join, recv and call return errors: do not unwrap them in Drop\n"
    );
    // Not `eprintln`: libtest would keep the text for a report that it never gets to write.
    std::io::stderr().write_all(text.as_bytes()).ok();
}
