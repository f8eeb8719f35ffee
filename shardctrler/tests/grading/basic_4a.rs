//! The course's first half: one group at a time.

use shardctrler::{Config, Gid, SHARDS};
use testkit::lab_test;

use crate::clerk::{CheckedClerk, group};
use crate::cluster::CtrlCluster;
use crate::step::{check_nothing_gained, check_nothing_lost, moved, picture};

/// Groups join and leave one by one; returns every configuration on the way.
fn join_and_leave(cluster: &CtrlCluster, clerk: &mut CheckedClerk) -> Vec<Config> {
    let mut configs = vec![cluster.check_groups(clerk, &[])];
    let (one, two) = (group(1, "x y z"), group(2, "a b c"));
    clerk.join([one.clone()]);
    configs.push(cluster.check_groups(clerk, &[1]));
    clerk.join([two.clone()]);
    let both = cluster.check_groups(clerk, &[1, 2]);
    cluster.check_servers(&both, &one);
    cluster.check_servers(&both, &two);
    configs.push(both);
    clerk.leave(&[1]);
    configs.push(cluster.check_groups(clerk, &[2]));
    clerk.leave(&[2]);
    configs.push(cluster.check_groups(clerk, &[]));
    configs
}

/// Groups join and leave, and the shards are shared out among those that there are.
#[test]
fn basic_leave_join_4a() {
    lab_test("basic_leave_join_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        join_and_leave(&cluster, &mut clerk);
        cluster.check_history(&mut clerk);
    });
}

/// Configurations of the past stay as they were, whichever server is down.
#[test]
fn historical_queries_4a() {
    lab_test("historical_queries_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        let configs = join_and_leave(&cluster, &mut clerk);
        for server in cluster.all() {
            cluster.bring_down(server);
            for config in &configs {
                let now = clerk.at(config.num);
                if now != *config {
                    let actual = format!("{}, now {}", picture(config), picture(&now));
                    sim.violated("the past stays as it was", actual);
                }
            }
            cluster.connect_all();
        }
        cluster.check_history(&mut clerk);
    });
}

/// A shard that is moved by hand moves, and no other does.
#[test]
fn move_4a() {
    lab_test("move_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.join([group(503, "3a 3b 3c")]);
        clerk.join([group(504, "4a 4b 4c")]);
        // The other way round first: then each shard has to move at least once.
        let halves = |first, second| move |shard| if shard < SHARDS / 2 { first } else { second };
        for goal in [halves(504, 503), halves(503, 504)] {
            (0..SHARDS).for_each(|shard| move_one(&cluster, &mut clerk, shard, goal(shard)));
            let config = clerk.latest();
            if (0..SHARDS).any(|shard| config.shards[shard] != goal(shard)) {
                sim.violated("shards stay where they were moved to", picture(&config));
            }
        }
        clerk.leave(&[503]);
        cluster.check_groups(&mut clerk, &[504]);
        clerk.leave(&[504]);
        cluster.check_groups(&mut clerk, &[]);
        cluster.check_history(&mut clerk);
    });
}

/// Moves a shard by hand. There may be no new configuration if it was there already.
fn move_one(cluster: &CtrlCluster, clerk: &mut CheckedClerk, shard: usize, gid: Gid) {
    let before = clerk.latest();
    clerk.move_shard(shard, gid);
    let after = clerk.latest();
    let expected = if before.shards[shard] == gid { vec![] } else { vec![(shard, gid)] };
    let made = after.num - before.num;
    if moved(&before, &after) != expected || made > 1 || made == 0 && !expected.is_empty() {
        let (before, after) = (picture(&before), picture(&after));
        let actual = format!("Move({shard}, {gid}) of {before} made {after}");
        cluster.sim().violated("a move makes one configuration, and moves one shard", actual);
    }
}

/// Ten clients at once, each of which has one group stay and another one leave.
fn join_ten_groups(cluster: &CtrlCluster) -> Vec<Gid> {
    let gids: Vec<Gid> = (0..10).map(|client| 100 + 10 * client).collect();
    cluster.at_once(gids.clone(), |mut clerk, gid| {
        clerk.join([group(gid + 1000, &format!("s{gid}a"))]);
        clerk.join([group(gid, &format!("s{gid}b"))]);
        clerk.leave(&[gid + 1000]);
    });
    gids
}

/// Requests of many clients at once are all executed.
#[test]
fn concurrent_leave_join_4a() {
    lab_test("concurrent_leave_join_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        let gids = join_ten_groups(&cluster);
        cluster.check_groups(&mut clerk, &gids);
        cluster.check_history(&mut clerk);
    });
}

/// Groups that join when each shard has a group of its own get nothing, and nothing moves.
#[test]
fn minimal_transfers_after_joins_4a() {
    lab_test("minimal_transfers_after_joins_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        join_ten_groups(&cluster);
        join_five_more(&cluster, &mut clerk);
        cluster.check_history(&mut clerk);
    });
}

/// Five groups join, one by one.
fn join_five_more(cluster: &CtrlCluster, clerk: &mut CheckedClerk) {
    let before = clerk.latest();
    for gid in 11..=15 {
        clerk.join([group(gid, &format!("{gid}a {gid}b {gid}c"))]);
    }
    cluster.sim().check(check_nothing_gained(&before, &clerk.latest()));
}

/// Groups that leave hand over what they have, and nothing else moves.
#[test]
fn minimal_transfers_after_leaves_4a() {
    lab_test("minimal_transfers_after_leaves_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        let gids = join_ten_groups(&cluster);
        join_five_more(&cluster, &mut clerk);
        // First five that have a shard, then those that have waited for one.
        for leaving in [gids[..5].to_vec(), (11..=15).collect()] {
            let before = clerk.latest();
            leaving.iter().for_each(|&gid| clerk.leave(&[gid]));
            sim.check(check_nothing_lost(&before, &clerk.latest()));
        }
        cluster.check_groups(&mut clerk, &gids[5..]);
        cluster.check_history(&mut clerk);
    });
}
