//! Who becomes primary, and what becomes of records that an old primary did not get acknowledged.

use std::net::SocketAddr;
use std::time::Duration;

use labrpc::{JoinHandle, sleep, spawn};
use pbservice::{Epoch, Version, choose};
use testkit::{Client, Culprit, LabTest, Sim, lab_test, poll};

use crate::cluster::{FAILOVER, PbCluster, TIME_TO_SYNC, address};

/// Highest version, then lowest address, compared as numbers.
#[test]
fn election_rule() {
    lab_test("election_rule", check_rule);
}

/// Goes through a table.
fn check_rule(sim: &Sim) {
    let server = |address: &str, order, epoch| {
        (address.parse::<SocketAddr>().expect("it is one"), Version { epoch, order })
    };
    let [a, b, c] = ["10.0.0.9:7000", "10.0.0.10:7000", "10.0.0.10:10000"];
    for (servers, expected) in [
        (vec![server(a, 0, 0)], a),
        // The same version: the lowest address, and 9 is lower than 10.
        (vec![server(c, 3, 1), server(b, 3, 1), server(a, 3, 1)], a),
        // The same IP: the lowest port, and 7000 is lower than 10000.
        (vec![server(c, 3, 1), server(b, 3, 1)], b),
        // The same epoch: the longest log.
        (vec![server(a, 3, 1), server(b, 4, 1), server(c, 4, 1)], b),
        (vec![server(a, 9, 1), server(b, 10, 1)], b),
        // The epoch of the last record comes before its order.
        (vec![server(a, 100, 1), server(b, 2, 2), server(c, 1, 2)], b),
        (vec![server(a, 0, 0), server(b, 1, 1), server(c, 1, 3)], c),
        (vec![server("[::1]:1", 1, 1), server(c, 1, 1)], c),
    ] {
        let (chosen, expected) = (choose(servers.iter().copied()), expected.parse().ok());
        if chosen != expected {
            let property = "the highest version is chosen, and among equal ones the lowest address";
            sim.violated(property, format!("{chosen:?}, not {expected:?}, of {servers:?}"));
        }
    }
    if let Some(chosen) = choose([]) {
        sim.violated("of no servers none is chosen", chosen.to_string());
    }
}

/// A primary dies with records in its log that it could not copy. When it returns, it is a backup,
/// these records go, and all logs are equal.
#[test]
fn old_primary_returns() {
    let test = LabTest::new("old_primary_returns").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        let old = cluster.primary();
        cluster.await_equal_logs();
        let log = cluster.status(old).and_then(|status| status.version).expect("it is up");

        // It takes some puts and can copy none of them.
        cluster.isolate(&[old]);
        let lonely: Vec<(JoinHandle<()>, Client)> = (1..4)
            .map(|number| {
                let (mut clerk, client) = cluster.client_of(&[old]);
                (spawn(move || clerk.put("x", &format!("lonely {number}"))), client)
            })
            .collect();
        let goal = log.order + 3;
        cluster.await_on_disk(old, goal);
        cluster.bring_down(old);

        let new = cluster.primary_among(&cluster.others(&[old]));
        clerk.put("x", "2");
        cluster.servers().heal();
        cluster.restart(old);
        cluster.await_equal_logs();
        let status = cluster.status(old).expect("it is up");
        if status.is_primary || status.primary != Some(address(new)) {
            let property = "an old primary that returns becomes a backup";
            sim.violated_by(cluster.culprit(old), property, cluster.lines());
        }
        if let Some((_, client)) = lonely.iter().find(|(put, _)| put.is_finished()) {
            let culprit = cluster.history().last_call(client);
            let property = "what one server has is not acknowledged";
            sim.violated_by(culprit, property, "a put returned");
        }
        cluster.check_value(&mut clerk, "x", "2");
        cluster.history().check();
    });
}

/// Four servers that reach each other have a primary, though the server with the highest version is
/// in sight of one of them, which is the very one that the others would choose.
#[test]
fn chosen_server_linked_to_one_only() {
    let test = LabTest::new("chosen_server_linked_to_one_only").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        cluster.client().put("x", "1");
        let highest = cluster.primary();
        let others = cluster.others(&[highest]);
        cluster.await_equal_logs();
        let log = cluster.version_on_disk(highest);

        // The primary alone takes a put, and then all die by `kill -9`, which leaves them what they
        // have written: its log is longer than the others'.
        cluster.all().for_each(|server| cluster.servers().disconnect(server));
        let (mut lonely, client) = cluster.client_of(&[highest]);
        let put = spawn(move || lonely.put("x", "lonely"));
        cluster.await_on_disk(highest, log.order + 1);
        cluster.all().for_each(|server| cluster.kill(server));
        let versions = others.iter().map(|&server| cluster.version_on_disk(server));
        assert_eq!(versions.collect::<Vec<_>>(), [log; 4], "they have heard of no put");

        // They return. Of the four, whose versions are equal, the first has the lowest address.
        cluster.isolate(&[highest]);
        cluster.link(highest, others[0]);
        cluster.servers().start_all();
        let (mut clerk, _) = cluster.client_of(&others);
        let served = spawn(move || clerk.put("x", "2"));
        cluster.await_end_within(4 * FAILOVER, "a put among four of five", served);
        if put.is_finished() {
            let culprit = cluster.history().last_call(&client);
            let property = "what one server has is not acknowledged";
            sim.violated_by(culprit, property, "the lonely put returned");
        }

        cluster.servers().heal();
        cluster.await_equal_logs();
        cluster.check_value(&mut cluster.client(), "x", "2");
        cluster.history().check();
    });
}

/// Who promises has that on disk before it counts: when a server becomes primary a majority has its
/// epoch there. And soon all have it, whether they were asked or have begun the epoch.
#[test]
fn promises_are_on_disk() {
    /// Many, since the disk is but a moment behind where nobody waits for it.
    const ELECTIONS: u64 = 16;
    let test = LabTest::new("promises_are_on_disk").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        let (mut primary, mut epoch) = await_office(&cluster, 0);
        for number in 0..ELECTIONS {
            // So that the other three have to promise.
            let down = [primary, cluster.others(&[primary])[0]];
            down.iter().for_each(|&server| cluster.crash(server));
            (primary, epoch) = await_office(&cluster, epoch);
            let promises = cluster.promises_on_disk();
            if promises.iter().filter(|&&promise| promise >= epoch).count() < 3 {
                let actual = format!("S{primary} is primary of {epoch}, on disk are {promises:?}");
                let culprit = Culprit { term: Some(epoch), ..Culprit::default() };
                let property = "a majority has promised on disk before there is a primary";
                sim.violated_by(culprit, property, actual);
            }
            down.iter().for_each(|&server| cluster.restart(server));
            clerk.put("x", &number.to_string());
            cluster.await_equal_logs();
            let statuses = cluster.statuses();
            sleep(TIME_TO_SYNC);
            let promises = cluster.promises_on_disk();
            for (server, status) in statuses {
                let promise = promises[server];
                if promise < status.epoch {
                    let actual = format!("S{server} {status}, and {promise} on disk");
                    sim.violated_by(cluster.culprit(server), "a promise survives a crash", actual);
                }
            }
        }
    });
}

/// Waits until a server is primary in a later epoch than this, and returns both; looks very often
/// once a later epoch has begun.
#[track_caller]
fn await_office(cluster: &PbCluster, epoch: Epoch) -> (usize, Epoch) {
    // An epoch is noticed at once, so that the frequent looks begin before its election ends.
    poll(2 * FAILOVER, Duration::from_micros(100), || {
        cluster.all().filter_map(|server| cluster.status(server)).find(|s| s.epoch > epoch)
    });
    let in_office = || {
        // Without a look at the others when it is found: that would take time.
        let mut statuses =
            cluster.all().filter_map(|server| Some((server, cluster.status(server)?)));
        let (server, status) = statuses.find(|(_, s)| s.is_primary && s.epoch > epoch)?;
        Some((server, status.epoch))
    };
    poll(2 * FAILOVER, Duration::from_micros(20), in_office).unwrap_or_else(|| {
        cluster.sim().violated("a majority that is connected has a primary soon", cluster.lines())
    })
}

/// Two servers have an acknowledged put and reach only a third one, which does not have it, and
/// which a fourth one would make primary. They promise it nothing, though it may be the best that
/// is left to stand.
///
/// ```text
///    old     dead; it has copied the put to C and D
///    A - B   without the put
///    A - C   with it
///    A - D   with it
/// ```
#[test]
fn nothing_is_promised_to_an_older_log() {
    /// Time for some ten elections.
    const TIME: Duration = Duration::from_secs(20);
    let test = LabTest::new("nothing_is_promised_to_an_older_log").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        cluster.await_equal_logs();
        let old = cluster.primary();
        let [a, b, c, d] = cluster.others(&[old])[..] else { unreachable!("four of five") };
        cluster.isolate(&[a, b]);
        clerk.put("x", "2");
        cluster.crash(old);
        cluster.servers().partition(&[&[a, b], &[c], &[d]]);
        [c, d].iter().for_each(|&server| cluster.link(a, server));
        sim.sleep(TIME);
        cluster.connect_all();
        let value = clerk.get("x");
        if value != "2" {
            let actual = format!("Get(x): {value:?}, after a put of \"2\" had returned");
            sim.violated("what was acknowledged is not lost", actual);
        }
        cluster.await_equal_logs();
        cluster.history().check();
    });
}
