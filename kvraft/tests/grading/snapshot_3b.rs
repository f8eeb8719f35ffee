//! Part 3B: the key/value service with snapshots.

use testkit::{ELECTION_TIMEOUT, KvClerk, lab_test};

use crate::cluster::KvCluster;
use crate::service_3a::check_speed;
use crate::workload::{LOG_FACTOR, Workload};

/// Near which size of the Raft state servers take snapshots.
const MAX_RAFT_STATE: usize = 1_000;
/// What no server's Raft state may exceed.
const LOG_LIMIT: usize = LOG_FACTOR * MAX_RAFT_STATE;
/// What no snapshot of one key and one client may exceed. Half of the course's limit, as our codec
/// names no fields. A history of the writes would take several thousand bytes.
const SNAPSHOT_LIMIT: usize = 250;

/// A workload with snapshots.
fn with_snapshots() -> Workload {
    Workload { max_raft_state: Some(MAX_RAFT_STATE), ..Workload::default() }
}

/// A server that lags catches up by a snapshot, and one that cannot be reached does not keep the
/// others from shortening their logs.
#[test]
fn snapshot_rpc_3b() {
    lab_test("snapshot_rpc_3b", |sim| {
        let cluster = KvCluster::start(sim, 3, Some(MAX_RAFT_STATE));
        let mut clerk = cluster.client();
        clerk.put("a", "A");
        cluster.check_value(&mut clerk, "a", "A");

        // A bunch of puts into the majority partition.
        cluster.partition(&[0, 1], &[2]);
        let (mut first, _) = cluster.client_of(&[0, 1]);
        for i in 0..50 {
            first.put(&i.to_string(), &i.to_string());
        }
        sim.sleep(ELECTION_TIMEOUT);
        first.put("b", "B");
        cluster.check_log_size(LOG_LIMIT);

        // Now make a group that needs a server that lags.
        cluster.partition(&[0, 2], &[1]);
        let (mut second, _) = cluster.client_of(&[0, 2]);
        second.put("c", "C");
        second.put("d", "D");
        for (key, value) in [("a", "A"), ("b", "B")] {
            cluster.check_value(&mut second, key, value);
        }
        let check_all = |clerk: &mut KvClerk| {
            for i in 0..50 {
                cluster.check_value(clerk, &i.to_string(), &i.to_string());
            }
        };
        check_all(&mut second);

        // Now everybody.
        cluster.partition(&[0, 1, 2], &[]);
        second.put("e", "E");
        for (key, value) in [("c", "C"), ("e", "E"), ("1", "1")] {
            cluster.check_value(&mut second, key, value);
        }
        check_all(&mut clerk);
        cluster.check_log_size(LOG_LIMIT);
        cluster.history().check();
    });
}

/// Neither log nor snapshot grows when one key is written again and again.
#[test]
fn snapshot_size_3b() {
    lab_test("snapshot_size_3b", |sim| {
        let cluster = KvCluster::start(sim, 3, Some(MAX_RAFT_STATE));
        let mut clerk = cluster.client();
        for _ in 0..400 {
            for value in ["0", "1"] {
                clerk.put("x", value);
                cluster.check_value(&mut clerk, "x", value);
            }
        }
        cluster.check_log_size(LOG_LIMIT);
        cluster.check_snapshot_size(SNAPSHOT_LIMIT);
        cluster.history().check();
    });
}

/// Taking snapshots does not hold calls up.
#[test]
fn speed_3b() {
    lab_test("speed_3b", |sim| check_speed(sim, Some(MAX_RAFT_STATE)));
}

/// What is in a snapshot survives when all servers go down.
#[test]
fn snapshot_recover_3b() {
    lab_test("snapshot_recover_3b", |sim| {
        Workload { crash: true, calls: 11_900, ..with_snapshots() }.run(sim);
    });
}

/// The same with many clients.
#[test]
fn snapshot_recover_many_clients_3b() {
    lab_test("snapshot_recover_many_clients_3b", |sim| {
        Workload { clients: 20, crash: true, calls: 14_000, ..with_snapshots() }.run(sim);
    });
}

/// Snapshots travel over a bad network.
#[test]
fn snapshot_unreliable_3b() {
    lab_test("snapshot_unreliable_3b", |sim| {
        Workload { clients: 5, unreliable: true, calls: 1_200, ..with_snapshots() }.run(sim);
    });
}

/// A bad network, and all servers go down.
#[test]
fn snapshot_unreliable_recover_3b() {
    lab_test("snapshot_unreliable_recover_3b", |sim| {
        Workload { clients: 5, unreliable: true, crash: true, calls: 1_200, ..with_snapshots() }
            .run(sim);
    });
}

/// The servers are split again and again, too.
#[test]
fn snapshot_unreliable_recover_concurrent_partition_3b() {
    lab_test("snapshot_unreliable_recover_concurrent_partition_3b", |sim| {
        let workload = Workload { clients: 5, unreliable: true, calls: 900, ..with_snapshots() };
        Workload { crash: true, partitions: true, ..workload }.run(sim);
    });
}

/// All of that at once, with many clients that use the same keys.
#[test]
fn snapshot_unreliable_recover_concurrent_partition_linearizable_3b() {
    lab_test("snapshot_unreliable_recover_concurrent_partition_linearizable_3b", |sim| {
        let workload = Workload {
            clients: 15,
            servers: 7,
            shared_keys: true,
            calls: 1_700,
            ..with_snapshots()
        };
        Workload { unreliable: true, crash: true, partitions: true, ..workload }.run(sim);
    });
}
