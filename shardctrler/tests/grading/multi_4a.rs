//! The course's second half: several groups at a time.

use shardctrler::Gid;
use testkit::{Culprit, lab_test};

use crate::clerk::{CheckedClerk, group};
use crate::cluster::CtrlCluster;
use crate::step::{check_nothing_gained, check_nothing_lost, picture};

/// Groups that join or leave together make one configuration.
#[test]
fn multi_group_join_leave_4a() {
    lab_test("multi_group_join_leave_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        cluster.check_groups(&mut clerk, &[]);
        let groups = [group(1, "x y z"), group(2, "a b c"), group(3, "j k l")];
        clerk.join(groups[..2].to_vec());
        let first = cluster.check_groups(&mut clerk, &[1, 2]);
        if first.num != 1 {
            sim.violated("one join makes one configuration", picture(&first));
        }
        clerk.join([groups[2].clone()]);
        let config = cluster.check_groups(&mut clerk, &[1, 2, 3]);
        groups.iter().for_each(|group| cluster.check_servers(&config, group));

        clerk.leave(&[1, 3]);
        let config = cluster.check_groups(&mut clerk, &[2]);
        cluster.check_servers(&config, &groups[1]);
        if config.num != 3 {
            sim.violated("one leave makes one configuration", picture(&config));
        }
        clerk.leave(&[2]);
        cluster.check_groups(&mut clerk, &[]);
        cluster.check_history(&mut clerk);
    });
}

/// Ten clients at once, each of which has three groups join, and two of them leave.
fn join_ten_groups(cluster: &CtrlCluster) -> Vec<Gid> {
    let gids: Vec<Gid> = (1000..1010).collect();
    cluster.at_once(gids.clone(), |mut clerk, gid| {
        let servers = |letter: char| format!("{gid}{letter}");
        let three = ['a', 'b', 'c'].map(servers).join(" ");
        clerk.join([
            group(gid, &three),
            group(gid + 1000, &servers('d')),
            group(gid + 2000, &servers('e')),
        ]);
        clerk.leave(&[gid + 1000, gid + 2000]);
    });
    gids
}

/// Requests of many clients at once, with several groups each, are all executed.
#[test]
fn concurrent_multi_leave_join_4a() {
    lab_test("concurrent_multi_leave_join_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        let gids = join_ten_groups(&cluster);
        cluster.check_groups(&mut clerk, &gids);
        cluster.check_history(&mut clerk);
    });
}

/// Five groups join together; returns their numbers.
fn join_five_more(cluster: &CtrlCluster, clerk: &mut CheckedClerk) -> Vec<Gid> {
    let before = clerk.latest();
    clerk.join((11..=15).map(|gid| group(gid, &format!("{gid}a {gid}b"))));
    cluster.sim().check(check_nothing_gained(&before, &clerk.latest()));
    (11..=15).collect()
}

/// Groups that join together when each shard has a group of its own get nothing.
#[test]
fn minimal_transfers_after_multijoins_4a() {
    lab_test("minimal_transfers_after_multijoins_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        join_ten_groups(&cluster);
        join_five_more(&cluster, &mut clerk);
        cluster.check_history(&mut clerk);
    });
}

/// Groups that leave together hand over what they have, and nothing else moves.
#[test]
fn minimal_transfers_after_multileaves_4a() {
    lab_test("minimal_transfers_after_multileaves_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        let gids = join_ten_groups(&cluster);
        let more = join_five_more(&cluster, &mut clerk);
        // First five that have a shard, then those that have waited for one.
        for leaving in [&gids[..5], &more] {
            let before = clerk.latest();
            clerk.leave(leaving);
            sim.check(check_nothing_lost(&before, &clerk.latest()));
        }
        cluster.check_groups(&mut clerk, &gids[5..]);
        cluster.check_history(&mut clerk);
    });
}

/// Servers have all come to the same configurations, each by itself.
#[test]
fn same_config_on_servers_4a() {
    lab_test("same_config_on_servers_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        let gids = join_ten_groups(&cluster);
        clerk.leave(&gids[..7]);
        clerk.join((11..=14).map(|gid| group(gid, "s t")));
        cluster.check_history(&mut clerk);
        for _ in 0..3 {
            let leader = cluster.leader();
            cluster.bring_down(leader);
            // Another server leads now, and is asked for everything again.
            if cluster.leader() == leader {
                let (culprit, actual) =
                    (Culprit::of(format!("S{leader}")), format!("S{leader} leads"));
                sim.violated_by(culprit, "a server that is down does not lead", actual);
            }
            cluster.check_history(&mut clerk);
            cluster.connect_all();
        }
    });
}
