//! Groups get on: those that are not concerned, those that are, and those that were killed do not.

use std::time::Duration;

use labrpc::{Instant, rng, sleep};
use rand::RngExt as _;
use shardctrler::SHARDS;
use testkit::{SILENCE_AFTER, lab_test};

use crate::cluster::{ShardCluster, gid};
use crate::data::{Data, ms, shard_of};

/// How long some reads may take that need nobody who is down.
const READS_LIMIT: Duration = Duration::from_secs(2);

/// Groups that are up serve their shards, whoever is down.
#[test]
fn other_groups_down_4b() {
    lab_test("other_groups_down_4b", |sim| {
        let mut cluster = ShardCluster::with_groups(sim, 4, None);
        let mut clerk = cluster.client();
        cluster.join(&[0, 1, 2, 3]);
        let data = Data::put(&cluster, &mut clerk, SHARDS, 20);
        sleep(ms(1_000));

        cluster.bring_down(&[1, 3]);
        let owners = cluster.config().shards;
        let up = |key: &usize| [gid(0), gid(2)].contains(&owners[shard_of(*key)]);
        let keys: Vec<usize> = data.keys().filter(up).collect();
        let property = "a group that is up serves its shards, whoever else is down";
        cluster.within(READS_LIMIT, property, clerk, move |mut clerk| {
            keys.into_iter().for_each(|key| data.check_key(&mut clerk, key));
        });
        cluster.check_history();
    });
}

/// For how long shards move to and fro.
const MOVING: Duration = Duration::from_secs(4);
/// How often the others must be read meanwhile.
const READS: u32 = 100;

/// Shards that stay are served while others of the same groups move.
#[test]
fn others_move_4b() {
    lab_test("others_move_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, None);
        let mut clerk = cluster.client();
        cluster.join(&[0, 1]);
        let data = Data::put(&cluster, &mut clerk, SHARDS, 20);
        let began = Instant::now();
        let mover = cluster.keep_moving(0, MOVING);
        let mut reads = 0;
        while began.elapsed() < MOVING {
            for key in data.keys().filter(|&key| shard_of(key) != 0) {
                data.check_key(&mut clerk, key);
                reads += 1;
            }
            sleep(ms(50));
        }
        mover.join().expect("nobody crashes the test");
        if reads < READS {
            let actual = format!("{reads} reads in {MOVING:?}, expected {READS}");
            sim.violated("shards that stay are served while others move", actual);
        }
        cluster.check_history();
    });
}

/// How long a shard may take to be served by the group that a configuration gives it to.
const HANDOVER_LIMIT: Duration = Duration::from_secs(3);

/// Each configuration comes into force soon, also while one server of each group is down.
#[test]
fn shards_arrive_soon_4b() {
    lab_test("shards_arrive_soon_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(1_000));
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        let mut data = Data::put(&cluster, &mut clerk, SHARDS, 20);
        for round in 0..6 {
            let server = round % 3;
            cluster.bring_one_down(server);
            sleep(ms(2_000)); // Time for an election.
            // All shards go from one group to the next.
            cluster.join(&[(round + 1) % 3]);
            cluster.leave(&[round % 3]);
            let property = "shards arrive soon, though one server of each group is down";
            (data, clerk) = cluster.within(HANDOVER_LIMIT, property, clerk, move |mut clerk| {
                data.check_and_append(&mut clerk, 5);
                (data, clerk)
            });
            cluster.bring_up(&[0, 1, 2]);
        }
        cluster.check_history();
    });
}

/// A configuration comes into force though everybody goes down in the midst of it, and though no
/// client gives new leaders anything to agree on.
#[test]
fn crash_while_shards_move_4b() {
    lab_test("crash_while_shards_move_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(1_000));
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        let mut data = Data::put(&cluster, &mut clerk, SHARDS, 20);
        for round in 0..8 {
            let (old, new) = (round % 3, (round + 1) % 3);
            cluster.join(&[new]);
            cluster.leave(&[old]);
            sleep(ms(rng().random_range(0..250)));
            cluster.bring_down(&[old, new]);
            cluster.bring_up(&[old, new]);
            sleep(ms(3_000)); // Time for an election and for the shards to move.

            cluster.bring_down(&[old]);
            let property = "shards arrive though all servers go down meanwhile";
            (data, clerk) = cluster.within(READS_LIMIT, property, clerk, move |mut clerk| {
                data.check_and_append(&mut clerk, 5);
                (data, clerk)
            });
            cluster.bring_up(&[old]);
        }
        cluster.check_history();
    });
}

/// A server that was killed in the midst of a migration moves nothing any more, neither to other
/// groups nor from them; when it is back it goes on.
#[test]
fn killed_servers_stop_migrating_4b() {
    lab_test("killed_servers_stop_migrating_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(1_000));
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        let mut data = Data::put(&cluster, &mut clerk, SHARDS, 20);

        // Group 0 has to hand over what group 1 cannot take. The ends to other groups stay open
        // when a server is killed; the cluster watches whether it falls silent.
        cluster.shut_down(&[1]);
        cluster.join(&[1]);
        sleep(ms(500 + rng().random_range(0..500)));
        cluster.shut_down(&[0]);
        sleep(SILENCE_AFTER + ms(1_000));

        // Group 1 has to take over what group 0 cannot give.
        cluster.bring_up(&[1]);
        sleep(ms(1_500 + rng().random_range(0..500)));
        cluster.shut_down(&[1]);
        sleep(SILENCE_AFTER + ms(1_000));

        cluster.bring_up(&[0, 1]);
        data.check_and_append(&mut clerk, 5);
        cluster.leave(&[0]);
        data.check_and_append(&mut clerk, 5);
        data.check(&mut clerk);
        cluster.check_history();
    });
}
