//! The runtime: tasks, time and randomness, in a simulation or on real threads.
//!
//! The facade is this file; the same calls work in both worlds.

mod activity;
mod core;
mod divergence;
mod escape;
mod failure;
mod frames;
mod hooks;
mod keyed;
mod logger;
mod node;
mod oneshot;
mod poison;
mod policy;
pub(crate) mod port;
mod random;
mod real;
pub(crate) mod recorder;
mod seconds;
mod settings;
mod simulation;
mod spawn;
mod sync;
mod sys;
mod task;
mod time;
mod timers;
mod trace;
mod wall;
mod watchdog;

use std::convert::Infallible;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use contract::recording::What;
use rand::{RngExt as _, TryRng};

pub use self::failure::{Failure, FailureKind};
pub use self::node::Node;
pub use self::policy::Policy;
pub use self::recorder::Recording;
pub use self::settings::{Backend, Settings, SettingsError, run};
pub use self::simulation::{DEFAULT_TIME_LIMIT, Outcome, Simulation, run_real};
pub use self::spawn::{JoinHandle, TaskDied, spawn};
pub use self::sync::{
    Atomic, AtomicBool, AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Condvar, IntoIter, Iter,
    Mutex, MutexGuard, Receiver, RecvError, RecvTimeoutError, Select, SendError, Sender,
    TryRecvError, TrySendError, bounded, channel, rendezvous,
};
pub use self::sys::exit::end_process;
pub use self::time::Instant;

use self::real::run::check_over;
use self::sys::current::dispatch;
use self::task::Wait;
use self::trace::{Kind, digest};

/// Waits for `duration`. The counterpart of [`std::thread::sleep`].
#[track_caller]
pub fn sleep(duration: Duration) {
    let site = Location::caller();
    dispatch(|core| match core {
        Some(core) => {
            if core.enter() {
                let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
                let until = core.now().saturating_add(nanos);
                core.wait(core.waiter(), Wait::Sleep, site, Some(until));
            }
        }
        None => real::sleep(duration),
    });
}

/// Lets other tasks run. The counterpart of [`std::thread::yield_now`].
pub fn yield_now() {
    dispatch(|core| match core {
        Some(core) => {
            if core.enter() {
                core.yield_now();
            }
        }
        None => {
            check_over();
            std::thread::yield_now();
        }
    });
}

/// A source of random numbers that the run's seed decides. Use it through [`rand::RngExt`]:
/// `rng().random_range(150..300)`.
///
/// Draw `u32` or `u64`, not `usize`, whose draws differ between platforms.
#[track_caller]
pub fn rng() -> Rng {
    Rng(Location::caller())
}

/// What [`rng`] returns: a handle to the run's generator.
#[derive(Clone, Copy, Debug)]
pub struct Rng(&'static Location<'static>);

impl TryRng for Rng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        with_user_rng(self.0, TryRng::try_next_u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        with_user_rng(self.0, TryRng::try_next_u64)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        with_user_rng(self.0, |rng| rng.try_fill_bytes(bytes))
    }
}

/// Calls `f` with the generator of the user's stream; in the keyed mode, with one for this draw.
fn with_user_rng<R>(
    site: &'static Location<'static>,
    f: impl FnOnce(&mut rand_pcg::Pcg64) -> R,
) -> R {
    dispatch(|core| match core {
        Some(core) => match &core.keyed {
            None => f(&mut core.user_rng.borrow_mut()),
            Some(keyed) => f(&mut keyed.user_generator(core.current_slot(), site)),
        },
        None => real::with_rng(f),
    })
}

/// Tosses a coin of a test that comes out true `numerator` times in `denominator`, as
/// [`rng().random_ratio`](rand::RngExt::random_ratio) does. True must be what disturbs the servers:
/// a crash instead of a shutdown, a link that is cut. Then `cargo lab shrink` can replay a failing
/// run with only those coins true that matter.
///
/// A draw that is needed only if the coin comes out true may be made after the toss.
#[track_caller]
pub fn chance(numerator: u32, denominator: u32) -> bool {
    let site = Location::caller();
    dispatch(|core| match core {
        Some(core) if let Some(keyed) = &core.keyed => {
            core.keyed_chance(keyed, (numerator, denominator), site)
        }
        _ => rng().random_ratio(numerator, denominator),
    })
}

/// Whether a test may disturb the servers as it has just drawn. True in an ordinary run; `cargo lab
/// shrink` tries without. See [`chance`].
#[track_caller]
pub fn mishap() -> bool {
    let site = Location::caller();
    dispatch(|core| match core {
        Some(core) if let Some(keyed) = &core.keyed => core.keyed_mishap(keyed, site),
        _ => true,
    })
}

/// Records a remark in the trace, where it takes part in the hash: two runs in which different
/// things are noted are different runs. A test notes what it observed.
pub fn note(text: fmt::Arguments<'_>) {
    dispatch(|core| {
        if let Some(core) = core
            && !core.is_dead()
        {
            let text = text.to_string();
            core.record(Kind::Note, digest(text.as_bytes()), 0);
            core.draw(|| What::Note { text });
        }
    });
}

/// Records an event of the running task, if the run is recorded: for test harnesses, which know of
/// faults, clients and servers. It costs no virtual time.
pub fn record(what: impl FnOnce() -> What) {
    dispatch(|core| core.map(|core| core.draw(what)));
}

/// Whether the run is recorded.
pub fn is_recorded() -> bool {
    dispatch(|core| core.is_some_and(|core| core.recorder.is_some()))
}

/// Runs `f`, such as a check of a long history, without the watchdog's limits on processor time.
pub fn without_watchdog<R>(f: impl FnOnce() -> R) -> R {
    dispatch(|core| match core {
        Some(core) => core.activity.excused(f),
        None => f(),
    })
}
