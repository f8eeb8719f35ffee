//! The port: what the network, the disks, the persister, and the two ends of a call may use of the
//! runtime besides its public interface.
//!
//! No other name of the runtime can be seen outside its folder, so that it could become a crate of
//! its own. The functions act on the world that the calling thread belongs to; the core of a
//! simulation is never handed out.

use std::panic::Location;
use std::time::Duration;

use contract::accidents::AccidentKind;
use contract::recording::What;
use rand_pcg::Pcg64;
use serde::Serialize;

use super::core::Core;
use super::real;
use super::real::run;
use super::recorder::words::words;
use super::sys::current::{dispatch, with_core};
use super::timers::Action;

pub(crate) use super::core::keyed_mode::millis;
pub(crate) use super::escape::{RunNumber, touched};
pub(crate) use super::keyed::{Draw, mix};
pub(crate) use super::oneshot::OneShot;
pub(crate) use super::poison::unpoisoned;
pub(crate) use super::real::run::check_over;
pub(crate) use super::sys::current::{in_simulation, this_run};
pub(crate) use super::task::{Handled, NodeId, Wait};
pub(crate) use super::trace::{Kind, digest};

/// Begins an operation on which tasks synchronize: in a simulation it costs virtual time and may
/// let others run. False in dead mode, where the operation must neither wait nor take effect.
pub(crate) fn enter() -> bool {
    dispatch(|core| core.is_none_or(Core::enter))
}

/// Begins an operation that no other task can notice, such as reading a counter. False in dead
/// mode.
pub(crate) fn charge() -> bool {
    dispatch(|core| core.is_none_or(Core::charge))
}

/// Nanoseconds since the start of the run; costs no virtual time.
pub(crate) fn now() -> u64 {
    dispatch(|core| core.map_or_else(run::now, Core::now))
}

/// Records an event with its operands, see [`Kind`]. Real threads keep no trace and do not compute
/// the second one.
pub(crate) fn record(kind: Kind, a: u64, b: impl FnOnce() -> u64) {
    dispatch(|core| core.map(|core| core.record(kind, a, b())));
}

/// Adds an event to the recording of the run, if there is one.
pub(crate) fn draw(what: impl FnOnce() -> What) {
    dispatch(|core| core.map(|core| core.draw(what)));
}

/// A value in words, if the run is recorded or its accidents are told in detail. The type's
/// `Serialize` is a student's: nothing that it does takes effect.
pub(crate) fn in_words<T: Serialize + ?Sized>(value: &T) -> Option<String> {
    dispatch(|core| {
        let is_told = |core: &&Core| core.keyed.as_ref().is_some_and(|it| it.tells_details());
        let core = core.filter(|core| core.recorder.is_some() || is_told(core))?;
        Some(core.unobserved(|| words(value)))
    })
}

/// Calls `f` with the generator of the network's stream; in the keyed mode, with one for this
/// decision about the message with this key.
pub(crate) fn with_network_rng<R>(
    message: Option<u64>,
    draw: Draw,
    f: impl FnOnce(&mut Pcg64) -> R,
) -> R {
    dispatch(|core| match core {
        Some(core) => match (&core.keyed, message) {
            (Some(keyed), Some(message)) => f(&mut keyed.generator(message, draw)),
            _ => f(&mut core.network_rng.borrow_mut()),
        },
        None => real::with_rng(f),
    })
}

/// In the keyed mode, the key of a message whose end, method and arguments have this digest.
pub(crate) fn message_key(content: impl FnOnce() -> u64) -> Option<u64> {
    dispatch(|core| Some(core?.keyed.as_ref()?.message(content())))
}

/// In the keyed mode, whether an accident that is drawn for a message of a call may happen; else it
/// does.
pub(crate) fn happens(
    message: u64,
    kind: AccidentKind,
    call: u64,
    text: impl FnOnce() -> String,
) -> bool {
    dispatch(|core| match core.and_then(|core| Some((core, core.keyed.as_ref()?))) {
        Some((core, keyed)) => core.happens(keyed, (message, kind), Some(call), text),
        None => true,
    })
}

/// Runs `action` after a delay: at a later virtual time on the scheduler's stack, or on real
/// threads on the timer's thread, at once if there is no delay. It must not wait.
pub(crate) fn after(nanos: u64, action: impl FnOnce() + Send + 'static) {
    if in_simulation() {
        // Boxed where it is made, since it owns a whole message.
        let action = Action::Call(Box::new(action));
        with_core(|core| core.add_timer(core.now() + nanos, action));
    } else if nanos == 0 {
        action();
    } else {
        real::after(Duration::from_nanos(nanos), action);
    }
}

/// Does something at the end of the run, once no task of a simulation is left; never outside runs.
pub(crate) fn at_end_of_run(action: impl FnOnce() + Send + 'static) {
    dispatch(|core| match core {
        Some(core) => core.at_end(action),
        None => drop(run::current().map(|member| member.run.at_end(action))),
    });
}

/// Starts a task on `node` that is never joined.
pub(crate) fn spawn_detached(
    node: NodeId,
    site: &'static Location<'static>,
    body: impl FnOnce() + Send + 'static,
) {
    spawn(None, node, site, body);
}

/// Starts a task that handles a call.
pub(crate) fn spawn_handler(
    handled: Handled,
    node: NodeId,
    site: &'static Location<'static>,
    body: impl FnOnce() + Send + 'static,
) {
    spawn(Some(handled), node, site, body);
}

/// Starts a task.
fn spawn(
    handled: Option<Handled>,
    node: NodeId,
    site: &'static Location<'static>,
    body: impl FnOnce() + Send + 'static,
) {
    dispatch(|core| match core {
        Some(core) => drop(core.spawn_for(handled, node, site, Box::new(body))),
        None => real::spawn(node, body),
    });
}

/// Adds to a run that has failed which lines make the most calls. `busiest` gets the virtual seconds
/// that the run took.
pub(crate) fn note_busy_calls(busiest: impl FnOnce(u64) -> Vec<String>) {
    dispatch(|core| {
        core.map(|core| {
            let seconds = core.now() / 1_000_000_000;
            core.amend_failure(|failure| failure.busy_calls.extend(busiest(seconds)));
        })
    });
}

/// The node of the running task.
pub(crate) fn current_node() -> NodeId {
    dispatch(|core| core.map_or_else(real::current_node, Core::current_node))
}
