//! What a crashed task does while it unwinds takes no time and has no effect.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use labrpc::{
    AtomicU64, Condvar, Mutex, Node, Persister, Simulation, TaskDied, channel, sleep, spawn,
    yield_now,
};

use crate::value_of;

/// A short time.
const MOMENT: Duration = Duration::from_millis(1);

/// Runs this when dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Crashes a node while one of its tasks sleeps with `destructor` on its stack; returns the virtual
/// time that this took. The run must not fail.
fn crash_over(destructor: impl FnMut() + Send + Clone + Sync + 'static) -> Duration {
    let outcome = Simulation::new(6824).run(move || {
        let node = Node::new("S0");
        let destructor = destructor.clone();
        let task = node.spawn(move || {
            let _on_drop = OnDrop(destructor);
            sleep(Duration::from_secs(50));
        });
        sleep(MOMENT);
        node.crash();
        assert_eq!(task.join(), Err(TaskDied));
        sleep(MOMENT);
    });
    outcome.result.unwrap_or_else(|failure| panic!("{failure}"));
    outcome.virtual_time
}

#[test]
fn destructors_that_sleep_take_no_time() {
    assert!(crash_over(|| sleep(Duration::from_secs(100))) < Duration::from_millis(10));
}

#[test]
fn destructors_that_loop_forever_are_left_alone() {
    value_of(|| {
        let node = Node::new("S0");
        node.spawn(|| {
            let _on_drop = OnDrop(|| {
                loop {
                    yield_now();
                }
            });
            sleep(Duration::from_secs(50));
        });
        sleep(MOMENT);
        node.crash();
        sleep(MOMENT);
    });
}

#[test]
fn destructors_neither_send_nor_save_nor_store() {
    value_of(|| {
        let node = Node::new("S0");
        let (sender, receiver) = channel();
        let (disk, number) = (Persister::new(), Arc::new(AtomicU64::new(1)));
        let (saved, stored) = (disk.clone(), Arc::clone(&number));
        node.spawn(move || {
            let _on_drop = OnDrop(|| {
                // A message of a dead task goes nowhere; an error would only make it panic.
                sender.send(1).expect("no error");
                saved.save_raft_state(vec![1, 2, 3]);
                stored.store(2);
                stored.fetch_add(5);
                spawn(|| panic!("no task of a dead one runs"));
            });
            sleep(Duration::from_secs(50));
        });
        sleep(MOMENT);
        node.crash();
        assert!(receiver.recv().is_err(), "the only sender is gone");
        assert_eq!((disk.raft_state_size(), number.load()), (0, 1));
    });
}

/// The lock is held by a task of another node; the dead task must wait until it is free, and the
/// crash must not.
#[test]
fn destructor_that_locks_waits_for_the_owner() {
    value_of(|| {
        let lock = Arc::new(Mutex::new(0));
        let (mine, theirs) = (Arc::clone(&lock), lock);
        let node = Node::new("S0");
        let dying = node.spawn(move || {
            let _on_drop = OnDrop(move || *theirs.lock() += 1);
            sleep(Duration::from_secs(50));
        });
        let guard = mine.lock();
        sleep(MOMENT);
        node.crash();
        assert!(!dying.is_finished(), "it waits for the lock");
        drop(guard);
        assert_eq!(dying.join(), Err(TaskDied));
        assert_eq!(*mine.lock(), 1);
    });
}

/// Destructors of one victim reach for the others, whose stacks unwind later or have unwound.
#[test]
fn victims_that_depend_on_each_other_all_end() {
    value_of(|| {
        let node = Node::new("S0");
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let dropped = Arc::new(AtomicU32::new(0));
        for _ in 0..20 {
            let (shared, dropped) = (Arc::clone(&shared), Arc::clone(&dropped));
            node.spawn(move || {
                let _counted = OnDrop(|| _ = dropped.fetch_add(1, SeqCst));
                let _notifies = OnDrop(|| {
                    *shared.0.lock() += 1;
                    shared.1.notify_all();
                });
                let guard = shared.0.lock();
                let guard = shared.1.wait(guard);
                sleep(Duration::from_secs(1));
                drop(guard);
            });
        }
        sleep(MOMENT);
        shared.1.notify_one();
        sleep(MOMENT);
        node.crash();
        sleep(MOMENT); // Those that need the lock wait for the one that had it.
        assert_eq!(dropped.load(SeqCst), 20);
        assert_eq!(*shared.0.lock(), 20);
    });
}
