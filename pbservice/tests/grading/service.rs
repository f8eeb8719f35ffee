//! The lecture's own test cases: put and get, with a dead primary, and in a slow network.

use std::time::Duration;

use labrpc::{Instant, spawn};
use pbservice::{Operation, Record, Table, choose};
use testkit::{LabTest, item, lab_test, wait_until};

use crate::cluster::{FAILOVER, PbCluster, address};
use crate::workload::append_all;

/// Clients read what was written last, a missing key is told from an empty value, and every
/// backup's log has every put.
#[test]
fn put_get_tc01() {
    lab_test("put_get_tc01", |sim| {
        let cluster = PbCluster::start(sim);
        let (mut clerk, _) = cluster.bare_client();
        if let Some(value) = clerk.get("x") {
            sim.violated("a missing key has no value", format!("Get(\"x\"): {value:?}"));
        }
        clerk.put("x", "");
        if clerk.get("x").as_deref() != Some("") {
            sim.violated("an empty value is a value", format!("Get(\"x\"): {:?}", clerk.get("x")));
        }
        let mut clerk = cluster.client();
        for (key, value) in [("x", "1"), ("y", "2"), ("x", "3")] {
            clerk.put(key, value);
            cluster.check_value(&mut clerk, key, value);
        }
        clerk.append("y", "4");
        cluster.check_value(&mut clerk, "x", "3");
        cluster.check_value(&mut clerk, "y", "24");
        cluster.check_value(&mut clerk, "z", "");

        cluster.await_equal_logs();
        let primary = cluster.primary();
        let acknowledged = cluster.operations(primary).len();
        if acknowledged != 5 {
            let actual = format!("{acknowledged} operations in the log of S{primary}, not 5");
            sim.violated_by(cluster.culprit(primary), "the log has every operation once", actual);
        }
        cluster.history().check();
    });
}

/// The primary dies, and the next one too. Each time the server that the rule names serves soon,
/// and everything that was acknowledged is there.
#[test]
fn put_get_when_primary_is_dead_tc02() {
    let test = LabTest::new("put_get_when_primary_is_dead_tc02").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "");
        for number in 0..2 {
            let dead = cluster.primary();
            // So that nobody doubts whom the rule names.
            cluster.await_equal_logs();
            cluster.bring_down(dead);
            let statuses = cluster.statuses();
            let candidates = statuses.values().filter_map(|s| Some((s.address, s.version?)));
            let named = choose(candidates);

            let next = spawn(move || {
                clerk.append("x", &item(0, number));
                clerk
            });
            if !wait_until(FAILOVER, Duration::from_millis(10), || next.is_finished()) {
                let (primary, lines) = (cluster.who_is_primary(), cluster.lines());
                let actual = format!("S{dead} is dead, and {primary}: {lines}");
                sim.violated("service is back within three seconds", actual);
            }
            clerk = next.join().expect("nobody crashes the test");
            let primary = cluster.primary();
            if Some(address(primary)) != named {
                let actual = format!("S{primary} is primary, expected {named:?}: {statuses:?}");
                let property = "highest version, then lowest address";
                sim.violated_by(cluster.culprit(primary), property, actual);
            }
        }
        cluster.check_appends(&clerk.get("x"), &[(0, 2)]);
        cluster.history().check();
    });
}

/// Calls to a dead primary take seconds to fail. Another one serves within three all the same.
#[test]
fn dead_primary_where_calls_hang() {
    let test = LabTest::new("dead_primary_where_calls_hang").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        cluster.client().put("x", "1");
        cluster.await_equal_logs();
        let dead = cluster.primary();
        let others = cluster.others(&[dead]);
        sim.network().set_long_delays(true);
        cluster.crash(dead);
        // This waits for three seconds.
        cluster.primary_among(&others);
        // The client must not try the dead one first, and wait for that.
        sim.network().set_long_delays(false);
        cluster.client().put("x", "2");
        cluster.history().check();
    });
}

/// A slow network is not a dead primary: with long delays, with losses, and with replies that come
/// late and overtake each other, every put takes effect once, and primaries do not change again and
/// again.
#[test]
fn put_get_in_slow_network_tc03() {
    const CLIENTS: u64 = 3;
    const ITEMS: u64 = 10;
    /// What a put may take at the very most when one backup cannot be reached.
    const AT_ONCE: Duration = Duration::from_millis(500);
    /// For so long nobody does anything after the appends to each key.
    const QUIET: Duration = Duration::from_secs(5);
    /// How many epochs may begin in all three networks together. None does if a second of silence
    /// is taken for a death, and one now and then after half a second. Servers that lose patience
    /// after three pings do not stay below it.
    const EPOCHS: u64 = 3;
    lab_test("put_get_in_slow_network_tc03", |sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("long delays", "");
        let (primary, before) = (cluster.primary(), cluster.latest_epoch());
        let check_epochs = |trouble: &str| {
            let after = cluster.latest_epoch();
            if after - before > EPOCHS {
                let actual =
                    format!("epoch {before} before, {after} after {trouble}: no server died");
                sim.violated("a slow primary is not replaced again and again", actual);
            }
        };

        // Calls to one backup take seconds to fail. At first the primary does not know that.
        cluster.await_equal_logs();
        sim.network().set_long_delays(true);
        cluster.servers().disconnect(cluster.others(&[primary])[0]);
        let began = Instant::now();
        clerk.put("long delays", "");
        if began.elapsed() > AT_ONCE {
            let actual = format!("the first took {:?}, not {AT_ONCE:?} at most", began.elapsed());
            sim.violated("puts are fast while a backup cannot be reached", actual);
        }
        let began = Instant::now();
        append_all(&cluster, "long delays", CLIENTS, ITEMS);
        if began.elapsed() > FAILOVER {
            let (count, took) = (CLIENTS * ITEMS, began.elapsed());
            let actual = format!("{count} appends took {took:?}, not {FAILOVER:?} at most");
            sim.violated("puts are fast while a backup cannot be reached", actual);
        }
        sim.sleep(QUIET);
        cluster.connect_all();
        sim.network().set_long_delays(false);
        check_epochs("long delays");

        // Every link works, but requests take up to 26 ms, and one call in five fails.
        sim.network().set_reliable(false);
        append_all(&cluster, "losses", CLIENTS, ITEMS);
        sim.sleep(QUIET);
        sim.network().set_reliable(true);
        check_epochs("losses");

        // Every link works and loses nothing, but two replies in three take up to 2.2 s.
        sim.network().set_long_reordering(true);
        append_all(&cluster, "reordering", CLIENTS, ITEMS);
        sim.sleep(QUIET);
        sim.network().set_long_reordering(false);
        check_epochs("reordering");

        for key in ["long delays", "losses", "reordering"] {
            let counts: Vec<(u64, u64)> = (0..CLIENTS).map(|client| (client, ITEMS)).collect();
            cluster.check_appends(&clerk.get(key), &counts);
        }
        cluster.history().check();
    });
}

/// Clients resend appends while one primary after the other dies; each append is there once.
#[test]
fn exactly_once_over_failover() {
    const CLIENTS: u64 = 5;
    const ITEMS: u64 = 40;
    let test = LabTest::new("exactly_once_over_failover").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start_with(sim, 20);
        sim.network().set_reliable(false);
        let at_work = {
            let cluster = cluster.clone();
            spawn(move || append_all(&cluster, "k", CLIENTS, ITEMS))
        };
        while !at_work.is_finished() {
            sim.sleep(Duration::from_millis(500));
            let primary = cluster.primary();
            cluster.bring_down(primary);
            cluster.primary_among(&cluster.others(&[primary]));
            cluster.restart(primary);
        }
        at_work.join().expect("nobody crashes the test");
        sim.network().set_reliable(true);
        let counts: Vec<(u64, u64)> = (0..CLIENTS).map(|client| (client, ITEMS)).collect();
        cluster.check_appends(&cluster.client().get("k"), &counts);
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// A client does not hear that its append is done. It asks again when all servers have died and
/// returned, and have nothing of the append but a snapshot.
#[test]
fn exactly_once_over_snapshots() {
    const SNAPSHOT_EVERY: u64 = 10;
    /// Enough for some snapshots.
    const ITEMS: u64 = 30;
    let test = LabTest::new("exactly_once_over_snapshots").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start_with(sim, SNAPSHOT_EVERY);
        let mut clerk = cluster.client();
        clerk.append("x", &item(0, 0));
        cluster.await_equal_logs();
        let primary = cluster.primary();
        let last = cluster.version_on_disk(primary).order;
        // The primary cannot commit the append before its client has lost sight of it.
        cluster.isolate(&[primary]);
        let (mut unheard, client) = cluster.client_of(&[primary]);
        let append = spawn(move || unheard.append("x", &item(1, 0)));
        cluster.await_on_disk(primary, last + 1);
        client.reach_only(&[]);
        cluster.servers().heal();
        (1..ITEMS).for_each(|number| clerk.append("x", &item(0, number)));
        cluster.await_equal_logs();
        cluster.bring_all_down();
        cluster.connect_all();
        client.reach_all();
        cluster.await_end("the append", append);
        cluster.check_appends(&clerk.get("x"), &[(0, ITEMS), (1, 1)]);
        cluster.history().check();
    });
}

/// An operation that comes once more is recognised, also if the client's next one was done
/// meanwhile.
#[test]
fn late_repetitions() {
    lab_test("late_repetitions", |sim| {
        let mut table = Table::default();
        for sequence in 1..=3 {
            let operation = Operation::Append { key: "x".into(), value: sequence.to_string() };
            table.apply(&Record { order: sequence, epoch: 1, client: 7, sequence, operation });
            for number in 1..=sequence + 1 {
                if table.has_done(7, number) != (number <= sequence) {
                    let what =
                        if number <= sequence { "would be done again" } else { "is skipped" };
                    let actual = format!("after operation {sequence} of a client, {number} {what}");
                    sim.violated("every call takes effect exactly once", actual);
                }
            }
        }
        assert_eq!(table.pairs["x"].as_str(), "123");
    });
}
