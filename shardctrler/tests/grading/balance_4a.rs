//! Ours: balance when there are fewer groups than shards, and what a request may ask for.

use shardctrler::{Config, Gid, NO_GROUP, SHARDS};
use testkit::lab_test;

use crate::clerk::{CheckedClerk, group};
use crate::cluster::CtrlCluster;
use crate::step::{check_moves, check_nothing_gained, check_nothing_lost, picture};

/// Several groups join in one call. Returns the configurations before and after.
fn join(clerk: &mut CheckedClerk, gids: &[Gid]) -> (Config, Config) {
    let before = clerk.latest();
    clerk.join(gids.iter().map(|&gid| group(gid, &format!("{gid}a {gid}b {gid}c"))));
    (before, clerk.latest())
}

/// Several groups leave in one call. Returns the configurations before and after.
fn leave(clerk: &mut CheckedClerk, gids: &[Gid]) -> (Config, Config) {
    let before = clerk.latest();
    clerk.leave(gids);
    (before, clerk.latest())
}

/// From 2 groups to 3, 5, and 3 again, and further, with no more moves than necessary.
#[test]
fn minimal_transfers_with_few_groups_4a() {
    lab_test("minimal_transfers_with_few_groups_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        for (joining, fewest) in [(&[20, 10][..], 10), (&[15], 3), (&[5, 30], 4)] {
            let (before, after) = join(&mut clerk, joining);
            sim.check(check_moves(&before, &after, fewest));
            sim.check(check_nothing_gained(&before, &after));
        }
        for leaving in [&[10, 5][..], &[20]] {
            let (before, after) = leave(&mut clerk, leaving);
            let orphans = before.shards.iter().filter(|gid| leaving.contains(gid)).count();
            sim.check(check_moves(&before, &after, orphans));
            sim.check(check_nothing_lost(&before, &after));
        }
        let (before, after) = join(&mut clerk, &[1, 2, 3, 4, 6]);
        sim.check(check_moves(&before, &after, 6));
        cluster.check_groups(&mut clerk, &[1, 2, 3, 4, 6, 15, 30]);
        cluster.check_history(&mut clerk);
    });
}

/// The next join or leave restores a balance that was lost by moves, with as few as possible.
#[test]
fn minimal_transfers_after_moves_4a() {
    lab_test("minimal_transfers_after_moves_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        join(&mut clerk, &[1, 2, 3]);
        // 3 has 7, 2 has 3, and 1 has none.
        let shards = |gid, count| std::iter::repeat_n(gid, count);
        for (shard, gid) in shards(3, 7).chain(shards(2, 3)).enumerate() {
            clerk.move_shard(shard, gid);
        }
        let (before, after) = join(&mut clerk, &[4]);
        sim.check(check_moves(&before, &after, 4));

        (0..SHARDS).for_each(|shard| clerk.move_shard(shard, 1));
        let (before, after) = leave(&mut clerk, &[2]);
        sim.check(check_moves(&before, &after, 6));

        (0..SHARDS).for_each(|shard| clerk.move_shard(shard, 1 + 2 * (shard as Gid % 2)));
        let (before, after) = leave(&mut clerk, &[1]);
        sim.check(check_moves(&before, &after, 5));
        cluster.check_groups(&mut clerk, &[3, 4]);
        cluster.check_history(&mut clerk);
    });
}

/// A group that comes back does so with the servers with which it comes back.
#[test]
fn group_returns_with_other_servers_4a() {
    lab_test("group_returns_with_other_servers_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        let (old, new) = (group(7, "a b c"), group(7, "f d e"));
        clerk.join([old.clone(), group(8, "x")]);
        clerk.leave(&[7]);
        clerk.join([new.clone()]);
        let config = cluster.check_groups(&mut clerk, &[7, 8]);
        cluster.check_servers(&config, &new);
        cluster.check_servers(&clerk.at(1), &old);
        cluster.check_history(&mut clerk);
    });
}

/// A group that is in keeps its servers when it joins again with others.
#[test]
fn current_group_keeps_its_servers_4a() {
    lab_test("current_group_keeps_its_servers_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        let (first, second) = (group(1, "a b c"), group(2, "x y z"));
        clerk.join([first.clone(), second.clone()]);
        // Alone, and together with a group that is new.
        for joining in [vec![group(1, "d e f")], vec![group(2, "x"), group(3, "s t")]] {
            clerk.join(joining);
            let config = clerk.latest();
            cluster.check_servers(&config, &first);
            cluster.check_servers(&config, &second);
        }
        let config = cluster.check_groups(&mut clerk, &[1, 2, 3]);
        cluster.check_servers(&config, &group(3, "s t"));
        cluster.check_history(&mut clerk);
    });
}

/// Who asks for a configuration that does not exist yet gets the latest.
#[test]
fn future_queries_4a() {
    lab_test("future_queries_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        for gid in 1..=3 {
            join(&mut clerk, &[gid]);
            let latest = cluster.check_groups(&mut clerk, &(1..=gid).collect::<Vec<Gid>>());
            for future in [latest.num + 1, latest.num + 100, u64::from(u32::MAX), u64::MAX] {
                let config = clerk.query(Some(future));
                if config != latest {
                    let actual = format!("Query({future}) returned {}", picture(&config));
                    sim.violated("a query of a future number returns the latest", actual);
                }
            }
        }
        // The answer to such a question is that of its time: when the number exists, it is found.
        let (_, after) = leave(&mut clerk, &[2]);
        let now = clerk.at(4);
        if now != after {
            sim.violated("a query returns the number that it asks for", picture(&now));
        }
        cluster.check_history(&mut clerk);
    });
}

/// Requests that make no sense change neither groups nor shards, and no server dies of them.
#[test]
fn nonsense_changes_nothing_4a() {
    lab_test("nonsense_changes_nothing_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.leave(&[1, 2]);
        clerk.leave(&[]);
        clerk.join([]);
        clerk.move_shard(0, 1);
        cluster.check_groups(&mut clerk, &[]);

        join(&mut clerk, &[1, 2]);
        let before = clerk.latest();
        join(&mut clerk, &[]);
        leave(&mut clerk, &[]);
        leave(&mut clerk, &[3, NO_GROUP]);
        for (shard, gid) in [(0, 3), (0, NO_GROUP), (SHARDS, 1), (usize::MAX, 1)] {
            clerk.move_shard(shard, gid);
        }
        let after = clerk.latest();
        if (after.shards, &after.groups) != (before.shards, &before.groups) {
            let actual = format!("{}, then {}", picture(&before), picture(&after));
            sim.violated("a request that makes no sense changes nothing", actual);
        }
        // One that makes sense in part does that: 1 is in already, and 3 cannot leave.
        join(&mut clerk, &[1, 4]);
        cluster.check_groups(&mut clerk, &[1, 2, 4]);
        leave(&mut clerk, &[2, 3]);
        cluster.check_groups(&mut clerk, &[1, 4]);
        // Nor does any server die when it applies all of that again.
        cluster.restart_all();
        cluster.check_history(&mut clerk);
    });
}
