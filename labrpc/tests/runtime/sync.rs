//! Locks, condition variables, channels and atomics in a simulation.

use std::sync::Arc;
use std::time::Duration;

use labrpc::{
    AtomicU64, Condvar, HashMap, Instant, Mutex, RecvError, RecvTimeoutError, Select, SendError,
    TryRecvError, TrySendError, bounded, channel, rendezvous, sleep, spawn,
};

use crate::value_of;

/// A short time, long enough for any task to get somewhere.
const MOMENT: Duration = Duration::from_millis(1);

#[test]
fn lock_excludes_all_others() {
    let total = value_of(|| {
        let lock = Arc::new(Mutex::new(0));
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let lock = Arc::clone(&lock);
                spawn(move || {
                    for _ in 0..10 {
                        let mut guard = lock.lock();
                        let before = *guard;
                        sleep(Duration::from_micros(3));
                        *guard = before + 1;
                    }
                })
            })
            .collect();
        tasks.into_iter().for_each(|task| task.join().expect("it only counts"));
        Arc::into_inner(lock).expect("all tasks have ended").into_inner()
    });
    assert_eq!(total, 100);
}

#[test]
fn condvar_wakes_one_or_all() {
    value_of(|| {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let woken = Arc::new(AtomicU64::new(0));
        for _ in 0..5 {
            let (shared, woken) = (Arc::clone(&shared), Arc::clone(&woken));
            spawn(move || {
                drop(shared.1.wait(shared.0.lock()));
                woken.fetch_add(1);
            });
        }
        sleep(MOMENT);
        shared.1.notify_one();
        sleep(MOMENT);
        assert_eq!(woken.load(), 1);
        shared.1.notify_all();
        sleep(MOMENT);
        assert_eq!(woken.load(), 5);
        let start = Instant::now();
        let (_guard, timed_out) = shared.1.wait_timeout(shared.0.lock(), 7 * MOMENT);
        assert!(timed_out && start.elapsed() >= 7 * MOMENT);
    });
}

#[test]
fn unbounded_channel_keeps_the_order_and_ends_with_its_senders() {
    value_of(|| {
        let (sender, receiver) = channel();
        let other = sender.clone();
        (0..3).for_each(|n| sender.send(n).expect("there is a receiver"));
        other.try_send(3).expect("there is a receiver");
        drop((sender, other));
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(receiver.recv(), Err(RecvError));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    });
}

#[test]
fn bounded_channel_makes_senders_wait() {
    value_of(|| {
        let (sender, receiver) = bounded(2);
        let start = Instant::now();
        let task = spawn(move || {
            (0..4).for_each(|n| sender.send(n).expect("there is a receiver"));
            start.elapsed()
        });
        sleep(MOMENT);
        assert_eq!(receiver.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!(task.join().expect("it only sends") >= MOMENT);
    });
}

#[test]
fn rendezvous_holds_nothing() {
    value_of(|| {
        let (sender, receiver) = rendezvous();
        assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
        assert_eq!(receiver.recv_timeout(MOMENT), Err(RecvTimeoutError::Timeout));
        let other = receiver.clone();
        let task = spawn(move || other.recv());
        sleep(MOMENT);
        assert_eq!(sender.try_send(2), Ok(()), "a receiver waits");
        assert_eq!(task.join(), Ok(Ok(2)));
        let waiting = spawn(move || sender.send(3));
        sleep(MOMENT);
        assert!(!waiting.is_finished(), "no receiver has taken the message");
        assert_eq!(receiver.try_recv(), Ok(3));
        assert_eq!(waiting.join(), Ok(Ok(())));
    });
}

#[test]
fn sending_to_nobody_is_an_error_that_the_sender_sees() {
    value_of(|| {
        for (sender, receiver) in [channel(), bounded(1), rendezvous()] {
            drop(receiver);
            assert_eq!(sender.send(7), Err(SendError(7)));
            assert_eq!(sender.try_send(8), Err(TrySendError::Disconnected(8)));
        }
        let (sender, receiver) = rendezvous();
        let waiting = spawn(move || sender.send(9));
        sleep(MOMENT);
        drop(receiver);
        assert_eq!(waiting.join(), Ok(Err(SendError(9))), "also to one that waits already");
    });
}

/// A message's destructor may use the very channel that it was in.
#[test]
fn messages_are_dropped_outside_the_channels_lock() {
    struct Message(labrpc::Sender<Message>);
    impl Drop for Message {
        fn drop(&mut self) {
            assert!(self.0.clone().try_send(Message(self.0.clone())).is_err());
        }
    }
    value_of(|| {
        let (sender, receiver) = channel();
        sender.send(Message(sender.clone())).map_err(std::mem::forget).expect("it is received");
        // The destructor's own message would be dropped in the same way, without an end.
        std::mem::forget(receiver.recv());
        drop(receiver);
    });
}

#[test]
fn select_takes_the_first_that_is_ready_and_wakes_others_for_the_rest() {
    value_of(|| {
        let (to_a, a) = channel();
        let (to_b, b) = channel();
        let (a2, b2) = (a.clone(), b.clone());
        let selecting = spawn(move || {
            let mut select = Select::new();
            let (first, _) = (select.recv(&b2), select.recv(&a2));
            assert_eq!(select.ready(), first);
            b2.try_recv()
        });
        sleep(MOMENT);
        let receiving = spawn(move || a.recv());
        sleep(MOMENT);
        // The first message wakes the selection, which then takes the second one.
        to_a.send("a").expect("there is a receiver");
        to_b.send("b").expect("there is a receiver");
        assert_eq!(selecting.join(), Ok(Ok("b")));
        assert_eq!(receiving.join(), Ok(Ok("a")));
        drop((to_b, b));
    });
}

#[test]
fn select_times_out_and_sees_closed_channels() {
    value_of(|| {
        let (sender, receiver) = channel::<u32>();
        let mut select = Select::new();
        let only = select.recv(&receiver);
        assert_eq!(select.ready_timeout(MOMENT), None);
        drop(sender);
        assert_eq!(select.ready_timeout(MOMENT), Some(only));
    });
}

#[test]
fn atomics_do_what_their_names_say() {
    value_of(|| {
        let n = AtomicU64::new(5);
        assert_eq!((n.swap(6), n.fetch_add(2), n.load()), (5, 6, 8));
        assert_eq!((n.compare_exchange(8, 1), n.compare_exchange(8, 2)), (Ok(8), Err(1)));
        assert_eq!((n.update(|n| n * 10), n.load()), (1, 10));
    });
}

#[test]
fn hash_maps_have_the_same_order_in_every_run() {
    let order = || {
        value_of(|| {
            let map: HashMap<u64, u64> = (0..1_000).map(|i| (i * 7, i)).collect();
            map.into_values().collect::<Vec<_>>()
        })
    };
    assert_eq!(order(), order());
}
