//! Messages that a test holds, and what a report says of calls.

use std::time::Duration;

use labrpc::{Policy, Simulation, sleep, spawn};

use crate::{TestNetwork, ms, simulate, wait};

#[test]
fn held_requests_are_overtaken_until_they_are_released() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("S1", "S0");
        net.network.hold_requests("S1", "S0");
        let held = end.clone();
        let held = spawn(move || wait(&held, 1));
        sleep(ms(10));
        net.network.pass("S1", "S0");
        assert_eq!(wait(&end, 2), Ok(2));
        sleep(ms(1_000));
        assert_eq!((net.handled.load(), held.is_finished()), (1, false));
        net.network.release();
        assert_eq!(held.join(), Ok(Ok(1)));
    });
}

#[test]
fn held_requests_are_lost_if_their_link_is_cut_when_they_are_released() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("S1", "S0");
        net.network.hold_requests("S1", "S0");
        let held = spawn(move || wait(&end, 1));
        sleep(ms(10));
        net.network.cut("S1", "S0");
        net.network.release();
        assert!(held.join().expect("it runs").is_err());
        assert_eq!(net.handled.load(), 0);
    });
}

#[test]
fn held_replies_come_when_they_are_released_in_any_case() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("S1", "S0");
        net.network.hold_replies("S1", "S0");
        let held = spawn(move || wait(&end, 1));
        sleep(ms(1_000));
        assert_eq!((net.handled.load(), held.is_finished()), (1, false));
        net.network.cut("S1", "S0");
        net.network.release();
        assert_eq!(held.join(), Ok(Ok(1)));
    });
}

#[test]
fn report_names_handlers_and_lines_that_are_busy_with_calls() {
    let simulation = Simulation::new(1).policy(Policy::Random).time_limit(Duration::from_secs(10));
    let outcome = simulation.run(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("S1", "S0");
        let slow = end.clone();
        spawn(move || wait(&slow, 1_000_000));
        loop {
            _ = end.call::<_, u64>("Test.Wait", &0_u64);
        }
    });
    let failure = outcome.result.expect_err("it never ends");
    let waits = failure.waits.join("\n");
    let handler = ", which handles Test.Wait for S1, waits for the end of a sleep at ";
    assert!(waits.contains(handler), "{waits}");
    let [busy] = &failure.busy_calls[..] else { panic!("{:?}", failure.busy_calls) };
    assert!(busy.starts_with("S1 calls Test.Wait of S0 "), "{busy}");
    assert!(busy.contains(file!()), "{busy}");
}
