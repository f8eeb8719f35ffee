//! Everything at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use labrpc::{JoinHandle, rng, sleep, spawn};
use rand::RngExt as _;
use shardctrler::SHARDS;
use testkit::{KvClerk, LabTest, chance, mishap};

use crate::cluster::ShardCluster;
use crate::data::{Data, ms};
use crate::unreliable_4b::use_any_key;

/// How many groups there are.
const GROUPS: usize = 8;
/// How often something changes.
const ROUNDS: usize = 40;
/// How many clients use the keys meanwhile.
const CLIENTS: u64 = 6;
/// How long they pause between calls at most.
const CLIENT_PAUSE: Duration = Duration::from_millis(100);
/// What the test takes at most: a good solution needs a tenth of it.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// Eight groups come and go, crash, and are cut off from each other, while clients use all keys.
#[test]
fn many_groups_4b() {
    LabTest::new("many_groups_4b").time_limit(TIME_LIMIT).run(|sim| {
        let mut cluster = ShardCluster::with_groups(sim, GROUPS, Some(1_000));
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        Data::put(&cluster, &mut clerk, SHARDS, 5);
        let stop: Arc<AtomicBool> = Arc::default();
        let client = |_| {
            let (mut clerk, stop) = (cluster.client(), Arc::clone(&stop));
            spawn(move || {
                while !stop.load(Relaxed) {
                    use_any_key(&mut clerk, SHARDS as u64);
                    sleep(rng().random_range(Duration::ZERO..CLIENT_PAUSE));
                }
            })
        };
        let clients: Vec<JoinHandle<()>> = (1..=CLIENTS).map(client).collect();

        let mut joined = vec![0];
        for _ in 0..ROUNDS {
            change_configuration(&mut cluster, &mut joined);
            let down = break_something(&cluster);
            sleep(ms(rng().random_range(100..1_000)));
            cluster.heal();
            cluster.bring_up(&down);
        }
        stop.store(true, Relaxed);
        clients.into_iter().for_each(|client| client.join().expect("nobody crashes the test"));
        read_all(&mut clerk);
        cluster.check_history();
    });
}

/// A group joins or leaves, but never the last one, or a shard is moved.
fn change_configuration(cluster: &mut ShardCluster, joined: &mut Vec<usize>) {
    let group = below(GROUPS);
    match joined.iter().position(|&other| other == group) {
        Some(place) if rng().random_bool(0.5) && joined.len() > 1 => {
            joined.swap_remove(place);
            cluster.leave(&[group]);
        }
        Some(_) => cluster.move_shard(below(SHARDS), group),
        None => {
            joined.push(group);
            cluster.join(&[group]);
        }
    }
}

/// Cuts some groups off from the others, takes a whole group down, or one server of each group;
/// returns the groups of which servers are down.
fn break_something(cluster: &ShardCluster) -> Vec<usize> {
    match below(4) {
        0 => {
            let (one, other): (Vec<usize>, Vec<usize>) =
                cluster.all_groups().partition(|_| chance(1, 2));
            cluster.partition_groups(&one, &other);
            Vec::new()
        }
        1 if mishap() => {
            let group = below(GROUPS);
            cluster.bring_down(&[group]);
            vec![group]
        }
        2 if mishap() => {
            cluster.bring_one_down(below(3));
            cluster.all_groups().collect()
        }
        _ => Vec::new(),
    }
}

/// Every key can be read: nothing is lost, and nobody waits for ever.
fn read_all(clerk: &mut KvClerk) {
    (0..SHARDS).for_each(|key| drop(clerk.get(&key.to_string())));
}

/// A random number below a bound.
fn below(bound: usize) -> usize {
    rng().random_range(0..bound as u64) as usize
}
