//! Finds threads that use a running simulation's locks, channels and calls from outside.
//!
//! Such a thread is not scheduled by the seed, so what it does cannot be replayed. Solutions get
//! one by `std::thread::spawn`, by a foreign runtime, or by a timer of another crate.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use super::activity::Activity;
use super::poison::unpoisoned;

/// Tells a simulation from all others of the process; 0 is none. It is compared, and seen nowhere.
pub(crate) type RunNumber = u32;

/// The simulations that run, by number.
static RUNNING: Mutex<BTreeMap<RunNumber, Arc<Activity>>> = Mutex::new(BTreeMap::new());

/// A simulation is known here until this is dropped.
#[derive(Debug)]
pub(crate) struct Registered(RunNumber);

/// Makes a simulation known, under a new number.
pub(crate) fn register(activity: &Arc<Activity>) -> Registered {
    static RUNS: AtomicU32 = AtomicU32::new(1);
    let number = RUNS.fetch_add(1, Relaxed);
    unpoisoned(RUNNING.lock()).insert(number, Arc::clone(activity));
    Registered(number)
}

impl Registered {
    /// The number of the simulation.
    pub(crate) fn number(&self) -> RunNumber {
        self.0
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        unpoisoned(RUNNING.lock()).remove(&self.0);
    }
}

/// A thread of no simulation uses `what` of this one: if the simulation runs, it fails, and this
/// thread ends.
///
/// # Panics
/// If the simulation runs.
pub(crate) fn touched(run: RunNumber, what: &str, site: &'static Location<'static>) {
    if run == 0 {
        return;
    }
    let activity = unpoisoned(RUNNING.lock()).get(&run).cloned();
    let Some(activity) = activity else { return };
    let message = format!(
        "a thread that does not belong to the simulation uses {what} of it at {site}: start tasks \
         with labrpc::spawn, not with std::thread or another runtime"
    );
    activity.escape(message.clone());
    panic!("{message}");
}
