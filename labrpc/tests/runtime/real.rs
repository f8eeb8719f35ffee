//! The same programs on real threads.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use labrpc::{
    AtomicBool, AtomicU64, Condvar, FailureKind, HashMap, Instant, Mutex, Network, Node, Outcome,
    Persister, RecvError, RecvTimeoutError, RpcError, Select, Server, Service, TryRecvError,
    TrySendError, bounded, channel, rendezvous, rng, run_real, sleep, spawn, yield_now,
};
use rand::RngExt;

use crate::child::{again, is_child, text};

/// Far longer than any run here takes.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs `body` on real threads, where it must not fail.
fn value_of<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    run_real(1, LIMIT, body).result.unwrap_or_else(|failure| panic!("{failure}"))
}

/// Everything that programs outside any run may use as well.
fn use_everything() {
    let lock = Arc::new((Mutex::new(0), Condvar::new()));
    let flag = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = rendezvous();
    let (other, raised) = (Arc::clone(&lock), Arc::clone(&flag));
    let task = spawn(move || {
        sleep(Duration::from_millis(5));
        *other.0.lock() += 1;
        other.1.notify_all();
        raised.store(true);
        sender.send("met").map(|()| 7)
    });
    drop(lock.1.wait_while(lock.0.lock(), |n| *n == 0));
    assert_eq!(receiver.recv(), Ok("met"));
    assert_eq!(task.join(), Ok(Ok(7)));
    assert_eq!(receiver.recv(), Err(RecvError));
    assert!(flag.load());
    assert!(lock.0.try_lock().is_some());
    let (_guard, timed_out) = lock.1.wait_timeout(lock.0.lock(), Duration::from_millis(1));
    assert!(timed_out);
    assert!(rng().random_range(1..7_u32) < 7);
    yield_now();
}

#[test]
fn tasks_locks_and_channels_work() {
    value_of(use_everything);
}

#[test]
fn the_facade_works_outside_any_run() {
    use_everything();
    let mut lock = Mutex::new(1);
    *lock.get_mut() += 1;
    assert_eq!((format!("{lock:?}").is_empty(), lock.into_inner()), (false, 2));
    let disk = Persister::new();
    disk.save(vec![1], vec![2, 3]);
    assert_eq!((disk.raft_state_size(), disk.copy().snapshot()), (1, vec![2, 3]));
    assert!(Node::new("S0").is_alive());
    assert_eq!(Node::new("S0").call(|| 3), Some(3));
}

#[test]
fn bounded_channels_and_time_outs_work() {
    value_of(|| {
        let (sender, receiver) = bounded(1);
        assert_eq!(sender.try_send(1), Ok(()));
        assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        let moment = Duration::from_millis(1);
        assert_eq!(receiver.recv_timeout(moment), Err(RecvTimeoutError::Timeout));
        drop(sender);
        assert_eq!(receiver.recv_timeout(moment), Err(RecvTimeoutError::Disconnected));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(receiver.iter().next(), None);
    });
}

#[test]
fn select_waits_for_whichever_comes_first() {
    value_of(|| {
        let (sender, slow) = channel();
        let (_never, silent) = channel::<u32>();
        let mut select = Select::new();
        let (silent, slow_one) = (select.recv(&silent), select.recv(&slow));
        assert_ne!(silent, slow_one);
        assert_eq!(select.ready_timeout(Duration::from_nanos(1)), None);
        spawn(move || {
            sleep(Duration::from_millis(5));
            sender.send(1).ok();
        });
        assert_eq!(select.ready(), slow_one);
        assert_eq!(slow.try_recv(), Ok(1));
    });
}

#[test]
fn panic_in_any_thread_fails_the_run() {
    let outcome: Outcome<()> = run_real(3, LIMIT, || {
        Node::new("S0").spawn(|| {
            sleep(Duration::from_millis(1));
            panic!("a thread's last words");
        });
        sleep(LIMIT);
    });
    let failure = outcome.result.expect_err("a thread panics");
    assert_eq!((failure.kind, &*failure.message), (FailureKind::Panic, "a thread's last words"));
    assert!(failure.location.as_ref().is_some_and(|at| at.contains("real.rs:")), "{failure}");
    assert!(failure.to_string().ends_with("LAB_SEED=3 LAB_RUNTIME=real"), "{failure}");
}

#[test]
fn time_is_limited() {
    let outcome = run_real(1, Duration::from_millis(20), || sleep(Duration::MAX));
    assert_eq!(outcome.result.expect_err("it takes too long").kind, FailureKind::TimeLimit);
}

#[test]
fn threads_of_a_finished_run_end() {
    let alive = Arc::new(());
    let witness = Arc::clone(&alive);
    value_of(move || {
        let (sender, receiver) = channel::<()>();
        let lock = Arc::new((Mutex::new(()), Condvar::new()));
        let network = Network::new();
        let end = network.make_end("end");
        network.close(); // Calls fail at once.
        for i in 0..5 {
            let witness = Arc::clone(&witness);
            let (sender, receiver, end) = (sender.clone(), receiver.clone(), end.clone());
            let lock = Arc::clone(&lock);
            spawn(move || {
                let _witness = witness;
                match i {
                    0 => sleep(Duration::MAX),
                    1 => _ = receiver.recv(),
                    2 => _ = lock.1.wait_while(lock.0.lock(), |()| true),
                    3 => while end.call::<(), ()>("KV.Get", &()).is_err() {},
                    _ => while sender.try_send(()).is_ok() {},
                }
            });
        }
    });
    while Arc::strong_count(&alive) > 1 {
        std::thread::yield_now(); // They end at their next operation; how soon is not promised.
    }
}

#[test]
fn calls_work_and_fail_as_in_a_simulation() {
    value_of(|| {
        let network = Network::new();
        let handled = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&handled);
        let service = Service::new("KV")
            .method("Add", move |n: u32| counter.fetch_add(n, SeqCst) + n)
            .method("Slow", |(): ()| sleep(LIMIT));
        network.add_server("S0", Server::new().with(service));
        let end = network.make_end("end");
        network.connect("end", "S0");
        assert_eq!(end.call::<u32, u32>("KV.Add", &1), Err(RpcError::Lost));
        network.enable("end");
        assert_eq!(end.call("KV.Add", &2_u32), Ok(2_u32));
        let caller = spawn(move || end.call::<(), ()>("KV.Slow", &()));
        while network.server_rpcs("S0") < 2 {
            yield_now();
        }
        network.delete_server("S0");
        assert_eq!(caller.join(), Ok(Err(RpcError::Lost)));
        assert_eq!(network.total_rpcs(), 3);
    });
}

/// At its limit a caller is told, and the handler runs on.
#[test]
fn wait_for_a_reply_ends_at_its_limit() {
    value_of(|| {
        let network = Network::new();
        let handled = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&handled);
        let service = Service::new("KV").method("Add", move |(n, millis): (u32, u64)| {
            sleep(Duration::from_millis(millis));
            counter.fetch_add(n, SeqCst) + n
        });
        network.add_server("S0", Server::new().with(service));
        let end = network.make_end("end");
        network.connect("end", "S0");
        network.enable("end");
        let add = |limit, millis: u64| end.call_within::<_, u32>(limit, "KV.Add", &(1_u32, millis));
        let reply = add(Duration::ZERO, 0); // It may come before anybody looks at the clock.
        assert!(matches!(reply, Ok(1) | Err(RpcError::DeadlineExceeded)), "{reply:?}");
        while handled.load(SeqCst) < 1 {
            yield_now();
        }
        assert_eq!(add(Duration::from_millis(20), 1_000), Err(RpcError::DeadlineExceeded));
        assert_eq!(add(LIMIT, 0), Ok(2));
        while handled.load(SeqCst) < 3 {
            yield_now();
        }
        assert_eq!(network.total_rpcs(), 3);
    });
}

/// Threads are used again and again, but a run's numbers depend on its seed.
#[test]
fn random_numbers_follow_the_seed() {
    let draw = |seed| {
        let draw = || (0..4).map(|_| rng().random_range(0..1_000_000_u64)).collect::<Vec<_>>();
        run_real(seed, LIMIT, draw).result.expect("nothing fails")
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}

/// Programs that are not tests draw the ids of clients, jobs and messages this way.
#[test]
fn processes_draw_different_numbers() {
    if is_child() {
        println!("drawn: {}", rng().random::<u64>());
        return;
    }
    let draw = |_| {
        let output = text(&again("real::processes_draw_different_numbers", &[]));
        let number = output.lines().find_map(|line| line.split_once("drawn: "));
        number.unwrap_or_else(|| panic!("no number in {output}")).1.to_string()
    };
    let drawn: BTreeSet<String> = (0..200).map(draw).collect();
    assert_eq!(drawn.len(), 200, "some drew the same");
}

#[test]
fn atomics_and_time_are_shared_by_all_threads() {
    let (sum, order) = value_of(|| {
        let sum = Arc::new(AtomicU64::new(0));
        let start = Instant::now();
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let sum = Arc::clone(&sum);
                spawn(move || (0..1_000).for_each(|_| _ = sum.fetch_add(1)))
            })
            .collect();
        tasks.into_iter().for_each(|task| task.join().expect("it only counts"));
        sum.update(|n| n + 1);
        let map: HashMap<u32, u32> = (0..100).map(|i| (i, i)).collect();
        assert!(Instant::now() >= start);
        (sum.load(), map.into_keys().collect::<Vec<_>>())
    });
    assert_eq!((sum, order.len()), (4_001, 100));
}
