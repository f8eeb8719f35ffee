//! Shards move over a network that delays messages and loses some.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use labrpc::{JoinHandle, rng, sleep, spawn};
use rand::RngExt as _;
use testkit::{KvClerk, lab_test};

use crate::cluster::ShardCluster;
use crate::data::{Appenders, Data, Pace, ms, random_string};

/// Near which size of the Raft state servers take snapshots.
const MAX_RAFT_STATE: usize = 100;

/// One client, and shards that move.
#[test]
fn unreliable1_4b() {
    lab_test("unreliable1_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(MAX_RAFT_STATE));
        sim.network().set_reliable(false);
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        let mut data = Data::put(&cluster, &mut clerk, 10, 5);

        cluster.join(&[1]);
        cluster.join(&[2]);
        cluster.leave(&[0]);
        data.check_and_append(&mut clerk, 5);
        data.check_and_append(&mut clerk, 5);
        cluster.join(&[0]);
        cluster.leave(&[1]);
        data.check(&mut clerk);
        data.check(&mut clerk);
        cluster.check_history();
    });
}

/// Many clients, each with a key of its own.
#[test]
fn unreliable2_4b() {
    lab_test("unreliable2_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(MAX_RAFT_STATE));
        sim.network().set_reliable(false);
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        let data = Data::put(&cluster, &mut clerk, 10, 5);
        let appenders = Appenders::start(&cluster, data, 5, Pace::Bursts);

        change_configurations(&mut cluster);
        appenders.ask_to_stop();
        sim.network().set_reliable(true);
        appenders.stop().check(&mut clerk);
        cluster.check_history();
    });
}

/// Many clients that use each other's keys.
#[test]
fn unreliable3_4b() {
    lab_test("unreliable3_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(MAX_RAFT_STATE));
        sim.network().set_reliable(false);
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        let keys = Data::put(&cluster, &mut clerk, 10, 5).keys().len() as u64;
        let stop: Arc<AtomicBool> = Arc::default();
        let client = |_| {
            let (mut clerk, stop) = (cluster.client(), Arc::clone(&stop));
            spawn(move || {
                while !stop.load(Relaxed) {
                    use_any_key(&mut clerk, keys);
                }
            })
        };
        let clients: Vec<JoinHandle<()>> = (1..=10).map(client).collect();

        change_configurations(&mut cluster);
        stop.store(true, Relaxed);
        sim.network().set_reliable(true);
        clients.into_iter().for_each(|client| client.join().expect("nobody crashes the test"));
        cluster.check_history();
    });
}

/// Groups come and go.
fn change_configurations(cluster: &mut ShardCluster) {
    sleep(ms(150));
    cluster.join(&[1]);
    sleep(ms(500));
    cluster.join(&[2]);
    sleep(ms(500));
    cluster.leave(&[0]);
    sleep(ms(500));
    cluster.leave(&[1]);
    sleep(ms(500));
    cluster.join(&[1]);
    cluster.join(&[0]);
    sleep(ms(2_000));
}

/// Half of the calls append to any key; of the others, one in ten replaces and the rest read.
pub fn use_any_key(clerk: &mut KvClerk, keys: u64) {
    let key = rng().random_range(0..keys).to_string();
    if rng().random_bool(0.5) {
        clerk.append(&key, &random_string(5));
    } else if rng().random_ratio(1, 10) {
        clerk.put(&key, &random_string(5));
    } else {
        clerk.get(&key);
    }
}
