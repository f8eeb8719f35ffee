//! A server that was away gets what it lacks, and not more.

use labrpc::{JoinHandle, spawn};
use testkit::LabTest;

use crate::cluster::PbCluster;

/// A backup misses 10 of 10 000 puts: it gets about 10 records, not the table.
#[test]
fn catch_up_missing_lines() {
    const CLIENTS: u64 = 100;
    const PUTS: u64 = 10_000;
    const MISSED: u64 = 10;
    /// Bytes on the network meanwhile: ten records, and checks and pings for a while. The table has
    /// twenty times as many.
    const LIMIT: u64 = 30_000;
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
        let before = sim.network().total_bytes();
        cluster.restart(away);
        cluster.await_equal_logs();
        let bytes = sim.network().total_bytes() - before;
        if bytes > LIMIT {
            let actual =
                format!("{bytes} bytes were sent after {MISSED} of {PUTS} puts were missed");
            cluster.fail("a server that returns gets the records that it lacks", actual);
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
    let test = LabTest::new("catch_up_by_snapshot").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start_with(sim, SNAPSHOT_EVERY);
        let mut clerk = cluster.client(0);
        clerk.put("before", "1");
        cluster.await_equal_logs();
        let away = cluster.others(&[cluster.primary()])[0];
        cluster.bring_down(away);
        let value = "v".repeat(VALUE);
        (0..KEYS).for_each(|key| clerk.put(&key.to_string(), &value));
        let before = sim.network().total_bytes();
        cluster.restart(away);
        cluster.await_equal_logs();
        let (bytes, table) = (sim.network().total_bytes() - before, KEYS * VALUE as u64);
        if bytes > 2 * table {
            let actual = format!("{bytes} bytes were sent for a table of {table}");
            cluster.fail("a snapshot is sent once", actual);
        }
        // The server that was away now has everything: with the next two it is a majority.
        for _ in 0..2 {
            let down = cluster.primary();
            if down != away {
                cluster.bring_down(down);
                cluster.primary_among(&cluster.others(&[down]));
            }
        }
        cluster.check_value(&mut clerk, "before", "1");
        cluster.check_value(&mut clerk, &(KEYS - 1).to_string(), &value);
        cluster.history().check();
    });
}
