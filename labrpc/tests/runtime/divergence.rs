//! A run that depends on more than its seed is found out, and told where.

#![allow(clippy::disallowed_methods, reason = "what these tests plant is what is banned")]
#![allow(clippy::disallowed_types, reason = "the same")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use labrpc::{FailureKind, Simulation, sleep, spawn, yield_now};

use crate::failure_of;

/// Runs a program with a leak, which then panics, and fails unless the report says where two
/// replays went apart: in tasks spawned in this file.
fn assert_found_out(leak: impl Fn() + Send + Sync + 'static) {
    let failure = failure_of(move || {
        leak();
        panic!("an unrelated failure");
    });
    assert_eq!(failure.message, "an unrelated failure");
    let divergence = failure.divergence.expect("the leak is found out");
    assert!(divergence.contains("went apart at event"), "{divergence}");
    assert_eq!(divergence.matches("spawned at").count(), 2, "{divergence}");
    assert_eq!(divergence.matches("divergence.rs:").count(), 2, "{divergence}");
    assert!(divergence.contains("usual causes"), "{divergence}");
}

#[test]
fn order_of_a_std_hash_map() {
    assert_found_out(|| {
        let tasks: HashMap<u64, u64> = (0..64).map(|i| (i, i)).collect();
        for (_, millis) in tasks {
            spawn(move || sleep(Duration::from_millis(millis))).join().expect("it only sleeps");
        }
    });
}

#[test]
fn what_a_passing_run_leaves_behind() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let leaky = || sleep(Duration::from_millis(RUNS.fetch_add(1, SeqCst)));
    assert!(Simulation::new(1).run(leaky).result.is_ok());
    let failure = Simulation::new(1).twice(true).run(leaky).result.expect_err("it is found out");
    assert_eq!(failure.kind, FailureKind::Leak);
    assert!(failure.divergence.is_some_and(|text| text.contains("went apart at event")));
    let tight = || sleep(Duration::from_millis(1));
    assert!(Simulation::new(1).twice(true).run(tight).result.is_ok());
}

#[test]
fn real_time() {
    assert_found_out(|| {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let nanos = since_1970.expect("it is later than 1970").subsec_nanos();
        spawn(move || sleep(Duration::from_nanos(nanos.into()))).join().expect("it only sleeps");
    });
}

#[test]
fn real_thread() {
    static TURNS: AtomicU64 = AtomicU64::new(0);
    assert_found_out(|| {
        // The real thread hands out numbers; which one a run gets depends on the machine.
        let thread = std::thread::spawn(|| TURNS.fetch_add(1, SeqCst));
        let turn = thread.join().expect("it only counts");
        spawn(move || sleep(Duration::from_millis(turn))).join().expect("it only sleeps");
    });
}

#[test]
fn what_does_not_recur_is_reported_too() {
    static IS_LATER_RUN: AtomicBool = AtomicBool::new(false);
    let failure = failure_of(|| {
        if !IS_LATER_RUN.swap(true, SeqCst) {
            yield_now();
        }
        panic!("an unrelated failure");
    });
    let divergence = failure.divergence.expect("the first run was another one");
    assert!(divergence.contains("did not recur"), "{divergence}");
}

#[test]
fn a_deterministic_failure_is_not_accused() {
    let failure = failure_of(|| {
        spawn(|| sleep(Duration::from_secs(1))).join().expect("it only sleeps");
        panic!("deterministic");
    });
    assert_eq!(failure.divergence, None);
}

/// The two replays that are compared wait for each other, and one of them may never come back: the
/// comparison ends all the same.
#[test]
fn runs_of_different_length_are_compared() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let outcome = Simulation::new(1).run(|| {
        let run = RUNS.fetch_add(1, SeqCst);
        (0..run * 5_000).for_each(|_| sleep(Duration::from_nanos(1)));
        panic!("after {run}");
    });
    let failure = outcome.result.expect_err("it panics");
    let divergence = failure.divergence.expect("each run is longer than the one before");
    assert!(divergence.contains("went apart at event"), "{divergence}");
}
