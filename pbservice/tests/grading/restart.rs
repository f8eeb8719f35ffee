//! What was acknowledged survives the death of all servers, a disk that fails, a log that rots.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use labrpc::{Disk, FaultDuration, JoinHandle, rng, sleep, spawn};
use pbservice::{Identity, Status, Storage, Version};
use rand::RngExt as _;
use testkit::{Culprit, KvClerk, LabTest, Sim, item};

use crate::cluster::{FAILOVER, PbCluster, SERVERS, TIME_TO_SYNC, address, last_of};
use crate::workload::append_all;

/// All five servers die at once and return, twice: every put that was acknowledged is there.
#[test]
fn restart_all() {
    const CLIENTS: u64 = 5;
    const ITEMS: u64 = 10;
    let test = LabTest::new("restart_all").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start_with(sim, 30);
        let mut clerk = cluster.client();
        for round in ["first", "second"] {
            append_all(&cluster, round, CLIENTS, ITEMS);
            cluster.bring_all_down();
            cluster.connect_all();
            for key in ["first", round] {
                let counts: Vec<(u64, u64)> = (0..CLIENTS).map(|client| (client, ITEMS)).collect();
                cluster.check_appends(&clerk.get(key), &counts);
            }
        }
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// All five servers lose their power at once, again and again, while clients are at work: every
/// append that was acknowledged is there exactly once.
#[test]
fn crash_with_clients_at_work() {
    const CLIENTS: u64 = 4;
    const CRASHES: u64 = 5;
    let test = LabTest::new("crash_with_clients_at_work").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start_with(sim, 30);
        let is_over = Arc::new(AtomicBool::new(false));
        let start = |number: u64| {
            let (clerk, is_over) = (cluster.client(), Arc::clone(&is_over));
            spawn(move || append_until(clerk, number, &is_over))
        };
        let clients: Vec<JoinHandle<u64>> = (0..CLIENTS).map(start).collect();
        for _ in 0..CRASHES {
            // In the middle of an election, or of many puts.
            sim.sleep(Duration::from_micros(rng().random_range(0..1_500_000)));
            cluster.all().for_each(|server| cluster.crash(server));
            cluster.connect_all();
        }
        // There is a primary again, and somebody has used it.
        let mut clerk = cluster.client();
        let first = spawn(move || {
            clerk.put("x", "");
            clerk
        });
        let what = "the first put after the power had failed";
        let mut clerk = cluster.await_end_within(4 * FAILOVER, what, first);
        is_over.store(true, Relaxed);
        for (client, at_work) in (0..).zip(clients) {
            let acknowledged = cluster.await_end("an append", at_work);
            let value = clerk.get(&client.to_string());
            cluster.check_appends(&value, &[(client, acknowledged)]);
        }
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// Appends to the client's own key, without a pause. Returns how many appends were acknowledged.
fn append_until(mut clerk: KvClerk, client: u64, is_over: &AtomicBool) -> u64 {
    let mut number = 0;
    while !is_over.load(Relaxed) {
        clerk.append(&client.to_string(), &item(client, number));
        number += 1;
    }
    number
}

/// At every moment, what the primary calls committed is on the disks of a majority.
#[test]
fn committed_is_on_the_disks_of_a_majority() {
    let test = LabTest::new("committed_is_on_the_disks_of_a_majority").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        let at_work = spawn(move || (0..40).for_each(|number| clerk.append("x", &item(0, number))));
        let primary = cluster.primary();
        while !at_work.is_finished() {
            let Some(Status { is_primary: true, committed, .. }) = cluster.status(primary) else {
                break; // Another one is; that happens.
            };
            let disks = cluster.after_power_failure();
            let logs: Vec<Version> = disks.iter().map(last_of).collect();
            if logs.iter().filter(|&&last| last >= committed).count() < 3 {
                let logs: Vec<String> = logs.iter().map(Version::to_string).collect();
                let logs = logs.join(", ");
                let actual = format!("S{primary} has committed {committed}, on disk are {logs}");
                let property = "what is committed is on the disks of a majority";
                // Not the primary: a backup may have told it what is not so.
                let Version { order, epoch } = committed;
                let (term, index) = (Some(epoch), Some(order));
                let culprit = Culprit { term, index, ..Culprit::default() };
                sim.violated_by(culprit, property, actual);
            }
            sleep(Duration::from_micros(50));
        }
    });
}

/// The disk fails at the k-th operation, for every k of a run, and then all servers lose their
/// power: what was acknowledged before is there when they return.
///
/// That one operation fails, or all from there on. The disk is that of a server that is alone,
/// where it is all that there is, or of the first of five, which is primary unless it fails too
/// soon.
#[test]
fn crash_at_every_write() {
    // Some 140 clusters, one after the other, each with an election or two.
    let limit = Duration::from_secs(3_600);
    let test = LabTest::new("crash_at_every_write").simulation_only().time_limit(limit);
    test.run(|sim| {
        for servers in [1, SERVERS] {
            let operations = fail_at(sim, servers, None);
            for k in 1..=operations {
                fail_at(sim, servers, Some((k, FaultDuration::Once)));
                fail_at(sim, servers, Some((k, FaultDuration::FromThenOn)));
            }
        }
    });
}

/// Appends a few items while the disk of the first server fails at its k-th operation, or does not,
/// and cuts the power after the last. Returns how many operations the disk has seen.
fn fail_at(sim: &Sim, servers: usize, fault: Option<(u64, FaultDuration)>) -> u64 {
    /// Enough for two snapshots.
    const ITEMS: u64 = 8;
    const SNAPSHOT_EVERY: u64 = 4;
    let what = match fault {
        None => format!("{servers} disks"),
        Some((k, FaultDuration::Once)) => {
            format!("operation {k} of the first of {servers} disks fails")
        }
        Some((k, FaultDuration::FromThenOn)) => {
            format!("operations {k} and on of the first of {servers} disks fail")
        }
    };
    let cluster = PbCluster::named(sim, &format!("{what}: S"), servers, SNAPSHOT_EVERY);
    if let Some((k, fault)) = fault {
        cluster.disk(0).fail_at(operations_to_open() + k, fault);
    }
    cluster.connect_all();
    let acknowledged = Arc::new(AtomicU64::new(0));
    let (mut clerk, count) = (cluster.client(), Arc::clone(&acknowledged));
    let at_work = spawn(move || {
        for number in 0..ITEMS {
            clerk.append("x", &item(0, number));
            count.store(number + 1, Relaxed);
        }
    });
    // A server that is alone does not return from a failure.
    cluster.wait_until(|| at_work.is_finished() || cluster.has_failed(0));
    sim.sleep(TIME_TO_SYNC);
    if fault.is_none() {
        // The disk may be behind, and all its operations are wanted.
        cluster.wait_until(|| cluster.open_disk(0).snapshot.last.order >= 2 * SNAPSHOT_EVERY);
    }
    let acknowledged = acknowledged.load(Relaxed);
    let operations = cluster.disk(0).operations() - operations_to_open();
    cluster.all().for_each(|server| cluster.crash(server));
    let snapshot = cluster.open_disk(0).snapshot.last.order;
    if fault.is_none() && snapshot < 2 * SNAPSHOT_EVERY {
        let actual = format!("snapshot up to {snapshot}, one is due every {SNAPSHOT_EVERY}");
        sim.violated_by(cluster.culprit(0), "snapshots are taken on the way", actual);
    }
    cluster.connect_all();
    let mut reader = cluster.client();
    let get = spawn(move || reader.get("x"));
    let first = "the first get after the power had failed";
    let value = cluster.await_end_within(4 * FAILOVER, first, get);
    let items = value.matches('x').count() as u64;
    if items < acknowledged {
        let property = "a read after a restart has all that was acknowledged, and nothing is lost";
        let actual = format!("{what}: {acknowledged} appends acknowledged, {items} there");
        sim.violated(property, actual);
    }
    cluster.check_appends(&value, &[(0, items)]);
    cluster.wait_until(|| at_work.is_finished());
    cluster.check_appends(&cluster.client().get("x"), &[(0, ITEMS)]);
    cluster.history().check();
    cluster.all().for_each(|server| cluster.crash(server));
    operations
}

/// How many operations of the disk it takes to make a new storage. Their failures are tested with
/// the storage.
fn operations_to_open() -> u64 {
    let disk = Disk::new();
    let identity = Identity { address: address(0), servers: [address(0)].into(), is_new: true };
    Storage::open(disk.clone(), &identity).expect("nothing fails here");
    disk.operations()
}

/// A server whose log has rotted does not count: with two others it is no majority. When there is a
/// primary, it gets everything, and counts again.
#[test]
fn damaged_server_is_repaired() {
    let test = LabTest::new("damaged_server_is_repaired").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        for number in 0..10 {
            clerk.append("x", &item(0, number));
        }
        cluster.await_equal_logs();
        // What was just written and rots before anything else is written looks as if it had been
        // lost with the power. A server that is idle writes a mark.
        sim.sleep(FAILOVER);
        cluster.bring_all_down();
        cluster.rot(0);

        // Two sound servers and the damaged one.
        (0..3).for_each(|server| cluster.restart(server));
        let get = spawn(move || (clerk.get("x"), clerk));
        sim.sleep(2 * FAILOVER);
        let status = cluster.status(0).expect("it is up");
        if get.is_finished() || status.version.is_some() || status.is_primary {
            let actual = format!("S0 is damaged, S3 and S4 are down: {}", cluster.lines());
            sim.violated_by(
                cluster.culprit(0),
                "a server whose log is corrupt does not count",
                actual,
            );
        }

        // With a third sound server there is a primary, which repairs the damaged one.
        cluster.restart(3);
        let (value, mut clerk) = cluster.await_end("the get", get);
        cluster.check_appends(&value, &[(0, 10)]);
        cluster.await_equal_logs();

        // It counts.
        (1..3).for_each(|server| cluster.bring_down(server));
        cluster.restart(4);
        cluster.bring_down(3);
        cluster.restart(1);
        clerk.append("x", &item(0, 10));
        cluster.check_appends(&clerk.get("x"), &[(0, 11)]);
        cluster.history().check();
    });
}

/// A backup returns without records that it had acknowledged: its disk is an old copy. The primary
/// sends them once more, and not again and again what the backup cannot use.
#[test]
fn lost_acknowledged_records() {
    const PUTS: u64 = 20;
    /// Calls that this may take: a question or two, and every record by itself.
    const CALLS: u64 = PUTS + 20;
    let test = LabTest::new("lost_acknowledged_records").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.append("x", &item(0, 0));
        cluster.await_equal_logs();
        let backup = cluster.others(&[cluster.primary()])[0];
        let old = cluster.disk(backup).copy();
        for number in 1..PUTS {
            clerk.append("x", &item(0, number));
        }
        cluster.await_equal_logs();
        let calls_in_a_while = || {
            let before = sim.network().total_rpcs();
            sim.sleep(FAILOVER);
            sim.network().total_rpcs() - before
        };
        let usual = calls_in_a_while();

        cluster.bring_down(backup);
        cluster.set_disk(backup, old);
        cluster.restart(backup);
        let calls = calls_in_a_while();
        cluster.await_equal_logs();
        if calls > usual + CALLS {
            let actual = format!("{calls} calls in {FAILOVER:?}, {usual} when nothing is lost");
            sim.violated("a backup that has lost records gets them once", actual);
        }
        cluster.check_appends(&clerk.get("x"), &[(0, PUTS)]);
        cluster.history().check();
    });
}
