//! A thread that runs actions at later times.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Condvar, LazyLock, Mutex};
use std::time::Duration;

use super::pool::Job;
use crate::runtime::poison::unpoisoned;
use crate::runtime::wall;

/// What the timer's thread has to do, earliest first.
#[derive(Default)]
struct Timer {
    /// By real time in nanoseconds, then by order of registration.
    jobs: Mutex<BTreeMap<(u64, u64), Job>>,
    changed: Condvar,
    registered: AtomicU64,
}

/// Runs `job`, which must neither wait nor unwind, at real time `at`.
pub(super) fn run_at(at: u64, job: Job) {
    static TIMER: LazyLock<Timer> = LazyLock::new(|| {
        wall::spawn("labrpc timer", || keep_time(&TIMER));
        Timer::default()
    });
    let timer = &*TIMER;
    let key = (at, timer.registered.fetch_add(1, Relaxed));
    unpoisoned(timer.jobs.lock()).insert(key, job);
    timer.changed.notify_one();
}

/// The life of the timer's thread.
fn keep_time(timer: &Timer) {
    let mut jobs = unpoisoned(timer.jobs.lock());
    loop {
        let now = wall::now();
        match jobs.first_key_value().map(|((at, _), _)| *at) {
            Some(at) if at <= now => {
                let job = jobs.pop_first();
                drop(jobs);
                job.into_iter().for_each(|(_, job)| job());
                jobs = unpoisoned(timer.jobs.lock());
            }
            Some(at) => {
                let left = Duration::from_nanos(at - now);
                let waited = timer.changed.wait_timeout(jobs, left);
                jobs = unpoisoned(waited).0;
            }
            None => jobs = unpoisoned(timer.changed.wait(jobs)),
        }
    }
}
