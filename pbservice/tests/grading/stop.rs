//! Servers that end: because they are asked to, or because their disk has failed.

use std::time::Duration;

use labrpc::{FaultDuration, spawn};
use pbservice::{PbServer, SNAPSHOT_EVERY};
use testkit::{LabTest, item, lab_test};

use crate::cluster::{FAILOVER, PbCluster};

/// When `stop` has returned, the server writes nothing more, whatever clients were waiting for.
#[test]
fn stopped_server_writes_nothing() {
    let test = LabTest::new("stopped_server_writes_nothing").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::named(sim, "S", 1, SNAPSHOT_EVERY);
        cluster.connect_all();
        cluster.client().append("x", &item(0, 0));
        for client in 1..4 {
            let mut clerk = cluster.client();
            spawn(move || (0..1_000).for_each(|number| clerk.append("x", &item(client, number))));
        }
        sim.sleep(Duration::from_millis(5)); // Appends are under way.
        cluster.servers().call(0, PbServer::stop);
        let before = cluster.disk(0).operations();
        sim.sleep(FAILOVER);
        let operations = cluster.disk(0).operations() - before;
        if operations > 0 {
            let actual = format!("{operations} operations of the disk afterwards");
            let property = "a server has written everything when `stop` returns";
            sim.violated_by(cluster.culprit(0), property, actual);
        }
    });
}

/// A put waits at the primary when its disk fails: the server says why it has ended, and another one
/// serves the put. A server whose disk works says nothing of the kind.
#[test]
fn failed_disk_sends_clients_on() {
    lab_test("failed_disk_sends_clients_on", |sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        cluster.await_equal_logs();
        let primary = cluster.primary();
        check_failed(&cluster, &[]);
        // The put is not done without the disk of the primary: its calls do not reach the others.
        cluster.mute(primary, &[]);
        cluster.disk(primary).fail_at(1, FaultDuration::FromThenOn);
        let put = spawn(move || {
            clerk.put("x", "2");
            clerk
        });
        let mut clerk = cluster.await_end("a put at a server whose disk has failed", put);
        check_failed(&cluster, &[primary]);
        cluster.check_value(&mut clerk, "x", "2");
        cluster.history().check();
    });
}

/// These servers have stopped their service because their disks have failed, and no others.
#[track_caller]
fn check_failed(cluster: &PbCluster, expected: &[usize]) {
    let failed: Vec<usize> = cluster.all().filter(|&server| cluster.has_failed(server)).collect();
    if failed != expected {
        let actual =
            format!("the disks of {expected:?} have failed, `failure` says so of {failed:?}");
        cluster.sim().violated("`failure` tells whether a server's disk has failed", actual);
    }
}
