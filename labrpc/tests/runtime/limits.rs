//! Limits: virtual time, number of tasks, and times at the end of the clock.

use std::sync::Arc;
use std::time::Duration;

use labrpc::{
    Condvar, DEFAULT_TIME_LIMIT, FailureKind, Instant, Mutex, Node, RecvTimeoutError, Simulation,
    channel, sleep, spawn,
};

use crate::{failure_of, value_of};

#[test]
fn virtual_time_is_limited() {
    let failure = failure_of(|| {
        loop {
            sleep(Duration::from_millis(10));
        }
    });
    assert_eq!(failure.kind, FailureKind::TimeLimit);
    assert_eq!(failure.message, "took longer than the limit of 120.000000 s of virtual time");
    assert!(failure.at >= DEFAULT_TIME_LIMIT);
    let waits = failure.waits.join("\n");
    assert!(waits.contains("waits for the end of a sleep at"), "{waits}");

    let limit = Duration::from_secs(1000);
    let outcome = Simulation::new(1).time_limit(limit).run(|| sleep(Duration::from_secs(999)));
    assert!(outcome.result.is_ok());
}

/// The failure is reported when the limit is reached, not when the next thing would have happened.
#[test]
fn clock_stops_at_the_limit() {
    let outcome = Simulation::new(1).run(|| sleep(Duration::MAX));
    assert_eq!(outcome.result.expect_err("it takes too long").kind, FailureKind::TimeLimit);
    assert_eq!(outcome.virtual_time.as_secs(), DEFAULT_TIME_LIMIT.as_secs());
    let endless = Simulation::new(1).time_limit(Duration::MAX).run(|| sleep(Duration::MAX));
    assert_eq!(endless.result.expect_err("even then").kind, FailureKind::TimeLimit);
}

#[test]
fn endless_timeouts_are_allowed() {
    value_of(|| {
        let (sender, receiver) = channel();
        let lock = Arc::new((Mutex::new(0), Condvar::new()));
        let other = Arc::clone(&lock);
        spawn(|| sleep(Duration::MAX));
        spawn(move || {
            sleep(Duration::from_millis(1));
            sender.send(7).ok();
            *other.0.lock() = 1;
            other.1.notify_one();
        });
        assert_eq!(receiver.recv_timeout(Duration::MAX), Ok(7));
        let guard = lock.0.lock();
        let (guard, timed_out) = lock.1.wait_timeout_while(guard, Duration::MAX, |n| *n == 0);
        assert_eq!((*guard, timed_out), (1, false));
        assert_eq!(receiver.recv_timeout(Duration::MAX), Err(RecvTimeoutError::Disconnected));
    });
}

#[test]
fn time_passes_only_where_somebody_waits() {
    value_of(|| {
        let start = Instant::now();
        sleep(Duration::from_secs(60));
        let slept = start.elapsed() - Duration::from_secs(60);
        assert!(slept < Duration::from_micros(1), "{slept:?}");
        assert_eq!(start.duration_since(start + Duration::from_secs(1)), Duration::ZERO);
        assert_eq!(start - Duration::MAX, Instant::default());
    });
}

#[test]
fn too_many_tasks_are_reported_with_their_place() {
    let failure = failure_of(|| {
        for _ in 0..100_000 {
            spawn(|| sleep(Duration::from_secs(100)));
        }
    });
    assert_eq!(failure.kind, FailureKind::TooManyTasks);
    let start = "10001 tasks are alive, 10000 of them spawned at labrpc/tests/runtime/limits.rs:";
    assert!(failure.message.starts_with(start), "{}", failure.message);
    assert!(failure.to_string().lines().count() < 150, "nobody reads ten thousand lines");
}

#[test]
fn endless_spawning_on_a_node_is_stopped() {
    let failure = failure_of(|| {
        let node = Node::new("S0");
        loop {
            node.spawn(|| sleep(Duration::from_secs(100)));
        }
    });
    assert_eq!(failure.kind, FailureKind::TooManyTasks);
}
