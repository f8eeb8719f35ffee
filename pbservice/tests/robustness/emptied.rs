//! Emptied disks in a simulation, at any moment of anything else that happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use labrpc::{Disk, JoinHandle, rng, spawn};
use rand::RngExt as _;
use testkit::{KvClerk, LabTest, item};

use crate::cluster::{PbCluster, SERVERS};

/// One server after the other loses its disk, at a random moment, while others are cut off or lose
/// their power, and clients are at work: what they see is linearizable. The next server loses its
/// disk when the last one is repaired.
#[test]
fn emptied_disks_at_any_time() {
    const CLIENTS: u64 = 4;
    const ROUNDS: usize = 6;
    let test = LabTest::new("emptied_disks_at_any_time").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start_with(sim, 20);
        let is_over = Arc::new(AtomicBool::new(false));
        let start = |number: u64| {
            let (clerk, is_over) = (cluster.client(), Arc::clone(&is_over));
            spawn(move || write_until(clerk, number, &is_over))
        };
        let clients: Vec<JoinHandle<()>> = (0..CLIENTS).map(start).collect();
        for _ in 0..ROUNDS {
            let pause = || Duration::from_micros(rng().random_range(0..1_200_000));
            let server = rng().random_range(0..SERVERS);
            sim.sleep(pause());
            // It takes part in an election, perhaps, and its promise is forgotten.
            if rng().random_bool(0.5) {
                cluster.crash(cluster.primary());
                sim.sleep(pause() * 2);
            }
            if cluster.servers().is_up(server) {
                cluster.bring_down(server);
            }
            cluster.set_disk(server, Disk::new());
            if rng().random_bool(0.5) {
                let others = cluster.others(&[server]);
                let side = [others[rng().random_range(0..others.len())], server];
                cluster.isolate(&side);
            }
            cluster.servers().start(server);
            sim.sleep(pause());
            cluster.connect_all();
            cluster.wait_until(|| {
                cluster.status(server).is_some_and(|status| status.version.is_some())
            });
        }
        is_over.store(true, Relaxed);
        for client in clients {
            cluster.await_end("a client's last call", client);
        }
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// Writes and reads a few keys, without a pause.
fn write_until(mut clerk: KvClerk, client: u64, is_over: &AtomicBool) {
    for number in 0.. {
        if is_over.load(Relaxed) {
            return;
        }
        let key = rng().random_range(0..3_u32).to_string();
        match rng().random_range(0..3_u32) {
            0 => drop(clerk.get(&key)),
            1 => clerk.put(&key, &item(client, number)),
            _ => clerk.append(&key, &item(client, number)),
        }
    }
}

/// Two servers of three have a put. One of these two loses its disk: with the third one, which never
/// heard of the put, it is no majority.
#[test]
fn emptied_disk_is_no_majority() {
    let test = LabTest::new("emptied_disk_is_no_majority").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::named(sim, "S", 3, 100);
        cluster.connect_all();
        let mut clerk = cluster.client();
        clerk.put("x", "old");
        cluster.await_equal_logs();
        cluster.bring_down(2);
        clerk.put("x", "new");
        cluster.await_equal_logs();
        cluster.bring_all_down();
        cluster.set_disk(1, Disk::new());
        cluster.restart(1);
        cluster.restart(2);
        let get = spawn(move || (clerk.get("x"), clerk));
        sim.sleep(Duration::from_secs(10));
        if get.is_finished() || cluster.status(1).is_some_and(|status| status.version.is_some()) {
            cluster.sim().violated("an emptied server does not count", cluster.lines());
        }
        cluster.restart(0);
        let (value, _) = cluster.await_end("the get", get);
        if value != "new" {
            cluster.sim().violated("an emptied server does not count", format!("x is {value:?}"));
        }
        cluster.await_equal_logs();
        cluster.history().check();
    });
}
