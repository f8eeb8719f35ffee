//! Calls whose caller waits for a limited time.

use std::time::Duration;

use labrpc::{ClientEnd, Instant, RpcError, Simulation, sleep, spawn};

use crate::{TestNetwork, ms, simulate};

/// Calls a handler that takes this number of milliseconds, and waits until `limit` has passed.
fn wait_within(limit: Duration, end: &ClientEnd, millis: u64) -> Result<u64, RpcError> {
    end.call_within(limit, "Test.Wait", &millis)
}

#[test]
fn wait_ends_at_the_limit_and_the_handler_runs_on() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        let start = Instant::now();
        assert_eq!(wait_within(ms(50), &end, 300), Err(RpcError::DeadlineExceeded));
        let waited = start.elapsed();
        assert!((ms(50)..ms(50) + Duration::from_micros(10)).contains(&waited), "{waited:?}");
        assert_eq!(net.handled.load(), 1);
        // The late reply goes to no other call.
        assert_eq!(wait_within(ms(5_000), &end, 1_000), Ok(1_000));
        assert_eq!((net.handled.load(), net.network.total_rpcs()), (2, 2));
    });
}

/// With a limit of zero a call is a message: it is sent, and its handler runs once.
#[test]
fn call_without_time_is_sent_all_the_same() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        let start = Instant::now();
        assert_eq!(wait_within(ms(0), &end, 0), Err(RpcError::DeadlineExceeded));
        assert!(start.elapsed() < Duration::from_micros(10), "{:?}", start.elapsed());
        assert_eq!(net.handled.load(), 0, "the request has not arrived yet");
        sleep(ms(1_000));
        assert_eq!(net.handled.load(), 1);
    });
}

/// Whether the reply or the limit comes first, the handler runs once.
#[test]
fn handler_runs_once_whatever_the_limit() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        let replies = (0..500).map(|i| wait_within(Duration::from_micros(i * 5), &end, 0));
        let replies: Vec<_> = replies.collect();
        let in_time = replies.iter().filter(|reply| **reply == Ok(0)).count();
        let late =
            replies.iter().filter(|reply| **reply == Err(RpcError::DeadlineExceeded)).count();
        assert_eq!(in_time + late, 500);
        assert!(in_time > 100 && late > 100, "{in_time} in time, {late} late");
        sleep(ms(1_000));
        assert_eq!(net.handled.load(), 500);
    });
}

#[test]
fn handler_runs_at_most_once_on_an_unreliable_network() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        net.network.set_reliable(false);
        net.network.set_long_reordering(true);
        let replies: Vec<_> = (0..500).map(|_| wait_within(ms(20), &end, 0)).collect();
        let known = replies.iter().filter(|reply| reply.is_ok()).count() as u64;
        sleep(ms(10_000));
        let handled = net.handled.load();
        assert!((known..500).contains(&handled), "{known} replies, {handled} handled");
        assert!(replies.contains(&Err(RpcError::Lost)));
        assert!(replies.contains(&Err(RpcError::DeadlineExceeded)));
    });
}

#[test]
fn failure_before_the_limit_is_the_failure_of_any_call() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        net.network.disable("client-S0");
        let start = Instant::now();
        assert_eq!(wait_within(ms(5_000), &end, 0), Err(RpcError::Lost));
        assert!(start.elapsed() < ms(101), "{:?}", start.elapsed());
        net.network.set_long_delays(true);
        let replies: Vec<_> = (0..100).map(|_| wait_within(ms(100), &end, 0)).collect();
        let lost = replies.iter().filter(|reply| **reply == Err(RpcError::Lost)).count();
        assert!(lost < 20, "{lost} of 100 failed within 100 ms of up to 7 s");
    });
}

/// Many calls wait on one end, and each ends at its own limit.
#[test]
fn each_call_has_its_own_limit() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        let calls: Vec<_> = (1..=20)
            .map(|i| {
                let end = end.clone();
                spawn(move || {
                    let start = Instant::now();
                    let reply = wait_within(ms(i * 100), &end, 1_050);
                    (i, reply, start.elapsed())
                })
            })
            .collect();
        for call in calls {
            let (i, reply, waited) = call.join().unwrap();
            // A handler may be stalled, for up to 131 ms, but none comes early.
            match reply {
                Ok(_) => assert!(i > 10, "call {i} has a reply after {waited:?}"),
                Err(error) => {
                    assert_eq!(error, RpcError::DeadlineExceeded);
                    assert!(i < 14 && waited >= ms(i * 100), "call {i} ended after {waited:?}");
                }
            }
        }
    });
}

#[test]
fn one_seed_has_one_history() {
    let hash = || {
        let outcome = Simulation::new(7741).run(|| {
            let net = TestNetwork::new(&["S0"]);
            let end = net.end("client", "S0");
            net.network.set_reliable(false);
            (0..100).for_each(|i| _ = wait_within(Duration::from_micros(i * 100), &end, 0));
        });
        outcome.result.expect("nothing fails");
        outcome.trace_hash
    };
    assert_eq!(hash(), hash());
}
