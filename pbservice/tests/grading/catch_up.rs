//! A server that was away gets what it lacks, and not more.

use std::time::Duration;

use labrpc::{JoinHandle, sleep, spawn};
use testkit::{Culprit, LabTest, poll};

use crate::cluster::{FAILOVER, PbCluster};

/// A backup misses 10 of 10 000 puts: it gets about 10 records, not the table.
#[test]
fn catch_up_missing_lines() {
    const CLIENTS: u64 = 100;
    const PUTS: u64 = 10_000;
    const MISSED: u64 = 10;
    /// Bytes on the network meanwhile: ten records, and pings for a while. The table has a hundred
    /// times as many.
    const LIMIT: u64 = 5_000;
    let test = LabTest::new("catch_up_missing_lines").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let put_all = |client: u64| {
            let (mut clerk, _) = cluster.bare_client();
            spawn(move || {
                for number in 0..(PUTS - MISSED) / CLIENTS {
                    clerk.put(&format!("{client} {number}"), "some value of 32 bytes, as it were");
                }
            })
        };
        let clients: Vec<JoinHandle<()>> = (0..CLIENTS).map(put_all).collect();
        clients.into_iter().for_each(|client| client.join().expect("nobody crashes the test"));
        cluster.await_equal_logs();

        let away = cluster.others(&[cluster.primary()])[0];
        cluster.bring_down(away);
        let (mut clerk, _) = cluster.bare_client();
        (0..MISSED).for_each(|number| clerk.put(&format!("missed {number}"), "value"));
        sleep(FAILOVER); // Then no call from before still waits for its answer.
        let before = sim.network().total_bytes();
        cluster.restart(away);
        cluster.await_equal_logs();
        let bytes = sim.network().total_bytes() - before;
        if bytes > LIMIT {
            let actual =
                format!("{bytes} bytes were sent after {MISSED} of {PUTS} puts were missed");
            sim.violated("a server that returns gets the records that it lacks", actual);
        }

        check_is_needed(&cluster, away);
        for number in 0..MISSED {
            let key = format!("missed {number}");
            if clerk.get(&key).as_deref() != Some("value") {
                let actual = format!("Get({key:?}) at S{away}: {:?}", clerk.get(&key));
                let property = "a server that returns has what it had missed";
                sim.violated(property, actual);
            }
        }
        sim.set_commits(PUTS);
    });
}

/// A backup misses more than the primary keeps: it gets the snapshot once, and then records.
#[test]
fn catch_up_by_snapshot() {
    const KEYS: u64 = 300;
    /// Bytes of a value, so that the table is long.
    const VALUE: usize = 1_000;
    const SNAPSHOT_EVERY: u64 = 50;
    /// How many puts follow when the server is back.
    const MORE: u64 = 10;
    let test = LabTest::new("catch_up_by_snapshot").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start_with(sim, SNAPSHOT_EVERY);
        let mut clerk = cluster.client();
        clerk.put("before", "1");
        cluster.await_equal_logs();
        let away = cluster.others(&[cluster.primary()])[0];
        cluster.bring_down(away);
        let value = "v".repeat(VALUE);
        (0..KEYS).for_each(|key| clerk.put(&key.to_string(), &value));
        let table = KEYS * VALUE as u64;
        sleep(FAILOVER); // Then nothing is sent any more that was begun before the last puts.
        let before = sim.network().total_bytes();
        cluster.restart(away);
        cluster.await_equal_logs();
        let bytes = sim.network().total_bytes() - before;
        if !(table..2 * table).contains(&bytes) {
            let actual = format!("{bytes} bytes were sent for a table of {table}");
            sim.violated("a server that lacks more than the log has gets the table, once", actual);
        }

        let before = sim.network().total_bytes();
        (0..MORE).for_each(|number| clerk.put(&format!("after {number}"), "2"));
        cluster.await_equal_logs();
        sim.sleep(FAILOVER);
        let bytes = sim.network().total_bytes() - before;
        if bytes > table / 10 {
            let actual = format!("{bytes} bytes were sent for {MORE} puts, the table has {table}");
            sim.violated("a server that has got the snapshot gets records", actual);
        }

        check_is_needed(&cluster, away);
        cluster.check_value(&mut clerk, "before", "1");
        (0..KEYS).for_each(|key| cluster.check_value(&mut clerk, &key.to_string(), &value));
        for number in 0..MORE {
            cluster.check_value(&mut clerk, &format!("after {number}"), "2");
        }
        cluster.history().check();
    });
}

/// A long snapshot is on its way to a backup again and again: the link breaks, and the table changes
/// meanwhile; messages are lost; the primary dies, and the next one has a later table. The backup ends
/// up with the table of the last primary, not with parts of several.
#[test]
fn long_snapshot_on_a_broken_way() {
    /// Keys with long values: the table may well travel in several messages.
    const KEYS: u64 = 3;
    const VALUE: usize = 550_000;
    const SNAPSHOT_EVERY: u64 = 3;
    let test = LabTest::new("long_snapshot_on_a_broken_way").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start_with(sim, SNAPSHOT_EVERY);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        let away = cluster.others(&[cluster.primary()])[0];
        let mut letters = ["a", "b", "c", "d"].into_iter();
        // All that the backup lacks is part of a snapshot then.
        let mut replace_table = || {
            let value = letters.next().expect("there are enough").repeat(VALUE);
            (0..KEYS).for_each(|key| clerk.put(&key.to_string(), &value));
            (0..SNAPSHOT_EVERY + 2).for_each(|number| clerk.put("x", &number.to_string()));
            value
        };
        cluster.await_equal_logs();
        cluster.isolate(&[away]);
        replace_table();
        begin_to_send(&cluster);
        cluster.isolate(&[away]);
        replace_table();
        sim.sleep(FAILOVER); // Nothing is left of the attempt, but what has arrived.
        sim.network().set_reliable(false);
        cluster.servers().heal();
        sim.sleep(FAILOVER);
        sim.network().set_reliable(true);
        cluster.await_equal_logs();

        cluster.isolate(&[away]);
        replace_table();
        begin_to_send(&cluster);
        cluster.crash(cluster.primary());
        cluster.isolate(&[away]);
        let value = replace_table();
        cluster.connect_all();
        cluster.await_equal_logs();

        check_is_needed(&cluster, away);
        (0..KEYS).for_each(|key| cluster.check_value(&mut clerk, &key.to_string(), &value));
        cluster.history().check();
    });
}

/// Connects all servers, one of which lacks more than the primary keeps, until more than a megabyte is
/// on its way to that one.
fn begin_to_send(cluster: &PbCluster) {
    const BYTES: u64 = 1_500_000;
    let network = cluster.sim().network();
    let goal = network.total_bytes() + BYTES;
    cluster.servers().heal();
    poll(FAILOVER, Duration::from_micros(20), || (network.total_bytes() > goal).then_some(()));
}

/// Takes down the primary and one more server, so that a server that has caught up is one of three:
/// nothing goes on without it. Since it has all records, and the lowest address of the three, it is
/// the next primary, and what clients read from now on is in its own table.
#[track_caller]
fn check_is_needed(cluster: &PbCluster, caught_up: usize) {
    let (primary, mut down) = (cluster.primary(), cluster.others(&[caught_up]));
    down.sort_by_key(|&server| server != primary);
    down.truncate(2);
    down.iter().for_each(|&server| cluster.bring_down(server));
    let next = cluster.primary_among(&cluster.others(&down));
    if next != caught_up {
        let actual = format!("S{next} is primary, expected S{caught_up}: {}", cluster.lines());
        let property = "a server that has caught up has the highest version";
        let culprit = Culprit { term: Some(cluster.latest_epoch()), ..Culprit::default() };
        cluster.sim().violated_by(culprit, property, actual);
    }
}
