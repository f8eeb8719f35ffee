//! A crash stops a node wherever it stands, and others are told.

use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use labrpc::{
    AtomicU64, ClientEnd, Condvar, Mutex, Network, Node, Persister, RecvTimeoutError, RpcError,
    Select, Server, Service, Simulation, TaskDied, bounded, channel, rendezvous, rng,
    set_save_time, sleep, spawn,
};
use rand::RngExt;

use crate::value_of;

/// A short time.
const MOMENT: Duration = Duration::from_millis(1);

#[test]
fn no_line_of_a_crashed_task_runs_any_more() {
    let (counted, at_crash) = value_of(|| {
        let counter = Arc::new(AtomicU64::new(0));
        let node = Node::new("S0");
        for _ in 0..5 {
            let counter = Arc::clone(&counter);
            node.spawn(move || {
                loop {
                    sleep(Duration::from_micros(100));
                    counter.fetch_add(1);
                }
            });
        }
        sleep(Duration::from_millis(10));
        node.crash();
        let at_crash = counter.load();
        sleep(Duration::from_secs(1));
        (counter.load(), at_crash)
    });
    assert!(at_crash > 100, "{at_crash}");
    assert_eq!(counted, at_crash);
}

#[test]
fn catching_the_kill_does_not_save_a_task() {
    let survived = value_of(|| {
        let node = Node::new("S0");
        let survived = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&survived);
        node.spawn(move || {
            loop {
                panic::catch_unwind(|| sleep(Duration::from_secs(1))).ok();
                // Not one of the runtime's: this has effect even in a dead task.
                counter.fetch_add(1, SeqCst);
            }
        });
        sleep(MOMENT);
        node.crash();
        let survived = survived.load(SeqCst);
        sleep(Duration::from_secs(1));
        survived
    });
    // It is killed again at every further operation, until it is left alone.
    assert!(survived > 1, "{survived}");
}

#[test]
fn locks_of_a_crashed_task_are_released() {
    value_of(|| {
        let lock = Arc::new(Mutex::new(()));
        let held = Arc::clone(&lock);
        let node = Node::new("S0");
        node.spawn(move || {
            let _guard = held.lock();
            sleep(Duration::from_secs(50));
        });
        sleep(MOMENT);
        assert!(lock.try_lock().is_none());
        node.crash();
        assert!(lock.try_lock().is_some());
    });
}

/// A task is woken because the lock is free, and killed before it runs: the next one must be woken.
#[test]
fn lock_is_passed_on_if_the_task_that_was_woken_for_it_is_killed() {
    value_of(|| {
        let lock = Arc::new(Mutex::new(()));
        let node = Node::new("S0");
        let guard = lock.lock();
        let (first, second) = (Arc::clone(&lock), Arc::clone(&lock));
        node.spawn(move || drop(first.lock()));
        sleep(MOMENT);
        let survivor = spawn(move || drop(second.lock()));
        sleep(MOMENT);
        drop(guard);
        node.crash();
        assert_eq!(survivor.join(), Ok(()));
    });
}

/// The same with a notification.
#[test]
fn notification_is_passed_on_if_the_task_that_got_it_is_killed() {
    value_of(|| {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let (first, second) = (Arc::clone(&shared), Arc::clone(&shared));
        let node = Node::new("S0");
        node.spawn(move || drop(first.1.wait(first.0.lock())));
        sleep(MOMENT);
        let survivor = spawn(move || drop(second.1.wait(second.0.lock())));
        sleep(MOMENT);
        shared.1.notify_one();
        node.crash();
        assert_eq!(survivor.join(), Ok(()));
    });
}

/// The same with a message.
#[test]
fn message_is_passed_on_if_the_task_that_was_woken_for_it_is_killed() {
    value_of(|| {
        for is_selecting in [false, true] {
            let (sender, receiver) = channel();
            let node = Node::new("S0");
            let first = receiver.clone();
            node.spawn(move || match is_selecting {
                true => {
                    let mut select = Select::new();
                    select.recv(&first);
                    _ = select.ready();
                }
                false => _ = first.recv(),
            });
            sleep(MOMENT);
            let survivor = spawn(move || receiver.recv());
            sleep(MOMENT);
            sender.send(7).expect("there are receivers");
            node.crash();
            assert_eq!(survivor.join(), Ok(Ok(7)));
        }
    });
}

#[test]
fn waiting_send_is_withdrawn() {
    value_of(|| {
        let (sender, receiver) = rendezvous();
        let keep_open = sender.clone();
        let node = Node::new("S0");
        node.spawn(move || sender.send("from the dead"));
        sleep(MOMENT);
        node.crash();
        assert_eq!(receiver.recv_timeout(MOMENT), Err(RecvTimeoutError::Timeout));
        drop(keep_open);
    });
}

#[test]
fn joiners_and_callers_get_an_error() {
    value_of(|| {
        let network = Network::new();
        let node = Node::new("S0");
        let server = node.call(|| {
            let slow = |_: u32| sleep(Duration::from_secs(1000));
            Server::new().with(Service::new("Slow").method("Down", slow))
        });
        network.add_server("S0", server.expect("the node is alive"));
        let end = network.make_end("end");
        network.connect("end", "S0");
        network.enable("end");
        let call = |end: &ClientEnd| end.call::<u32, ()>("Slow.Down", &1);
        let other_end = end.clone();
        let caller = spawn(move || other_end.call::<u32, ()>("Slow.Down", &1));
        let (joined, running) = (node.spawn(|| sleep(Duration::from_secs(9))), node.clone());
        let entered = spawn(move || running.call(|| sleep(Duration::from_secs(9))));
        sleep(Duration::from_millis(50));
        node.crash();
        assert_eq!(joined.join(), Err(TaskDied));
        assert_eq!(entered.join(), Ok(None));
        // The server is still registered: the network finds out that its node is dead.
        assert_eq!(caller.join(), Ok(Err(RpcError::Lost)));
        assert_eq!(call(&end), Err(RpcError::Lost));
        assert!(!node.is_alive());
        assert_eq!(node.call(|| 1), None);
        assert_eq!(node.spawn(|| 1).join(), Err(TaskDied));
    });
}

#[test]
fn task_can_crash_its_own_node() {
    let after = value_of(|| {
        let reached = Arc::new(AtomicU32::new(0));
        let (seen, node) = (Arc::clone(&reached), Node::new("S0"));
        let victim = node.spawn(|| sleep(Duration::from_secs(9)));
        let suicidal = node.clone();
        let task = node.spawn(move || {
            suicidal.crash();
            seen.store(1, SeqCst);
        });
        assert_eq!(task.join(), Err(TaskDied));
        assert_eq!(victim.join(), Err(TaskDied));
        reached.load(SeqCst)
    });
    assert_eq!(after, 0, "no line after the crash runs");
}

/// Whatever a node does, and whenever it is stopped: no task hangs, nothing is leaked.
#[test]
fn crash_at_any_point_leaves_nothing_behind() {
    for seed in 0..150 {
        let outcome = Simulation::new(seed).run(|| {
            let alive = Arc::new(());
            let node = Node::new("S0");
            for _ in 0..4 {
                let alive = Arc::clone(&alive);
                let body = busy_life();
                node.spawn(move || {
                    let _alive = alive;
                    body();
                });
            }
            sleep(Duration::from_micros(rng().random_range(0..2_000)));
            node.crash();
            Arc::strong_count(&alive)
        });
        assert_eq!(outcome.result.unwrap_or_else(|failure| panic!("{failure}")), 1, "seed {seed}");
    }
}

/// Uses everything that the runtime has, forever.
fn busy_life() -> impl FnOnce() + Send {
    let lock = Arc::new((Mutex::new(0_u32), Condvar::new()));
    move || {
        let (sender, receiver) = bounded(1);
        let (back, answer) = rendezvous();
        let other = Arc::clone(&lock);
        spawn(move || {
            for n in receiver.iter() {
                *other.0.lock() += n;
                other.1.notify_one();
                back.send(n).ok();
            }
        });
        for n in 0.. {
            sender.send(n % 3).ok();
            let guard = lock.0.lock();
            drop(lock.1.wait_timeout(guard, Duration::from_micros(20)));
            answer.recv_timeout(Duration::from_micros(30)).ok();
            spawn(move || n).join().ok();
            sleep(Duration::from_micros(u64::from(n % 7)));
        }
    }
}

#[test]
fn crash_leaves_what_a_slow_disk_had_saved() {
    let (state, snapshot) = value_of(|| {
        let (persister, node) = (Persister::new(), Node::new("S0"));
        persister.save(b"old".to_vec(), b"snapshot".to_vec());
        set_save_time(&persister, 5 * MOMENT);
        let disk = persister.clone();
        node.spawn(move || {
            disk.save_raft_state(b"new".to_vec());
            disk.save_raft_state(b"newer".to_vec());
        });
        sleep(7 * MOMENT);
        node.crash();
        (persister.raft_state(), persister.snapshot())
    });
    assert_eq!((&*state, &*snapshot), (&b"new"[..], &b"snapshot"[..]));
}
