//! The programs. Each is a mistake that students make, as small as it can be, on server nodes.

use std::sync::Arc;
use std::time::Duration;

use labrpc::{
    Condvar, JoinHandle, Mutex, Network, Node, Sender, Server, Service, channel, sleep, spawn,
};

/// A short time, longer than any stall.
const LONG: Duration = Duration::from_millis(500);

/// How often each program gives its race a chance.
const ROUNDS: u32 = 20;

/// Runs two tasks on one server and waits for both.
fn both(one: impl FnOnce() + Send + 'static, other: impl FnOnce() + Send + 'static) {
    let node = Node::new("S0");
    let tasks: [JoinHandle<()>; 2] = [node.spawn(one), node.spawn(other)];
    tasks.into_iter().for_each(|task| task.join().expect("the server does not crash"));
}

/// Reads under the lock, adds outside it, and writes under it again.
pub fn lost_update() {
    count(|counter| {
        let before = *counter.lock();
        *counter.lock() = before + 1;
    });
}

/// The same without the mistake.
pub fn correct_counter() {
    count(|counter| *counter.lock() += 1);
}

/// Two tasks count together.
fn count(add: fn(&Mutex<u32>)) {
    let counter = Arc::new(Mutex::new(0));
    let (one, other) = (Arc::clone(&counter), Arc::clone(&counter));
    both(
        move || (0..ROUNDS).for_each(|_| add(&one)),
        move || (0..ROUNDS).for_each(|_| add(&other)),
    );
    let total = *counter.lock();
    assert_eq!(total, 2 * ROUNDS, "an update was lost");
}

/// Looks whether there is work, lets the lock go, and then waits for a notification that may have
/// come between the two.
pub fn lost_wakeup() {
    let shared = Arc::new((Mutex::new(0), Condvar::new()));
    let (produced, consumed) = (Arc::clone(&shared), shared);
    let (done, is_done) = channel();
    let producer = move || {
        for _ in 0..ROUNDS {
            *produced.0.lock() += 1;
            produced.1.notify_one();
            is_done.recv().expect("the consumer goes on as long as there is work");
        }
    };
    let consumer = move || {
        for _ in 0..ROUNDS {
            let is_empty = *consumed.0.lock() == 0;
            let mut work = consumed.0.lock();
            if is_empty {
                work = consumed.1.wait(work);
            }
            *work -= 1;
            done.send(()).expect("the producer waits");
        }
    };
    both(producer, consumer);
}

/// Two tasks take two locks in opposite orders.
pub fn abba() {
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (a2, b2) = (Arc::clone(&a), Arc::clone(&b));
    let transfer = |from: &Mutex<u32>, to: &Mutex<u32>| {
        for _ in 0..ROUNDS {
            let mut from = from.lock();
            *from += 1;
            *to.lock() += 1;
        }
    };
    both(move || transfer(&a, &b), move || transfer(&b2, &a2));
}

/// A server applies what it is told in order, but lets its lock go between taking a number and
/// sending it on.
pub fn applier_sends_unlocked() {
    apply(|next, send| {
        let number = {
            let mut next = next.lock();
            *next += 1;
            *next
        };
        send.send(number).ok();
    });
}

/// The same without the mistake.
pub fn correct_applier() {
    apply(|next, send| {
        let mut next = next.lock();
        *next += 1;
        send.send(*next).ok();
    });
}

/// Clients call a server, whose handlers number the calls and pass the numbers on; they must come
/// out in order.
fn apply(handle: fn(&Mutex<u64>, &Sender<u64>)) {
    let (applied, numbers) = channel();
    let network = Network::new();
    let server = Node::new("S0").call(move || {
        let next = Mutex::new(0);
        let apply = move |(): ()| handle(&next, &applied);
        Server::new().with(Service::new("Server").method("Apply", apply))
    });
    network.add_server("S0", server.expect("the server does not crash"));
    for client in 0..4 {
        let name = format!("client {client}");
        let end = network.make_end(&name);
        network.connect(&name, "S0");
        network.enable(&name);
        spawn(move || (0..ROUNDS).for_each(|_| _ = end.call::<(), ()>("Server.Apply", &())));
    }
    sleep(LONG);
    let numbers: Vec<u64> = std::iter::from_fn(|| numbers.try_recv().ok()).collect();
    assert!(numbers.is_sorted(), "numbers were applied out of order");
}
