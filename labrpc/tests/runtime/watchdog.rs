//! Code that never comes back fails its test, by processor time and not by the clock on the wall.

#![allow(clippy::disallowed_methods, reason = "what these tests do is what is banned")]

use std::sync::Arc;
use std::time::Duration;

use labrpc::{FailureKind, Node, Outcome, Simulation, sleep, spawn, without_watchdog};

use crate::child;

/// Processor time without an operation that is allowed here.
const SILENCE: Duration = Duration::from_millis(200);

/// Runs `body` in a task of node S2 with small limits on processor time.
fn run_limited(body: impl Fn() + Clone + Send + Sync + 'static) -> Outcome<()> {
    Simulation::new(1).cpu_limits(Duration::from_secs(2), SILENCE).run(move || {
        let body = body.clone();
        Node::new("S2").call(body);
    })
}

/// Loops without an end and without the runtime.
fn spin() {
    loop {
        std::hint::spin_loop();
    }
}

#[test]
fn busy_loop_is_named_and_left_behind() {
    if child::is_child() {
        let failure = run_limited(spin).result.expect_err("it never comes back");
        assert_eq!(failure.kind, FailureKind::Spinning);
        println!("{failure}");
        return;
    }
    let output = child::again("watchdog::busy_loop_is_named_and_left_behind", &[]);
    let text = child::text(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("used the processor for 0.2 s without a call to the runtime"), "{text}");
    assert!(text.contains("task spawned at labrpc/tests/runtime/watchdog.rs:"), "{text}");
}

#[test]
fn second_busy_loop_ends_the_process_with_its_report() {
    if child::is_child() {
        run_limited(spin).result.expect_err("it never comes back");
        run_limited(spin).result.expect_err("this line is not reached");
        println!("still here");
        return;
    }
    let output = child::again("watchdog::second_busy_loop_ends_the_process_with_its_report", &[]);
    let text = child::text(&output);
    assert_eq!(output.status.code(), Some(101), "{text}");
    assert!(text.contains("a second run does not respond, so the process ends"), "{text}");
    assert!(text.contains("task spawned at"), "{text}");
    assert!(!text.contains("still here"), "{text}");
}

#[test]
fn std_lock_held_over_a_sleep_blocks_everything_and_is_reported() {
    if child::is_child() {
        let outcome = run_limited(|| {
            let lock = Arc::new(std::sync::Mutex::new(()));
            let other = Arc::clone(&lock);
            spawn(move || {
                let _guard = other.lock();
                sleep(Duration::from_millis(10));
            });
            sleep(Duration::from_millis(1));
            drop(lock.lock());
        });
        let failure = outcome.result.expect_err("the lock is never released");
        assert_eq!(failure.kind, FailureKind::Blocked);
        println!("{failure}");
        return;
    }
    let name = "watchdog::std_lock_held_over_a_sleep_blocks_everything_and_is_reported";
    let output = child::again(name, &[]);
    let text = child::text(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("a lock of std that another task holds"), "{text}");
    assert!(text.contains("watchdog.rs:"), "{text}");
}

/// A run that is too much work, but calls the runtime, ends in an orderly way.
#[test]
fn too_much_work_in_total_fails_the_run() {
    let outcome = Simulation::new(1)
        .cpu_limits(Duration::from_millis(200), Duration::from_secs(5))
        .time_limit(Duration::from_secs(1 << 40))
        .run(|| {
            loop {
                sleep(Duration::from_secs(1));
            }
        });
    let failure = outcome.result.expect_err("it never ends");
    assert_eq!(failure.kind, FailureKind::CpuLimit);
    assert!(outcome.virtual_time > Duration::from_secs(1_000));
}

#[test]
fn excused_work_does_not_count() {
    let limits = Duration::from_millis(100);
    let outcome = Simulation::new(1).cpu_limits(limits, limits).run(|| {
        without_watchdog(|| {
            // Takes longer than both limits allow.
            let mut sum = 0_u64;
            for i in 0..400_000_000_u64 {
                sum = std::hint::black_box(sum ^ i);
            }
            sum
        })
    });
    outcome.result.expect("the work is excused");
}
