//! How often what is lost, measured from end to end.

use std::time::Duration;

use labrpc::Instant;

use crate::{TestNetwork, simulate, wait};

/// Calls by which each probability is judged.
const CALLS: u64 = 20_000;

/// Fails unless `hits` of [`CALLS`] is within five standard deviations of `probability`.
fn assert_rate(hits: u64, probability: f64) {
    let calls = CALLS as f64;
    let deviation = (calls * probability * (1.0 - probability)).sqrt();
    let off = (hits as f64 - calls * probability).abs();
    assert!(off < 5.0 * deviation, "{hits} of {CALLS} for probability {probability}");
}

/// A call succeeds with 0.9 * 0.9; the handler runs without a reply with 0.9 * 0.1.
#[test]
fn unreliable_network_answers_81_percent_and_handles_9_more() {
    let (answered, handled) = simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        net.network.set_reliable(false);
        let answered = (0..CALLS).filter(|_| wait(&end, 0).is_ok()).count() as u64;
        assert_eq!(net.network.total_rpcs(), CALLS, "lost calls count too");
        (answered, net.handled.load())
    });
    assert_rate(answered, 0.81);
    assert_rate(handled - answered, 0.09);
    assert_rate(CALLS - handled, 0.10);
}

#[test]
fn reliable_network_loses_nothing() {
    let (answered, handled) = simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        let answered = (0..CALLS).filter(|_| wait(&end, 0).is_ok()).count() as u64;
        (answered, net.handled.load())
    });
    assert_eq!((answered, handled), (CALLS, CALLS));
}

#[test]
fn long_reordering_holds_two_replies_in_three_back() {
    let late = simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        net.network.set_long_reordering(true);
        let is_late = |_: &u64| {
            let start = Instant::now();
            assert_eq!(wait(&end, 0), Ok(0));
            let taken = start.elapsed();
            assert!(taken < Duration::from_millis(2_202), "{taken:?}");
            taken >= Duration::from_millis(200)
        };
        (0..CALLS).filter(is_late).count() as u64
    });
    assert_rate(late, 2.0 / 3.0);
}

/// Arguments count when they are sent, replies only when they arrive.
#[test]
fn bytes_of_lost_replies_do_not_count() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        net.network.set_reliable(false);
        let answered = (0..1_000).filter(|_| wait(&end, 7).is_ok()).count() as u64;
        // One byte for each number below 251.
        assert_eq!(net.network.total_bytes(), 1_000 + answered);
    });
}
