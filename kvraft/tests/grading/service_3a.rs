//! Part 3A: the key/value service without snapshots.

use std::time::Duration;

use labrpc::{Instant, JoinHandle, sleep, spawn};
use testkit::{Client, ELECTION_TIMEOUT, Sim, item, lab_test, wait_until};

use crate::cluster::KvCluster;
use crate::workload::Workload;

/// How many calls the speed test makes.
const SPEED_CALLS: u64 = 1_000;
/// How long one of them may take: a third of the time between two heartbeats.
const SPEED_LIMIT: Duration = Duration::from_nanos(100_000_000 / 3);

/// One client reads what it wrote.
#[test]
fn basic_3a() {
    lab_test("basic_3a", |sim| Workload { calls: 2_400, ..Workload::default() }.run(sim));
}

/// Calls do not wait for the next heartbeat.
#[test]
fn speed_3a() {
    lab_test("speed_3a", |sim| check_speed(sim, None));
}

/// One client's calls, one after the other, take a third of a heartbeat interval each, or less.
pub fn check_speed(sim: &Sim, max_raft_state: Option<usize>) {
    let cluster = KvCluster::start(sim, 3, max_raft_state);
    let mut clerk = cluster.client();
    clerk.get("x"); // Waits for a leader.
    let began = Instant::now();
    for number in 0..SPEED_CALLS {
        clerk.append("x", &item(0, number));
    }
    let per_call = began.elapsed() / SPEED_CALLS as u32;

    let value = clerk.get("x");
    cluster.check_appends(&value, &[(0, SPEED_CALLS)]);
    if per_call > SPEED_LIMIT {
        let actual =
            format!("operations completed too slowly {per_call:?}/op > {SPEED_LIMIT:?}/op");
        cluster.sim().violated("a call takes less than a third of a heartbeat interval", actual);
    }
    cluster.history().check();
}

/// Several clients, each with a key of its own.
#[test]
fn concurrent_3a() {
    lab_test("concurrent_3a", |sim| {
        Workload { clients: 5, calls: 4_000, ..Workload::default() }.run(sim);
    });
}

/// Lost requests and lost replies do not make a call take effect twice, or not at all.
#[test]
fn unreliable_3a() {
    lab_test("unreliable_3a", |sim| {
        Workload { clients: 5, unreliable: true, calls: 1_200, ..Workload::default() }.run(sim);
    });
}

/// Clients that append to the same key over a bad network do not lose each other's items.
#[test]
fn unreliable_one_key_3a() {
    const CLIENTS: u64 = 5;
    const ITEMS: u64 = 25;
    lab_test("unreliable_one_key_3a", |sim| {
        let cluster = KvCluster::start(sim, 3, None);
        sim.network().set_reliable(false);
        let mut clerk = cluster.client();
        clerk.put("k", "");

        let append_all = |client: u64| {
            let mut clerk = cluster.client();
            spawn(move || (0..ITEMS).for_each(|number| clerk.append("k", &item(client, number))))
        };
        let clients: Vec<JoinHandle<()>> = (0..CLIENTS).map(append_all).collect();
        clients.into_iter().for_each(|client| client.join().expect("nobody crashes the test"));

        let counts: Vec<(u64, u64)> = (0..CLIENTS).map(|client| (client, ITEMS)).collect();
        cluster.check_appends(&clerk.get("k"), &counts);
        cluster.history().check();
    });
}

/// The majority goes on without the minority, in which nothing succeeds, not even a read by its
/// leader; when the partition has healed everything succeeds.
#[test]
fn one_partition_3a() {
    lab_test("one_partition_3a", |sim| {
        let cluster = KvCluster::start(sim, 5, None);
        let mut clerk = cluster.client();
        clerk.put("1", "13");

        // Progress in the majority.
        let (majority, minority) = cluster.partition_with_leader_in_minority();
        let (mut in_majority, _) = cluster.client_of(&majority);
        let (mut writer, writer_client) = cluster.client_of(&minority);
        let (mut reader, reader_client) = cluster.client_of(&minority);
        in_majority.put("1", "14");
        cluster.check_value(&mut in_majority, "1", "14");

        // No progress in the minority.
        let put = spawn(move || writer.put("1", "15"));
        let get = spawn(move || reader.get("1"));
        sleep(ELECTION_TIMEOUT);
        if put.is_finished() || get.is_finished() {
            let (which, client) = match put.is_finished() {
                true => ("put", &writer_client),
                false => ("get", &reader_client),
            };
            let culprit = cluster.history().last_call(client);
            let actual = format!("{which} in minority completed");
            sim.violated_by(culprit, "nothing succeeds in a minority", actual);
        }
        cluster.check_value(&mut in_majority, "1", "14");
        for value in ["16", "17", "18", "19", "20"] {
            in_majority.put("1", value);
            cluster.check_value(&mut in_majority, "1", value);
        }

        // Completion after the partition has healed.
        cluster.connect_all();
        writer_client.reach_all();
        reader_client.reach_all();
        sleep(ELECTION_TIMEOUT);
        await_end(&cluster, "put", &put, &writer_client);
        await_end(&cluster, "get", &get, &reader_client);
        cluster.check_value(&mut clerk, "1", "15");
        cluster.history().check();
    });
}

/// A call that was stuck in a minority ends soon, now that the minority has joined the others.
fn await_end<T>(cluster: &KvCluster, what: &str, call: &JoinHandle<T>, client: &Client) {
    if !wait_until(3 * ELECTION_TIMEOUT, ELECTION_TIMEOUT / 100, || call.is_finished()) {
        let property = "a call that was stuck in a minority ends once the partition has healed";
        let culprit = cluster.history().last_call(client);
        cluster.sim().violated_by(culprit, property, format!("{what} did not complete"));
    }
}

/// One client, while the servers are split again and again.
#[test]
fn many_partitions_one_client_3a() {
    lab_test("many_partitions_one_client_3a", |sim| {
        Workload { partitions: true, calls: 2_000, ..Workload::default() }.run(sim);
    });
}

/// Several clients, while the servers are split again and again.
#[test]
fn many_partitions_many_clients_3a() {
    lab_test("many_partitions_many_clients_3a", |sim| {
        Workload { clients: 5, partitions: true, calls: 2_400, ..Workload::default() }.run(sim);
    });
}

/// What was written survives when all servers go down.
#[test]
fn persist_one_client_3a() {
    lab_test("persist_one_client_3a", |sim| {
        Workload { crash: true, calls: 2_200, ..Workload::default() }.run(sim);
    });
}

/// Several clients, and all servers go down.
#[test]
fn persist_concurrent_3a() {
    lab_test("persist_concurrent_3a", |sim| {
        Workload { clients: 5, crash: true, calls: 3_500, ..Workload::default() }.run(sim);
    });
}

/// Several clients over a bad network, and all servers go down.
#[test]
fn persist_concurrent_unreliable_3a() {
    lab_test("persist_concurrent_unreliable_3a", |sim| {
        Workload { clients: 5, unreliable: true, crash: true, calls: 1_200, ..Workload::default() }
            .run(sim);
    });
}

/// Several clients, the servers are split again and again, and then all go down.
#[test]
fn persist_partition_3a() {
    lab_test("persist_partition_3a", |sim| {
        Workload { clients: 5, crash: true, partitions: true, calls: 2_500, ..Workload::default() }
            .run(sim);
    });
}

/// The same over a bad network.
#[test]
fn persist_partition_unreliable_3a() {
    lab_test("persist_partition_unreliable_3a", |sim| {
        let workload = Workload {
            clients: 5,
            crash: true,
            partitions: true,
            calls: 900,
            ..Workload::default()
        };
        Workload { unreliable: true, ..workload }.run(sim);
    });
}

/// All of that at once, with many clients that use the same keys.
#[test]
fn persist_partition_unreliable_linearizable_3a() {
    lab_test("persist_partition_unreliable_linearizable_3a", |sim| {
        let workload = Workload {
            clients: 15,
            servers: 7,
            shared_keys: true,
            calls: 1_800,
            ..Workload::default()
        };
        Workload { unreliable: true, crash: true, partitions: true, ..workload }.run(sim);
    });
}
