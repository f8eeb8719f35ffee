//! Calls that do not arrive, or whose reply does not.

use std::time::Duration;

use labrpc::{Instant, RpcError, run, sleep, spawn};

use crate::{TestNetwork, handler2, reply2};

/// `TestDisconnect`: a call on an end that is not enabled fails; once enabled, it works.
#[test]
fn disconnected_end_fails() {
    run(|| {
        let net = TestNetwork::new();
        let end = net.disabled_end("end1-99");
        assert_eq!(handler2(&end, 111), None);
        net.network.enable("end1-99");
        assert_eq!(end.call("JunkServer.Handler1", &"9099".to_string()), Ok(9_099_i64));
    });
}

/// `TestUnreliable`: some calls on an unreliable network fail, and those that do not are right.
#[test]
fn unreliable_network_loses_some() {
    run(|| {
        let net = TestNetwork::new();
        net.network.set_reliable(false);
        let calls: Vec<_> = (0..300)
            .map(|i| {
                let end = net.end(&format!("end-{i}"));
                spawn(move || {
                    let reply = handler2(&end, i * 100);
                    assert!(reply.is_none() || reply == reply2(i * 100), "{reply:?}");
                    reply.is_some()
                })
            })
            .collect();
        let successes = calls.into_iter().map(|call| call.join().unwrap());
        let successes = successes.filter(|is_success| *is_success).count();
        assert!((1..300).contains(&successes), "{successes} of 300");
    });
}

/// `TestRegression1`: calls made while an end was disabled neither delay later ones nor arrive
/// later.
#[test]
fn calls_on_a_disabled_end_do_not_delay_later_ones() {
    run(|| {
        let net = TestNetwork::new();
        let end = net.disabled_end("end1-99");
        let early: Vec<_> = (0..20)
            .map(|i| {
                let end = end.clone();
                spawn(move || handler2(&end, 100 + i))
            })
            .collect();
        sleep(Duration::from_millis(100));
        net.network.enable("end1-99");
        let start = Instant::now();
        assert_eq!(handler2(&end, 99), reply2(99));
        let taken = start.elapsed();
        // On real threads the machine's load would decide.
        let is_real = std::env::var("LAB_RUNTIME").is_ok_and(|runtime| runtime == "real");
        assert!(is_real || taken <= Duration::from_millis(30), "{taken:?}");
        early.into_iter().for_each(|call| assert_eq!(call.join(), Ok(None)));
        assert_eq!(*net.log.lock(), [99]);
        assert_eq!(net.network.server_rpcs("server"), 1);
    });
}

/// `TestKilled`: a call fails soon after its server is gone, although the handler still runs.
#[test]
fn call_fails_when_its_server_is_deleted() {
    run(|| {
        let net = TestNetwork::new();
        let end = net.end("end1-99");
        let call =
            spawn(move || (end.call::<_, i64>("JunkServer.Handler3", &99_i64), Instant::now()));
        sleep(Duration::from_millis(1_000));
        assert!(!call.is_finished(), "the handler takes 20 s");
        sleep(Duration::from_millis(100));
        assert!(!call.is_finished(), "the handler takes 20 s");
        let deleted = Instant::now();
        net.network.delete_server("server");
        let (reply, at) = call.join().unwrap();
        assert_eq!(reply, Err(RpcError::Lost));
        let is_real = std::env::var("LAB_RUNTIME").is_ok_and(|runtime| runtime == "real");
        assert!(is_real || at - deleted <= Duration::from_millis(100), "{:?}", at - deleted);
    });
}

/// `TestLongDelayRace`: the switches may be set while calls are under way.
#[test]
fn long_delays_may_be_set_during_a_call() {
    run(|| {
        let net = TestNetwork::new();
        let end = net.end("end1-99");
        assert_eq!(handler2(&end, 1), reply2(1));
        net.network.set_long_delays(true);
        net.network.delete_server("server");
        let call = spawn(move || handler2(&end, 2));
        net.network.set_long_delays(true);
        sleep(Duration::from_millis(200));
        net.network.set_long_delays(false);
        assert!(!net.network.has_long_delays());
        assert_eq!(call.join(), Ok(None));
    });
}
