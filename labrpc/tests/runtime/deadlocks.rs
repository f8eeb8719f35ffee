//! Nothing hangs: a task that waits forever is reported, with all that is known.

use std::sync::Arc;
use std::time::Duration;

use labrpc::{
    FailureKind, Mutex, Network, Node, Server, Service, channel, rendezvous, sleep, spawn,
};

use crate::failure_of;

/// A task that keeps the clock going, as every server has one.
fn start_ticker() {
    spawn(|| {
        loop {
            sleep(Duration::from_millis(10));
        }
    });
}

#[test]
fn deadlock_lists_everybody_who_waits() {
    let failure = failure_of(|| {
        let (_sender, receiver) = channel::<()>();
        let node = Node::new("S7");
        node.spawn(move || receiver.recv()).join().ok();
    });
    assert_eq!(failure.kind, FailureKind::Deadlock);
    let waits = failure.waits.join("\n");
    assert!(waits.contains("S7: task 2 spawned at"), "{waits}");
    assert!(waits.contains("waits for a message at"), "{waits}");
    assert!(waits.contains("test: task 1"), "{waits}");
    assert!(waits.contains("waits for the end of a task at"), "{waits}");
    assert_eq!(waits.matches("deadlocks.rs:").count(), 3, "{waits}");
}

#[test]
fn abba_is_reported_at_once_although_tickers_run() {
    let failure = failure_of(|| {
        start_ticker();
        let (a, b) = (Arc::new(Mutex::new("a")), Arc::new(Mutex::new("b")));
        let (a2, b2) = (Arc::clone(&a), Arc::clone(&b));
        let other = spawn(move || {
            let _b = b2.lock();
            sleep(Duration::from_millis(5));
            let _a = a2.lock();
        });
        let _a = a.lock();
        sleep(Duration::from_millis(5));
        let _b = b.lock();
        other.join().ok();
    });
    assert_eq!(failure.kind, FailureKind::LockCycle);
    assert!(failure.at < Duration::from_millis(6), "only at {:?}", failure.at);
    assert!(failure.message.contains("each other's locks in a circle"), "{}", failure.message);
    assert_eq!(failure.message.matches("holds the lock it took at").count(), 2);
    assert_eq!(failure.message.matches(", and locks the next at ").count(), 2);
    assert_eq!(failure.message.matches("deadlocks.rs:").count(), 5, "{}", failure.message);
}

#[test]
fn locking_twice_is_reported_at_once() {
    let line = line!();
    let failure = failure_of(|| {
        start_ticker();
        let lock = Mutex::new(());
        let _first = lock.lock();
        let _second = lock.lock();
    });
    assert_eq!(failure.kind, FailureKind::LockCycle);
    assert!(failure.message.contains("a task locks what it has locked already"));
    let places = failure.message.split("deadlocks.rs:").skip(1);
    let lines = places.map(|place| place.split(':').next().and_then(|line| line.parse().ok()));
    let expected = [line + 4, line + 5].map(Some);
    assert!(lines.collect::<Vec<Option<u32>>>().ends_with(&expected), "{}", failure.message);
    assert!(failure.at < Duration::from_millis(1), "only at {:?}", failure.at);
}

#[test]
fn report_lists_long_waits_for_locks_and_receivers() {
    let failure = failure_of(|| {
        let lock = Arc::new(Mutex::new(()));
        let (sender, _receiver) = rendezvous();
        let (held, wanted) = (Arc::clone(&lock), lock);
        let node = Node::new("S3");
        node.spawn(move || {
            let _guard = held.lock();
            sender.send(1).ok();
        });
        node.spawn(move || {
            sleep(Duration::from_millis(1));
            drop(wanted.lock());
        });
        sleep(Duration::from_secs(3));
        panic!("something else");
    });
    let waits = failure.waits.join("\n");
    assert!(waits.contains("S3: task 2"), "{waits}");
    assert!(waits.contains("waits for a receiver for its message"), "{waits}");
    assert!(waits.contains("holds the lock it took at"), "{waits}");
    assert!(waits.contains("waits for a lock at"), "{waits}");
    assert!(waits.contains(", held by S3: task 2"), "{waits}");
    // The send still waits; it counts all the same.
    let held = failure.held_locks.join("\n");
    assert!(held.contains("held over a receiver for its message"), "{held}");
}

#[test]
fn report_lists_locks_held_over_calls_sleeps_and_sends() {
    let failure = failure_of(|| {
        let network = Network::new();
        let echo = Service::new("Echo").method("Echo", |n: u32| n);
        network.add_server("S0", Server::new().with(echo));
        let end = network.make_end("end");
        network.connect("end", "S0");
        network.enable("end");
        let (sender, receiver) = rendezvous();
        spawn(move || {
            sleep(Duration::from_millis(30));
            receiver.recv()
        });
        let lock = Mutex::new(());
        let guard = lock.lock();
        (0..3_u32).for_each(|n| assert_eq!(end.call("Echo.Echo", &n), Ok(n)));
        sleep(Duration::from_millis(7));
        sender.send(1).expect("the receiver comes");
        drop(guard);
        sleep(Duration::from_millis(9));
        panic!("something else");
    });
    let held = failure.held_locks.join("\n");
    assert_eq!(failure.held_locks.len(), 3, "{held}");
    assert!(held.contains("held over the reply to an RPC at"), "{held}");
    assert!(held.contains(": 3 times"), "{held}");
    assert!(held.contains("held over the end of a sleep at"), "{held}");
    assert!(held.contains(": 1 times, at most 0.007"), "{held}");
    assert!(held.contains("held over a receiver for its message at"), "{held}");
    let report = failure.to_string();
    assert!(report.contains("locks held while waiting"), "{report}");
    assert!(report.ends_with("LAB_SEED=6824 LAB_POLICY=stall"), "{report}");
}
