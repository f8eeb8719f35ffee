//! Threads that a simulation does not know, and waits that it does not see.

#![allow(clippy::disallowed_methods, reason = "what these tests plant is what is banned")]

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use labrpc::{Failure, FailureKind, Mutex, Network, Server, channel, sleep};

use crate::failure_of;

/// The failure of a run in which a real thread does `act`. The run waits in virtual time for longer
/// than the thread needs in real time.
fn failure_by_thread(
    act: impl Fn() -> Box<dyn FnOnce() + Send> + Send + Sync + 'static,
) -> Failure {
    failure_of(move || {
        let act = act();
        thread::spawn(act);
        loop {
            thread::yield_now();
            sleep(Duration::from_nanos(1));
        }
    })
}

/// Fails unless the failure names the thread's line in this file and what to use instead.
fn assert_named(failure: &Failure, what: &str) {
    assert_eq!(failure.kind, FailureKind::Escape, "{failure}");
    assert!(failure.message.contains(what), "{failure}");
    assert!(failure.message.contains("tests/runtime/escape.rs:"), "{failure}");
    assert!(failure.message.contains("labrpc::spawn"), "{failure}");
}

#[test]
fn thread_that_takes_a_lock() {
    let failure = failure_by_thread(|| {
        let lock = Arc::new(Mutex::new(0));
        *lock.lock() += 1;
        Box::new(move || *lock.lock() += 1)
    });
    assert_named(&failure, "a lock");
}

#[test]
fn thread_that_sends_to_a_channel() {
    let failure = failure_by_thread(|| {
        let (sender, receiver) = channel();
        Box::new(move || {
            sender.send(1).ok();
            drop(receiver);
        })
    });
    assert_named(&failure, "a channel");
}

#[test]
fn thread_that_calls_a_server() {
    let failure = failure_by_thread(|| {
        let network = Network::new();
        network.add_server("S0", Server::new());
        let end = network.make_end("end");
        Box::new(move || {
            end.call::<_, ()>("Service.Method", &()).ok();
        })
    });
    assert_named(&failure, "the network");
}

#[test]
fn locks_may_be_used_after_the_run() {
    let lock = Arc::new(Mutex::new(0));
    let inside = Arc::clone(&lock);
    let outcome = labrpc::Simulation::new(1).run(move || *inside.lock() += 1);
    assert!(outcome.result.is_ok());
    assert_eq!(*lock.lock(), 1);
}

#[test]
#[cfg_attr(target_os = "freebsd", ignore = "it does not tell whether a thread waits")]
fn many_short_waits_add_up() {
    let failure = failure_of(|| {
        loop {
            thread::sleep(Duration::from_millis(20));
            sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(failure.kind, FailureKind::Blocked, "{failure}");
    assert!(failure.message.contains("std::thread::sleep"), "{failure}");
}
