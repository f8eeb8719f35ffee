//! Partitions, one-way links, and ends that are deleted.

use std::time::Duration;

use labrpc::{RpcError, sleep, spawn};

use crate::{TestNetwork, simulate, wait};

/// Which of the five servers can call which: a row for each caller, `x` for each server reached.
fn reach(net: &TestNetwork, ends: &[(usize, usize, labrpc::ClientEnd)]) -> String {
    let calls: Vec<_> = ends
        .iter()
        .map(|(from, _, end)| {
            let (from, end) = (*from, end.clone());
            (from, spawn(move || wait(&end, 0).is_ok()))
        })
        .collect();
    assert!(net.network.is_reliable());
    let mut rows = vec![String::new(); 5];
    for (from, call) in calls {
        rows[from].push(if call.join().expect("no task is killed") { 'x' } else { '.' });
    }
    rows.join(" ")
}

/// Five servers, and an end from each to each.
fn five() -> (TestNetwork, Vec<(usize, usize, labrpc::ClientEnd)>) {
    let names = ["S0", "S1", "S2", "S3", "S4"];
    let net = TestNetwork::new(&names);
    let pairs = (0..5).flat_map(|from| (0..5).map(move |to| (from, to)));
    let ends = pairs.map(|(from, to)| (from, to, net.end(names[from], names[to]))).collect();
    (net, ends)
}

/// Everybody reaches everybody.
const WHOLE: &str = "xxxxx xxxxx xxxxx xxxxx xxxxx";

#[test]
fn partition_separates_its_sides_and_heal_joins_them() {
    simulate(|| {
        let (net, ends) = five();
        assert_eq!(reach(&net, &ends), WHOLE);
        net.network.partition(&[&["S0", "S1"], &["S2", "S3", "S4"]]);
        assert_eq!(reach(&net, &ends), "xx... xx... ..xxx ..xxx ..xxx");
        net.network.partition(&[&["S0", "S2"], &["S1"]]);
        // Servers on no side keep their links, cut ones included.
        assert_eq!(reach(&net, &ends), "x.x.. .x... x.xxx ..xxx ..xxx");
        net.network.heal();
        assert_eq!(reach(&net, &ends), WHOLE);
    });
}

#[test]
fn link_is_cut_and_mended_one_way() {
    simulate(|| {
        let (net, ends) = five();
        net.network.cut("S1", "S3");
        assert_eq!(reach(&net, &ends), "xxxxx xxx.x xxxxx xxxxx xxxxx");
        net.network.cut("S3", "S1");
        net.network.mend("S1", "S3");
        assert_eq!(reach(&net, &ends), "xxxxx xxxxx xxxxx x.xxx xxxxx");
        net.network.mend("S3", "S1");
        assert_eq!(reach(&net, &ends), WHOLE);
    });
}

#[test]
fn ends_without_an_owner_are_on_no_side() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.network.make_end("outside");
        net.network.connect("outside", "S0");
        net.network.enable("outside");
        net.network.partition(&[&["S0"], &["S1"]]);
        assert_eq!(wait(&end, 0), Ok(0));
    });
}

#[test]
fn heal_leaves_disabled_ends_disabled() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        net.network.disable("client-S0");
        net.network.heal();
        assert_eq!(wait(&end, 0), Err(RpcError::Lost));
    });
}

#[test]
fn request_in_flight_at_a_cut_does_not_arrive() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        for _ in 0..100 {
            let calling = end.clone();
            let call = spawn(move || wait(&calling, 0));
            // It takes the request at least 100 us to arrive.
            sleep(Duration::from_micros(50));
            net.network.cut("client", "S0");
            assert_eq!(call.join(), Ok(Err(RpcError::Lost)));
            net.network.mend("client", "S0");
        }
        assert_eq!(net.handled.load(), 0);
    });
}

#[test]
fn reply_in_flight_at_a_cut_does_not_arrive() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        let mut cut_off = 0;
        for _ in 0..200 {
            let (calling, handled) = (end.clone(), net.handled.load());
            let call = spawn(move || wait(&calling, 0));
            while net.handled.load() == handled {
                sleep(Duration::from_micros(10));
            }
            net.network.cut("client", "S0");
            cut_off += u32::from(call.join().unwrap().is_err());
            net.network.mend("client", "S0");
        }
        // Most handlers had not been stalled, and their replies were under way or about to be.
        assert!(cut_off > 150, "{cut_off} of 200");
    });
}

/// A reply that is held back is out of reach of later cuts, as in the course.
#[test]
fn reply_that_is_held_back_arrives_whatever_happens() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        net.network.set_long_reordering(true);
        let calls: Vec<_> = (0..100)
            .map(|_| {
                let end = end.clone();
                spawn(move || wait(&end, 0).is_ok())
            })
            .collect();
        sleep(Duration::from_millis(190));
        net.network.disable("client-S0");
        net.network.delete_server("S0");
        assert!(calls.into_iter().all(|call| call.join().unwrap()));
    });
}

#[test]
fn deleted_end_is_closed_for_good_and_its_name_is_free() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let old = net.end("client", "S0");
        net.network.delete_end("client-S0");
        assert_eq!(wait(&old, 0), Err(RpcError::Lost));
        let new = net.end("client", "S0");
        assert_eq!(wait(&new, 0), Ok(0));
        assert_eq!(wait(&old, 0), Err(RpcError::Lost));
    });
}
