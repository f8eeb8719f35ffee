//! Clients that write at the same time share a sync, and none of them is told too early.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use labrpc::{JoinHandle, sleep, spawn};
use pbservice::{Recovered, SNAPSHOT_EVERY, Table};
use testkit::{KvClerk, LabTest, Sim, item};

use crate::cluster::PbCluster;

/// A server that is alone: whatever it acknowledges is on its own disk.
fn one_server(sim: &Sim, snapshot_every: u64) -> PbCluster {
    let cluster = PbCluster::named(sim, "S", 1, snapshot_every);
    cluster.connect_all();
    cluster.primary();
    cluster
}

/// A hundred clients at once need a few syncs, not a hundred.
#[test]
fn group_commit() {
    const CLIENTS: u64 = 100;
    /// Appends to the file, and syncs of it.
    const FEW: u64 = 20;
    let test = LabTest::new("group_commit").simulation_only();
    test.run(|sim| {
        let cluster = one_server(sim, SNAPSHOT_EVERY);
        let mut clerks: Vec<KvClerk> = (0..CLIENTS).map(|_| cluster.client()).collect();
        let put = |clerk: &mut KvClerk| {
            let key = clerk.client().name().to_string();
            clerk.put(&key, "1");
        };
        put(&mut clerks[0]); // There is a primary, which serves.
        let before = cluster.disk(0).operations();
        let start = |mut clerk: KvClerk| spawn(move || put(&mut clerk));
        let puts: Vec<JoinHandle<()>> = clerks.into_iter().map(start).collect();
        puts.into_iter().for_each(|put| cluster.await_end("a put", put));
        let operations = cluster.disk(0).operations() - before;
        if operations > FEW {
            let actual = format!("{operations} operations of the disk for {CLIENTS} puts");
            let property = "clients that write at the same time share a sync";
            cluster.sim().violated_by(cluster.culprit(0), property, actual);
        }
        let on_disk = after_power_failure(&cluster).pairs.len() as u64;
        if on_disk < CLIENTS {
            let actual = format!("{CLIENTS} puts acknowledged, {on_disk} there");
            cluster.sim().violated_by(
                cluster.culprit(0),
                "what is acknowledged is on the disk",
                actual,
            );
        }
        cluster.history().check();
    });
}

/// A client that was told that its record is durable finds it, whenever the power fails; also while
/// the log is being replaced by a shorter one.
#[test]
fn nobody_is_told_too_early() {
    const CLIENTS: u64 = 5;
    const ITEMS: u64 = 20;
    let test = LabTest::new("nobody_is_told_too_early").simulation_only();
    test.run(|sim| {
        let cluster = one_server(sim, 3);
        let acknowledged: Arc<[AtomicU64]> = (0..CLIENTS).map(|_| AtomicU64::new(0)).collect();
        let start = |number: u64| {
            let (mut clerk, acknowledged) = (cluster.client(), Arc::clone(&acknowledged));
            spawn(move || {
                for count in 0..ITEMS {
                    clerk.append(&number.to_string(), &item(number, count));
                    acknowledged[number as usize].store(count + 1, Relaxed);
                }
            })
        };
        let clients: Vec<JoinHandle<()>> = (0..CLIENTS).map(start).collect();
        while !clients.iter().all(JoinHandle::is_finished) {
            let counts: Vec<u64> = acknowledged.iter().map(|count| count.load(Relaxed)).collect();
            let table = after_power_failure(&cluster);
            for (client, count) in (0..).zip(counts) {
                // Not `Value::as_str`: skeletons of earlier releases do not export the name.
                let value = table.pairs.get(&client.to_string()).map_or("", |value| value.as_str());
                check_first_items(&cluster, value, client, count);
            }
            sleep(Duration::from_micros(100));
        }
        cluster.history().check();
    });
}

/// The table that a power failure at this moment would leave, though none happens.
fn after_power_failure(cluster: &PbCluster) -> Table {
    let Recovered { snapshot, records, .. } = cluster.after_power_failure().swap_remove(0);
    let mut table = snapshot.table;
    records.iter().for_each(|record| table.apply(record));
    table
}

/// A value holds the first items of a client, at least so many, and nothing else.
fn check_first_items(cluster: &PbCluster, value: &str, client: u64, at_least: u64) {
    let count = value.matches('x').count() as u64;
    if count < at_least {
        let actual = format!("{at_least} items \"x {client} ..\" acknowledged, {count} there");
        cluster.sim().violated_by(
            cluster.culprit(0),
            "what is acknowledged is on the disk",
            actual,
        );
    }
    cluster.check_appends(value, &[(client, count)]);
}
