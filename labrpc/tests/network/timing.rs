//! When calls succeed, and when they fail.

use std::time::Duration;

use labrpc::{Instant, RpcError, channel, sleep, spawn};

use crate::{TestNetwork, ms, simulate, wait};

#[test]
fn message_takes_between_100_us_and_1_ms() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        let times = (0..1_000).map(|_| {
            let start = Instant::now();
            assert_eq!(wait(&end, 0), Ok(0));
            start.elapsed()
        });
        let times: Vec<Duration> = times.collect();
        let (least, greatest) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        // Two messages each; a handler may be stalled once in a while, so most stay below 2 ms.
        assert!((ms(0) + Duration::from_micros(200)..ms(1)).contains(least), "{least:?}");
        assert!(*greatest < ms(200), "{greatest:?}");
        assert!(times.iter().filter(|time| **time > ms(2)).count() < 50);
    });
}

/// Even on a reliable network a later call may be faster.
#[test]
fn calls_on_one_end_overtake_each_other() {
    let order = simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        let (done, order) = channel();
        for i in 0..20_u64 {
            let (end, done) = (end.clone(), done.clone());
            spawn(move || {
                wait(&end, 0).expect("the network is reliable");
                done.send(i).expect("the test listens");
            });
        }
        drop(done);
        order.into_iter().collect::<Vec<u64>>()
    });
    assert_eq!(order.len(), 20);
    assert!(!order.is_sorted(), "{order:?}");
}

#[test]
fn unreachable_servers_fail_within_100_ms_or_with_long_delays_7_s() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let no_server = net.end("client", "nobody");
        let not_connected = net.network.make_end("loose");
        net.network.enable("loose");
        let disabled = net.end("other", "S0");
        net.network.disable("other-S0");
        for (long, bound) in [(false, ms(101)), (true, ms(7_001))] {
            net.network.set_long_delays(long);
            for end in [&no_server, &not_connected, &disabled] {
                let mut longest = Duration::ZERO;
                for _ in 0..200 {
                    let start = Instant::now();
                    assert_eq!(wait(end, 0), Err(RpcError::Lost));
                    longest = longest.max(start.elapsed());
                }
                assert!((bound * 8 / 10..bound).contains(&longest), "{longest:?}");
            }
        }
        assert_eq!(net.handled.load(), 0);
    });
}

/// The network looks every 100 ms whether a slow handler's caller can still be reached.
#[test]
fn disconnecting_fails_a_slow_call_within_100_ms() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        for after in [1, 50, 99, 150, 777] {
            let slow = end.clone();
            let call = spawn(move || (wait(&slow, 5_000), Instant::now()));
            sleep(ms(after));
            net.network.disable("client-S0");
            let disconnected = Instant::now();
            let (reply, at) = call.join().unwrap();
            assert_eq!(reply, Err(RpcError::Lost));
            assert!(at - disconnected <= ms(101), "{:?} after {after} ms", at - disconnected);
            net.network.enable("client-S0");
        }
    });
}

/// A fast handler's reply is refused as soon as it is there.
#[test]
fn disconnecting_fails_a_fast_call_when_its_handler_returns() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        let call = spawn(move || (wait(&end, 20), Instant::now()));
        sleep(ms(5));
        net.network.disable("client-S0");
        let start = Instant::now();
        let (reply, at) = call.join().unwrap();
        assert_eq!((reply, net.handled.load()), (Err(RpcError::Lost), 1));
        // The handler may be stalled; then the network's look comes first.
        assert!(at - start <= ms(100), "{:?}", at - start);
    });
}

/// Disconnected and connected again between two looks: it goes unnoticed.
#[test]
fn short_disconnection_goes_unnoticed() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        let call = spawn(move || wait(&end, 300));
        sleep(ms(120));
        net.network.disable("client-S0");
        sleep(ms(30));
        net.network.enable("client-S0");
        assert_eq!(call.join(), Ok(Ok(300)));
    });
}

/// The switches are read when a call is made; what is changed later does not matter to it.
#[test]
fn switches_are_read_when_a_call_is_made() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        let calls: Vec<_> = (0..200)
            .map(|_| {
                let end = end.clone();
                spawn(move || wait(&end, 50))
            })
            .collect();
        sleep(ms(10));
        net.network.set_reliable(false);
        let lost = calls.into_iter().map(|call| call.join().unwrap());
        assert_eq!(lost.filter(Result::is_err).count(), 0);
    });
}

#[test]
fn closed_network_refuses_new_calls_and_completes_old_ones() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        let old = end.clone();
        let old = spawn(move || wait(&old, 50));
        sleep(ms(10));
        net.network.close();
        let start = Instant::now();
        assert_eq!(wait(&end, 0), Err(RpcError::Lost));
        assert!(start.elapsed() < Duration::from_micros(10), "it fails at once");
        assert_eq!(old.join(), Ok(Ok(50)));
        assert_eq!(net.network.total_rpcs(), 1);
    });
}
