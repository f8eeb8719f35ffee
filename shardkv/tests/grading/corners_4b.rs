//! What goes wrong in solutions that pass the course's tests: odd keys, no group at all, groups
//! that crash at the wrong moment, and leaders who do not know that they were deposed.

use std::time::Duration;

use labrpc::{rng, sleep, spawn};
use rand::RngExt as _;
use shardctrler::SHARDS;
use testkit::{KvClerk, lab_test, wait_until};

use crate::cluster::{GROUP_SIZE, ShardCluster, gid};
use crate::data::{Data, check_value, ms};

/// How long calls may take that need nobody who is down.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longer than a group needs to elect a leader in place of one that it has lost.
pub const ELECTION: Duration = Duration::from_secs(2);
/// Longer than groups that reach each other need to follow one configuration.
pub const CHANGE: Duration = Duration::from_secs(1);

/// The shard of a key is its first byte modulo 10, whatever follows, and that of the empty key is
/// 0.
#[test]
fn keys_in_their_shards_4b() {
    lab_test("keys_in_their_shards_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, None);
        let mut clerk = cluster.client();
        cluster.join(&[0, 1]);
        let tails = ["", "-", "0", "a long tail", "\u{e9}"];
        let heads = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "Z", "\u{e9}"];
        let tailed = |head: &str| tails.map(|tail| format!("{head}{tail}"));
        let mut keys: Vec<String> = heads.into_iter().flat_map(tailed).collect();
        keys.push(String::new());
        keys.iter().for_each(|key| clerk.put(key, key));
        sleep(CHANGE);

        cluster.bring_down(&[1]);
        let owners = cluster.config().shards;
        let shard =
            |key: &str| key.as_bytes().first().map_or(0, |&byte| usize::from(byte) % SHARDS);
        keys.retain(|key| owners[shard(key)] == gid(0));
        let property = "a key is in the shard of its first byte";
        let sim = sim.clone();
        cluster.within(PATIENCE, property, clerk, move |mut clerk| {
            keys.iter().for_each(|key| check_value(&sim, &mut clerk, key, key));
        });
        cluster.check_history();
    });
}

/// The last group may leave. Then nobody serves, and whoever joins next finds what was there.
#[test]
fn last_group_leaves_4b() {
    lab_test("last_group_leaves_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(1_000));
        cluster.join(&[0]);
        let mut data = Data::put(&cluster, &mut cluster.client(), SHARDS, 20);
        for (last, next) in [(0, 1), (1, 1), (1, 2)] {
            cluster.leave(&[last]);
            sleep(ms(rng().random_range(0..1_000)));
            cluster.bring_down(&[last]);
            cluster.bring_up(&[last]);
            cluster.join(&[next]);
            let clerk = cluster.client(); // Asks the next group at once.
            let property = "the group that joins next gets what the last one had";
            data = cluster.within(PATIENCE, property, clerk, move |mut clerk| {
                data.check_and_append(&mut clerk, 5);
                data
            });
        }
        cluster.check_history();
    });
}

/// Bytes of the values that move while groups crash.
const VALUE: usize = 5_000;
/// What all servers may have saved: the values once on each server of a group, and 1,000 bytes
/// each. A shard that is left behind adds 15,000.
const SAVED_LIMIT: usize = GROUP_SIZE * (SHARDS * VALUE + 3 * 1_000);

/// A group drops what it has lost, also if it crashes in whole just then.
#[test]
fn crash_while_dropping_4b() {
    lab_test("crash_while_dropping_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(1));
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        let data = Data::put(&cluster, &mut clerk, SHARDS, VALUE);
        for round in 0..5 {
            let (from, to) = (round % 3, (round + 1) % 3);
            cluster.join(&[to]);
            cluster.leave(&[from]);
            sleep(ms(rng().random_range(0..600)));
            cluster.bring_down(&[from]);
            cluster.bring_up(&[from]);
            // A new client asks the next owners. Once they take a little key for each shard, all
            // have moved.
            let mut clerk = cluster.client();
            data.keys().for_each(|key| clerk.put(&format!("{key} moved"), "yes"));
            check_saved(&cluster);
        }
        data.check(&mut clerk);
        cluster.check_history();
    });
}

/// What shards have left behind is gone soon.
fn check_saved(cluster: &ShardCluster) {
    if !wait_until(ms(5_000), ms(100), || cluster.saved_bytes() <= SAVED_LIMIT) {
        let saved = cluster.saved_bytes();
        let actual = format!("all servers have saved {saved} bytes, limit {SAVED_LIMIT}");
        cluster.sim().violated("a group deletes what another has, also after a crash", actual);
    }
}

/// A key of shard 0.
pub const KEY: &str = "2";

/// A leader that does not know that it was deposed, and that its group has lost a shard, does not
/// answer for it.
#[test]
fn deposed_leader_reads_4b() {
    lab_test("deposed_leader_reads_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, None);
        cluster.join(&[0, 1]);
        for server in 0..GROUP_SIZE {
            let mut reader = cluster.client();
            cluster.move_shard(0, 0);
            cluster.client().append(KEY, "a");
            reader.get(KEY); // It knows who leads.

            cut_from_peers(&cluster, 0, server);
            // Group 1 does not meet it: whoever waits for it there may wait until all is healed.
            reach(&cluster, 0, |other| other != server);
            sleep(ELECTION);
            cluster.move_shard(0, 1);
            cluster.client().append(KEY, "b"); // Asks group 1 at once.
            // If the reader's leader is the one that was cut off, it may let it wait.
            let read = spawn(move || drop(reader.get(KEY)));
            sleep(CHANGE);
            cluster.heal();
            read.join().expect("nobody crashes the test");
        }
        cluster.check_history();
    });
}

/// A leader that does not know that it was deposed, and goes on to hand over a shard as it was when
/// it left, does no harm when the shard leaves for a second time.
#[test]
fn deposed_leader_hands_over_4b() {
    lab_test("deposed_leader_hands_over_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, None);
        cluster.join(&[0, 1]);
        for server in 0..GROUP_SIZE {
            cluster.move_shard(0, 0);
            cluster.client().append(KEY, "a");

            // All of group 0 know that the shard must go, but it cannot.
            cluster.partition_groups(&[0], &[1]);
            cluster.move_shard(0, 1);
            sleep(CHANGE);
            // All but one hand it over, get it back, and are to hand it over again.
            cut_from_peers(&cluster, 0, server);
            sleep(ELECTION);
            reach(&cluster, 0, |other| other != server);
            cluster.client().append(KEY, "b"); // Asks group 1 at once.
            cluster.move_shard(0, 0);
            sleep(CHANGE);
            reach(&cluster, 0, |_| false);
            cluster.move_shard(0, 1);
            sleep(CHANGE);
            // The one that was cut off still hands it over for the first time.
            reach(&cluster, 0, |other| other == server);
            sleep(CHANGE);
            cluster.heal();
            read_soon(&cluster, cluster.client(), KEY);
        }
        cluster.check_history();
    });
}

/// A leader that cannot have anything agreed on does not say that a shard has come: the old owner
/// would drop the only copy.
#[test]
fn receiver_without_majority_4b() {
    lab_test("receiver_without_majority_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, None);
        cluster.join(&[0, 1]);
        for server in 0..GROUP_SIZE {
            cluster.move_shard(0, 0);
            cluster.client().append(KEY, "a");

            // All of group 1 wait for the shard, but it cannot come.
            cluster.partition_groups(&[0], &[1]);
            cluster.move_shard(0, 1);
            sleep(CHANGE);
            // It comes to one who is cut off, and perhaps led when it was not.
            cut_from_peers(&cluster, 1, server);
            reach(&cluster, 1, |other| other == server);
            sleep(ELECTION);
            cluster.heal();
            read_soon(&cluster, cluster.client(), KEY);
        }
        cluster.check_history();
    });
}

/// Cuts a server of a group off from its peers.
pub fn cut_from_peers(cluster: &ShardCluster, group: usize, server: usize) {
    let (names, sim) = (cluster.server_names(group), cluster.sim());
    for &peer in names.iter().filter(|&&name| name != names[server]) {
        sim.cut(names[server], peer);
        sim.cut(peer, names[server]);
    }
}

/// Of the first two groups, some servers of one reach the other group and are reached from there,
/// and its others do not.
pub fn reach(cluster: &ShardCluster, group: usize, reaches: impl Fn(usize) -> bool) {
    let sim = cluster.sim();
    for (server, &name) in cluster.server_names(group).iter().enumerate() {
        for &other in &cluster.server_names(1 - group) {
            for (from, to) in [(name, other), (other, name)] {
                if reaches(server) { sim.mend(from, to) } else { sim.cut(from, to) }
            }
        }
    }
}

/// A client can read a key, and what it reads is part of the history.
pub fn read_soon(cluster: &ShardCluster, clerk: KvClerk, key: &'static str) {
    let property = "a shard is served after all groups have found each other";
    cluster.within(PATIENCE, property, clerk, move |mut clerk| drop(clerk.get(key)));
}
