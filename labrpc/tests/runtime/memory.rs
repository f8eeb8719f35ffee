//! Nothing is left of a run: `LAB_RUNS=1000` needs no more memory or threads than one.

#![cfg(target_os = "linux")]

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use labrpc::{Instant, Network, Node, Policy, Server, Service, Simulation, channel, sleep, spawn};

use crate::{chaos, child};

/// A line of this process's status, such as `Threads`, as a number.
fn status(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has this file");
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).expect("the line holds a number")
}

/// In a process of its own, since tests that run beside it need memory too.
#[test]
fn memory_and_threads_stay_flat_over_many_runs() {
    if !child::is_child() {
        let output = child::again("memory::memory_and_threads_stay_flat_over_many_runs", &[]);
        assert!(output.status.success(), "{}", child::text(&output));
        return;
    }
    let run = |seed| drop(chaos::run(seed, Policy::Stall).result.expect("chaos never fails"));
    (0..200).for_each(run);
    let (memory, threads) = (status("VmRSS"), status("Threads"));
    (200..1_000).for_each(run);
    let memory_later = status("VmRSS");
    // The system counts a thread that was joined for a moment longer.
    let began = Instant::now();
    while status("Threads") > threads {
        assert!(began.elapsed() < Duration::from_secs(60), "there were {threads} threads before");
        std::thread::yield_now();
    }
    assert!(memory_later < memory + 2_000, "from {memory} KiB to {memory_later} KiB");
}

#[test]
fn everything_that_tasks_own_is_dropped_at_the_end() {
    let witness = Arc::new(());
    let shared = Arc::clone(&witness);
    let outcome = Simulation::new(1).run(move || {
        let node = Node::new("S0");
        let (sender, receiver) = channel();
        for _ in 0..10 {
            let (shared, sender) = (Arc::clone(&shared), sender.clone());
            node.spawn(move || {
                sleep(Duration::from_secs(100));
                sender.send(shared).ok();
            });
        }
        let shared = Arc::clone(&shared);
        spawn(move || receiver.iter().for_each(drop));
        spawn(move || drop(shared));
    });
    outcome.result.expect("nothing fails");
    assert_eq!(Arc::strong_count(&witness), 1);
}

#[test]
fn servers_that_hold_ends_of_their_network_are_dropped_at_the_end() {
    let witness = Arc::new(());
    let shared = Arc::clone(&witness);
    let outcome = Simulation::new(1).run(move || {
        let network = Network::new();
        let (end, shared) = (network.make_end("to itself"), Arc::clone(&shared));
        let service = Service::new("Circle").method("Close", move |(): ()| {
            let _everything = (&end, &shared);
        });
        network.add_server("S0", Server::new().with(service));
    });
    outcome.result.expect("nothing fails");
    assert_eq!(Arc::strong_count(&witness), 1);
}
