//! Loops that poll get somewhere: every operation takes a little virtual time, and lets others run
//! now and then.

use std::sync::Arc;
use std::time::Duration;

use labrpc::{
    AtomicBool, Instant, Mutex, Network, Node, Persister, Policy, Server, Service, Simulation,
    channel, sleep, spawn,
};

/// Runs a program that polls, under every policy, on the test and on a server; it must end within a
/// virtual second.
fn assert_ends(body: impl Fn() + Clone + Send + Sync + 'static) {
    for policy in Policy::ALL {
        for is_on_server in [false, true] {
            let body = body.clone();
            let outcome = Simulation::new(1).policy(policy).run(move || match is_on_server {
                true => Node::new("S0").call(body.clone()).expect("the node is alive"),
                false => body(),
            });
            outcome.result.unwrap_or_else(|failure| panic!("{policy}: {failure}"));
            // A stall takes up to 131 ms, and a long loop meets several of them.
            assert!(outcome.virtual_time < Duration::from_secs(120), "{policy}");
        }
    }
}

#[test]
fn of_the_clock() {
    assert_ends(|| {
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(10) {}
    });
}

#[test]
fn of_a_lock() {
    assert_ends(|| {
        let lock = Arc::new(Mutex::new(()));
        let held = Arc::clone(&lock);
        let owner = spawn(move || {
            let _guard = held.lock();
            sleep(Duration::from_millis(1));
        });
        sleep(Duration::from_micros(500));
        while lock.try_lock().is_none() {}
        owner.join().expect("it only sleeps");
    });
}

#[test]
fn of_a_channel() {
    assert_ends(|| {
        let (sender, receiver) = channel();
        spawn(move || {
            sleep(Duration::from_millis(1));
            sender.send(7).ok();
        });
        while receiver.try_recv().is_err() {}
    });
}

/// The other task never sleeps: it must be let in, not only be waited for.
#[test]
fn of_an_atomic() {
    assert_ends(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let raised = Arc::clone(&flag);
        spawn(move || raised.store(true));
        while !flag.load() {}
    });
}

#[test]
fn of_a_task() {
    assert_ends(|| {
        let task = spawn(|| (0..5_000).for_each(|_| _ = Instant::now()));
        while !task.is_finished() {}
    });
}

#[test]
fn of_a_node_a_disk_and_the_network() {
    assert_ends(|| {
        let (node, disk, network) = (Node::new("S9"), Persister::new(), Network::new());
        network.add_server("S9", Server::new().with(Service::new("None")));
        let (doomed, written, used) = (node.clone(), disk.clone(), network.clone());
        spawn(move || {
            sleep(Duration::from_millis(1));
            used.set_reliable(false);
            written.save_raft_state(vec![1]);
            doomed.crash();
        });
        while network.is_reliable() {}
        while disk.raft_state_size() == 0 {}
        while node.is_alive() {}
        assert_eq!(
            (network.total_rpcs(), network.total_bytes(), network.server_rpcs("S9")),
            (0, 0, 0)
        );
    });
}
