//! The course's challenges: shards that moved leave nothing behind, and nobody waits without need.

use std::time::Duration;

use labrpc::sleep;
use shardctrler::Config;
use testkit::{KvClerk, lab_test};

use crate::cluster::{ShardCluster, gid};
use crate::data::{Data, check_value, ms, shard_of};

/// Near which size of the Raft state servers take snapshots when it is not about that.
const MAX_RAFT_STATE: usize = 100;
/// How long a call may take that needs nobody who is down.
const PATIENCE: Duration = Duration::from_secs(10);

/// Keys whose values fill the servers' disks.
const KEYS: usize = 30;
/// Bytes of a value.
const VALUE: usize = 1_000;
/// What all servers together may have saved: each value on the three servers of its group; those of
/// the three keys that are read twice, as a duplicate table may remember what was read; and 2,000
/// bytes for each server. A shard that is kept where it was adds 3,000 or, if it is one of the two
/// that have eleven keys, 33,000. `crash_while_dropping_4b` looks at shards one by one.
const SAVED_LIMIT: usize = 3 * ((KEYS - 3) * VALUE + 2 * 3 * VALUE + 6_000);

/// A group keeps nothing of the shards that others have.
#[test]
fn challenge1_delete_4b() {
    lab_test("challenge1_delete_4b", |sim| {
        // A snapshot after each command.
        let mut cluster = ShardCluster::start(sim, Some(1));
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        let data = Data::put(&cluster, &mut clerk, KEYS, VALUE);
        let check_some = |clerk: &mut KvClerk| (0..3).for_each(|key| data.check_key(clerk, key));
        check_some(&mut clerk);

        for _ in 0..2 {
            cluster.join(&[1]);
            cluster.leave(&[0]);
            cluster.join(&[2]);
            sleep(ms(3_000));
            check_some(&mut clerk);
            cluster.leave(&[1]);
            cluster.join(&[0]);
            cluster.leave(&[2]);
            sleep(ms(3_000));
            check_some(&mut clerk);
        }
        cluster.join(&[1]);
        cluster.join(&[2]);
        for _ in 0..3 {
            sleep(ms(1_000));
            check_some(&mut clerk);
        }

        let saved = cluster.saved_bytes();
        if saved > SAVED_LIMIT {
            let actual = format!(
                "snapshot + persisted Raft state are too big: {saved} > {SAVED_LIMIT} bytes"
            );
            sim.violated("a group deletes what another has", actual);
        }
        data.check(&mut clerk);
        cluster.check_history();
    });
}

/// A group serves the shards that it had while it waits for others in vain.
#[test]
fn challenge2_unaffected_4b() {
    lab_test("challenge2_unaffected_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(MAX_RAFT_STATE));
        sim.network().set_reliable(false);
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        let mut data = Data::put_all(&cluster, &mut clerk, vec!["100".to_string(); 10]);
        cluster.join(&[1]);
        let owned = keys_of(&cluster.config(), 1);
        sleep(ms(1_000));
        owned.iter().for_each(|&key| data.set(&mut clerk, key, "101"));

        cluster.bring_down(&[0]);
        cluster.leave(&[0]); // What group 0 has, group 1 will never get.
        sleep(ms(1_000));
        for key in owned {
            clerk = use_key(&cluster, clerk, key, "101", "101-1");
        }
        cluster.check_history();
    });
}

/// A group serves each shard that it gets as soon as it has it, while it waits for others in vain.
#[test]
fn challenge2_partial_4b() {
    lab_test("challenge2_partial_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(MAX_RAFT_STATE));
        sim.network().set_reliable(false);
        let mut clerk = cluster.client();
        cluster.join(&[0, 1, 2]);
        sleep(ms(1_000));
        Data::put_all(&cluster, &mut clerk, vec!["100".to_string(); 10]);
        let arriving = keys_of(&cluster.config(), 2);

        cluster.bring_down(&[0]);
        cluster.leave(&[0, 2]); // Group 1 gets what group 2 has, and never what group 0 has.
        sleep(ms(1_000));
        for key in arriving {
            clerk = use_key(&cluster, clerk, key, "100", "100-2");
        }
        cluster.check_history();
    });
}

/// A group that is down holds up only what is to come to it.
#[test]
fn challenge2_receiver_down_4b() {
    lab_test("challenge2_receiver_down_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(MAX_RAFT_STATE));
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        Data::put_all(&cluster, &mut clerk, vec!["100".to_string(); 10]);

        cluster.bring_down(&[1]);
        cluster.join(&[1, 2]); // Group 0 can give group 2 its share, but not group 1.
        let config = cluster.config();
        for key in [keys_of(&config, 2), keys_of(&config, 0)].concat() {
            clerk = use_key(&cluster, clerk, key, "100", "100-2");
        }
        cluster.check_history();
    });
}

/// Those of the keys "0" to "9" that a group serves.
fn keys_of(config: &Config, group: usize) -> Vec<usize> {
    let is_owned = |&key: &usize| config.shards[shard_of(key)] == gid(group);
    let keys: Vec<usize> = (0..10).filter(is_owned).collect();
    assert!(!keys.is_empty(), "configuration {} gives nothing to group {group}", config.num);
    keys
}

/// A key has one value and is given another, in time.
fn use_key(
    cluster: &ShardCluster,
    clerk: KvClerk,
    key: usize,
    before: &'static str,
    after: &'static str,
) -> KvClerk {
    let property = "shards that a group has are served while others are awaited";
    let (key, sim) = (key.to_string(), cluster.sim().clone());
    cluster.within(PATIENCE, property, clerk, move |mut clerk| {
        check_value(&sim, &mut clerk, &key, before);
        clerk.put(&key, after);
        check_value(&sim, &mut clerk, &key, after);
        clerk
    })
}
