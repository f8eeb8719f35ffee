//! Clients at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use labrpc::{Instant, JoinHandle, rng, sleep, spawn};
use rand::RngExt as _;
use testkit::{KvClerk, LabTest, item, mishap};

use crate::cluster::{PbCluster, SERVERS};

/// Lets so many clients append so many items each to one key, and waits until they have.
pub fn append_all(cluster: &PbCluster, key: &str, clients: u64, items: u64) {
    let start = |client: u64| {
        let (mut clerk, key) = (cluster.client(), key.to_string());
        spawn(move || (0..items).for_each(|number| clerk.append(&key, &item(client, number))))
    };
    let clients: Vec<JoinHandle<()>> = (0..clients).map(start).collect();
    clients.into_iter().for_each(|client| client.join().expect("nobody crashes the test"));
}

/// How long clients work while faults come and go.
const STORM: Duration = Duration::from_secs(12);
/// How many clients there are.
const CLIENTS: u64 = 10;
/// How many keys they share: few, so that they meet.
const KEYS: u64 = 4;

/// Ten clients, while messages are lost, servers are split, crash and return, and snapshots are
/// taken: every call takes effect once, between its start and its return.
#[test]
fn everything_linearizable() {
    LabTest::new("everything_linearizable").simulation_only().run(|sim| {
        let cluster = PbCluster::start_with(sim, 25);
        sim.network().set_reliable(false);
        let is_over = Arc::new(AtomicBool::new(false));
        let start = |number: u64| {
            let (clerk, is_over) = (cluster.client(), Arc::clone(&is_over));
            spawn(move || use_any_key(clerk, number, &is_over))
        };
        let clients: Vec<JoinHandle<()>> = (0..CLIENTS).map(start).collect();
        let began = Instant::now();
        while began.elapsed() < STORM {
            rage(&cluster);
            sleep(Duration::from_millis(rng().random_range(100..1_500)));
        }
        cluster.connect_all();
        is_over.store(true, Relaxed);
        for client in clients {
            cluster.await_end("a call", client);
        }
        sim.network().set_reliable(true);
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// Something happens to the servers. At most two of them are down at a time.
fn rage(cluster: &PbCluster) {
    let down: Vec<usize> =
        cluster.all().filter(|&server| !cluster.servers().is_up(server)).collect();
    let victim = rng().random_range(0..SERVERS as u64) as usize;
    match rng().random_range(0..6_u32) {
        0 => cluster.servers().partition_at_random(),
        1 => cluster.servers().heal(),
        2 | 3 if down.len() < 2 && !down.contains(&victim) => {
            if mishap() {
                cluster.bring_down(victim);
            }
        }
        _ => down.iter().for_each(|&server| cluster.restart(server)),
    }
}

/// A client at work: half of its calls append, some replace, and the rest read.
fn use_any_key(mut clerk: KvClerk, client: u64, is_over: &AtomicBool) {
    for number in 0.. {
        if is_over.load(Relaxed) {
            return;
        }
        let key = rng().random_range(0..KEYS).to_string();
        match rng().random_range(0..20_u32) {
            0 => clerk.put(&key, ""),
            1..=10 => clerk.append(&key, &item(client, number)),
            _ => drop(clerk.get(&key)),
        }
        sleep(Duration::from_millis(rng().random_range(0..300)));
    }
}
