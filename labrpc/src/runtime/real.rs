//! The same facade on real threads and real time.

mod pool;
pub(crate) mod run;
pub(crate) mod spin;
mod timer;

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rand_pcg::Pcg64;

use self::run::{Fault, Member, Over, Place, Run, SLICE, check_over};
use super::failure::{FailureKind, panic_message};
use super::frames::{all_frames, own_frames};
use super::random::{Stream, stream};
use super::task::NodeId;
use super::wall;

/// Sleeps, but no longer than the run lasts.
pub(crate) fn sleep(duration: Duration) {
    let until = later(duration);
    loop {
        check_over();
        let left = Duration::from_nanos(until.saturating_sub(wall::now()));
        if left.is_zero() {
            return;
        }
        wall::sleep(left.min(SLICE));
    }
}

/// The node of the calling thread.
pub(crate) fn current_node() -> NodeId {
    run::with_current(|member| member.map_or(NodeId::TEST, |member| member.node))
}

/// Calls `f` with the calling thread's generator.
pub(crate) fn with_rng<R>(f: impl FnOnce(&mut Pcg64) -> R) -> R {
    thread_local! {
        /// The generator, and the number of the run that it was made for.
        static RNG: RefCell<Option<(u64, Pcg64)>> = const { RefCell::new(None) };
    }
    let run = run::with_current(|member| member.map_or(0, |member| member.run.number));
    RNG.with_borrow_mut(|known| {
        if known.as_ref().is_none_or(|(made_for, _)| *made_for != run) {
            let fresh = run::with_current(|member| match member {
                Some(member) => member.run.fresh_rng(),
                None => stream(wall::entropy(), Stream::User),
            });
            *known = Some((run, fresh));
        }
        let (_, rng) = known.as_mut().expect("made above if it was not there");
        f(rng)
    })
}

/// Runs `body` and waits for its end, for a failure, or for the time limit.
pub(crate) fn execute<T: Send + 'static>(
    seed: u64,
    time_limit: Duration,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let run = Run::new(seed);
    let (sender, receiver) = mpsc::sync_channel(1);
    let outer = run::enter(Some(Member { run: Arc::clone(&run), node: NodeId::TEST }));
    spawn(NodeId::TEST, move || {
        sender.send(body()).ok(); // Fails if the run has failed: then its result is not wanted.
    });
    run::enter(outer);
    let deadline = later(time_limit);
    let result = loop {
        let received = receiver.recv_timeout(SLICE / 10);
        if let Some(fault) = run.failure() {
            break Err(fault);
        }
        if let Ok(value) = received {
            break Ok(value);
        }
        if wall::now() > deadline {
            let message = format!("took longer than the limit of {} s", time_limit.as_secs_f64());
            break Err(Fault { kind: FailureKind::TimeLimit, message, place: None });
        }
    };
    run.finish();
    run.clean_up();
    result
}

/// Runs `action` after a delay as part of the caller's run. It must not wait.
pub(crate) fn after(delay: Duration, action: impl FnOnce() + Send + 'static) {
    let member = run::current();
    timer::run_at(later(delay), Box::new(move || run_job(member, action)));
}

/// Runs `job` on a thread of its own as part of the caller's run, on `node`. A panic in it fails
/// the run.
pub(crate) fn spawn(node: NodeId, job: impl FnOnce() + Send + 'static) {
    let member = run::current().map(|member| Member { node, ..member });
    pool::run(Box::new(move || run_job(member, job)));
}

/// The real time at which a delay that begins now ends.
fn later(delay: Duration) -> u64 {
    wall::now().saturating_add(u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX))
}

/// Runs a job as part of the run that started it.
fn run_job(member: Option<Member>, job: impl FnOnce()) {
    let run = member.as_ref().map(|member| Arc::clone(&member.run));
    run::enter(member);
    if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(job))
        && !payload.is::<Over>()
        && let Some(run) = run
    {
        // The hook has told of it, unless the panic was caught and resumed.
        let message = panic_message(&*payload);
        run.fail(Fault { kind: FailureKind::Panic, message, place: None });
    }
    run::enter(None);
}

/// The calling thread panics, which fails its run, as in a simulation even if the panic is caught.
/// False if it belongs to no run, so that no report will tell.
pub(crate) fn report_panic(info: &PanicHookInfo<'_>) -> bool {
    let Some(Member { run, .. }) = run::current() else { return false };
    let location = info.location().map(ToString::to_string);
    let place = Some(Place { location, frames: own_frames(), backtrace: all_frames() });
    run.fail(Fault { kind: FailureKind::Panic, message: panic_message(info.payload()), place });
    true
}
