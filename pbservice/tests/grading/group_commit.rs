//! Clients that write at the same time share a sync, and none of them is told too early.

use std::time::Duration;

use labrpc::{JoinHandle, spawn};
use pbservice::{Recovered, SNAPSHOT_EVERY};
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
        let mut clerks: Vec<KvClerk> = (0..CLIENTS).map(|number| cluster.client(number)).collect();
        let put = |clerk: &mut KvClerk| clerk.put(&clerk.client().to_string(), "1");
        put(&mut clerks[0]); // There is a primary, which serves.
        let before = cluster.disk(0).operations();
        let start = |mut clerk: KvClerk| spawn(move || put(&mut clerk));
        let puts: Vec<JoinHandle<()>> = clerks.into_iter().map(start).collect();
        puts.into_iter().for_each(|put| cluster.await_end("a put", put));
        let operations = cluster.disk(0).operations() - before;
        if operations > FEW {
            let actual = format!("{operations} operations of the disk for {CLIENTS} puts");
            cluster.sim().violated("clients that write at the same time share a sync", actual);
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
        let start = |number: u64| {
            let (cluster, mut clerk) = (cluster.clone(), cluster.client(number));
            spawn(move || {
                for count in 0..ITEMS {
                    clerk.append(&number.to_string(), &item(number, count));
                    check_power_failure_now(&cluster, number, count + 1);
                }
            })
        };
        let clients: Vec<JoinHandle<()>> = (0..CLIENTS).map(start).collect();
        let limit = Duration::from_secs(60);
        for client in clients {
            cluster.await_end_within(limit, "a client", client);
        }
        cluster.history().check();
    });
}

/// Looks at what a power failure at this moment would leave, though none happens: all items that a
/// client knows to be in the log.
fn check_power_failure_now(cluster: &PbCluster, client: u64, count: u64) {
    let Recovered { snapshot, records, .. } = cluster.after_power_failure().swap_remove(0);
    let mut table = snapshot.table;
    records.iter().for_each(|record| table.apply(record));
    let value = table.pairs.remove(&client.to_string()).unwrap_or_default();
    cluster.check_appends(&value, &[(client, count)]);
}
