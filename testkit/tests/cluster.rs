//! What a cluster promises to the tests that use it.
#![expect(clippy::unwrap_used, reason = "helpers of tests, in a crate of its own")]

use std::sync::Arc;
use std::time::Duration;

use labrpc::{AtomicU64, ClientEnd, RpcError, Service};
use testkit::{Boot, Cluster, Sim, StableStorage, Started, lab_test};

/// A server that counts calls, and saves the count if it is told to.
struct Counter {
    count: Arc<AtomicU64>,
    storage: StableStorage,
    ends: Vec<ClientEnd>,
}

impl Counter {
    /// Saves the count.
    fn save(&self) {
        self.storage.persister.save_raft_state(labrpc::encode(&self.count.load()));
    }
}

/// So many counters, all connected.
fn counters(sim: &Sim, servers: usize) -> Cluster<Counter> {
    let start = |boot: Boot| {
        let saved = boot.storage.persister.raft_state();
        let count = if saved.is_empty() { 0 } else { labrpc::decode(&saved).unwrap() };
        let count = Arc::new(AtomicU64::new(count));
        let counter = Arc::clone(&count);
        let service = Service::new("Counter").method("Add", move |n: u64| counter.fetch_add(n) + n);
        let handle = Counter { count, storage: boot.storage, ends: boot.ends };
        Started { handle, services: vec![service] }
    };
    let cluster = Cluster::new(sim, "S", servers, start, |_| {});
    cluster.start_all();
    cluster
}

/// Lets one server call another; what the other has counted then.
fn add(cluster: &Cluster<Counter>, from: usize, to: usize) -> Result<u64, RpcError> {
    cluster.call(from, move |counter| counter.ends[to].call("Counter.Add", &1_u64)).unwrap()
}

#[test]
fn disconnected_server_reaches_nobody_until_it_is_connected() {
    lab_test("disconnected_server_reaches_nobody_until_it_is_connected", |sim| {
        let cluster = counters(sim, 3);
        assert_eq!(add(&cluster, 0, 1), Ok(1));
        cluster.disconnect(1);
        assert!(cluster.isolated_since(1).is_some() && cluster.isolated_since(0).is_none());
        assert_eq!(add(&cluster, 0, 1), Err(RpcError::Lost));
        assert_eq!(add(&cluster, 1, 0), Err(RpcError::Lost));
        assert_eq!(add(&cluster, 0, 2), Ok(1));
        cluster.connect(1);
        assert_eq!(add(&cluster, 0, 1), Ok(2));
    });
}

#[test]
fn partitions_and_one_way_cuts_survive_reconnection() {
    lab_test("partitions_and_one_way_cuts_survive_reconnection", |sim| {
        let cluster = counters(sim, 3);
        cluster.partition(&[&[0, 1], &[2]]);
        cluster.disconnect(2);
        cluster.connect(2);
        assert_eq!(add(&cluster, 0, 2), Err(RpcError::Lost));
        assert_eq!(add(&cluster, 0, 1), Ok(1));
        cluster.heal();
        cluster.cut(0, 2);
        assert_eq!(add(&cluster, 0, 2), Err(RpcError::Lost));
        assert_eq!(add(&cluster, 2, 0), Ok(1));
        cluster.mend(0, 2);
        assert_eq!(add(&cluster, 0, 2), Ok(1));
    });
}

#[test]
fn restarted_server_has_what_it_saved_and_no_more() {
    lab_test("restarted_server_has_what_it_saved_and_no_more", |sim| {
        let cluster = counters(sim, 2);
        for take_down in [Cluster::crash, Cluster::kill, Cluster::shutdown] {
            add(&cluster, 0, 1).unwrap();
            cluster.call(1, Counter::save);
            add(&cluster, 0, 1).unwrap();
            take_down(&cluster, 1);
            assert!(!cluster.is_up(1));
            assert_eq!(cluster.call(1, |_| ()), None);
            cluster.start(1);
            assert_eq!(add(&cluster, 0, 1), Err(RpcError::Lost), "it is not connected");
            cluster.connect(1);
        }
        assert_eq!(cluster.incarnation(1), 4);
        assert_eq!(add(&cluster, 0, 1), Ok(4));
    });
}

#[test]
fn only_a_power_failure_takes_what_is_not_synced() {
    lab_test("only_a_power_failure_takes_what_is_not_synced", |sim| {
        let cluster = counters(sim, 1);
        let read = || cluster.storage(0).disk.read("log").unwrap().unwrap();
        let append = |bytes: &'static [u8], is_synced: bool| {
            cluster.call(0, move |counter| {
                counter.storage.disk.append("log", bytes).unwrap();
                if is_synced {
                    counter.storage.disk.sync("log").unwrap();
                }
            });
        };
        append(b"synced ", true);
        append(b"written", false);
        cluster.kill(0);
        assert_eq!(read(), b"synced written");
        cluster.start(0);
        let old = cluster.storage(0).copy();
        cluster.crash(0);
        assert!(read().starts_with(b"synced ") && read().len() <= 14, "{:?}", read());
        cluster.replace_storage(0, old);
        cluster.start(0);
        append(b" again", true);
        assert_eq!(read(), b"synced written again");
    });
}

#[test]
fn zombie_saves_in_vain() {
    lab_test("zombie_saves_in_vain", |sim| {
        let cluster = counters(sim, 1);
        cluster.spawn(0, |counter| {
            labrpc::sleep(Duration::from_secs(1));
            counter.count.fetch_add(7);
            counter.save();
            counter.storage.disk.append("log", b"late").unwrap();
        });
        sim.sleep(Duration::from_millis(1));
        cluster.shutdown(0);
        cluster.start(0);
        sim.sleep(Duration::from_secs(2));
        cluster.shutdown(0);
        assert_eq!(cluster.storage(0).persister.raft_state_size(), 0);
        assert_eq!(cluster.storage(0).disk.list().unwrap(), [""; 0]);
    });
}

#[test]
fn clients_are_apart_from_partitions() {
    lab_test("clients_are_apart_from_partitions", |sim| {
        let cluster = counters(sim, 2);
        let client = cluster.client();
        let ends = client.ends();
        cluster.partition(&[&[0], &[1]]);
        let add = |server: usize| ends[server].call::<u64, u64>("Counter.Add", &1);
        assert_eq!((add(0), add(1)), (Ok(1), Ok(1)));
        client.reach_only(&[1]);
        assert_eq!((add(0), add(1)), (Err(RpcError::Lost), Ok(2)));
        client.reach_all();
        cluster.crash(1);
        assert_eq!((add(0), add(1)), (Ok(2), Err(RpcError::Lost)));
        cluster.start(1);
        assert_eq!(add(1), Ok(1));
    });
}
