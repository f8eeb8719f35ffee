//! Answers that come late or are lost: the groups have gone on by then.

use std::time::Duration;

use labrpc::{JoinHandle, sleep, spawn};
use testkit::{Sim, lab_test};

use crate::cluster::{GROUP_SIZE, ShardCluster};
use crate::corners_4b::{CHANGE, ELECTION, KEY, cut_from_peers, read_soon};
use crate::data::ms;

/// Longer than a leader needs to offer a shard again.
const OFFER: Duration = ms(500);
/// A key of shard 1, and one of shard 2.
const OTHER_KEYS: [&str; 2] = ["3", "4"];

/// A confirmation that a shard has arrived does not make a group drop the shard if it has returned
/// in the meantime and must leave for the second time.
#[test]
fn late_confirmation_4b() {
    lab_test("late_confirmation_4b", |sim| {
        let (mut cluster, mut writes) = shard_cannot_leave(sim);
        // The leader of group 0 offers it to a leader that has no majority, and waits there.
        cut_from_peers(&cluster, 1, 0);
        meet(&cluster, |first, second| first == 0 && second == 0);
        sleep(OFFER);
        // The other servers elect leaders. The shard leaves group 0 and returns.
        cut_from_peers(&cluster, 0, 0);
        sleep(ELECTION);
        meet(&cluster, |first, second| (first == 0) == (second == 0));
        sleep(CHANGE);
        cluster.move_shard(0, 0);
        sleep(CHANGE);
        // It must leave again, but no server can offer it. Server 0 leads group 0 again.
        meet(&cluster, |first, second| first == 0 && second == 0);
        cluster.move_shard(0, 1);
        sleep(CHANGE);
        meet_peers(&cluster, 0);
        sleep(OFFER);
        writes.extend(make_first_lead(&cluster, &[0]));
        // The first offer is answered.
        cluster.heal();
        sleep(CHANGE);
        read_soon(&cluster, cluster.client(), KEY);
        writes.into_iter().for_each(|write| write.join().expect("nobody crashes the test"));
        cluster.check_history();
    });
}

/// A group that has a shard confirms that when it has gone on to the next configuration, too: the
/// group that had the shard may not have learnt it before.
#[test]
fn repeated_offer_4b() {
    lab_test("repeated_offer_4b", |sim| {
        let (mut cluster, writes) = shard_cannot_leave(sim);
        // The leader of group 0 delivers the shard, but it has no majority any more.
        cut_from_peers(&cluster, 0, 0);
        meet(&cluster, |first, _| first == 0);
        sleep(CHANGE);
        meet(&cluster, |_, _| false);
        // Group 1 goes on. In group 0, the shard must still leave.
        cluster.move_shard(2, 0);
        sleep(CHANGE);
        cluster.heal();
        sleep(CHANGE);
        for key in [KEY, OTHER_KEYS[1]] {
            read_soon(&cluster, cluster.client(), key);
        }
        writes.into_iter().for_each(|write| write.join().expect("nobody crashes the test"));
        cluster.check_history();
    });
}

/// Two groups, led by their servers 0. All servers know that group 0 must give shard 0 to group 1,
/// but the groups cannot reach each other. Group 0 keeps shard 1, and group 1 has shard 2. Returns
/// the writes of clients too.
fn shard_cannot_leave(sim: &Sim) -> (ShardCluster, Vec<JoinHandle<()>>) {
    let mut cluster = ShardCluster::with_groups(sim, 2, None);
    cluster.join(&[0, 1]);
    for (shard, group) in [(0, 0), (1, 0), (2, 1)] {
        cluster.move_shard(shard, group);
    }
    cluster.client().append(KEY, "a");
    let writes = make_first_lead(&cluster, &[0, 1]);
    meet(&cluster, |_, _| false);
    cluster.move_shard(0, 1);
    sleep(CHANGE);
    (cluster, writes)
}

/// Makes server 0 of each of these groups its leader, whichever server leads before: server 2
/// misses a write, so it cannot win against server 0, and must vote for it while server 1 is down.
/// Returns the writes, which wait for the next configuration if the groups serve no key now.
fn make_first_lead(cluster: &ShardCluster, groups: &[usize]) -> Vec<JoinHandle<()>> {
    groups.iter().for_each(|&group| cluster.bring_server_down(group, 2));
    sleep(ELECTION);
    let write = |&group: &usize| {
        let mut clerk = cluster.client();
        spawn(move || clerk.append(OTHER_KEYS[group], "x"))
    };
    let writes = groups.iter().map(write).collect();
    sleep(CHANGE);
    groups.iter().for_each(|&group| cluster.bring_server_down(group, 1));
    groups.iter().for_each(|&group| cluster.bring_server_up(group, 2));
    sleep(ELECTION);
    groups.iter().for_each(|&group| cluster.bring_server_up(group, 1));
    writes
}

/// Servers of group 0 and group 1 reach each other if `do_meet` says so, which gets their places.
fn meet(cluster: &ShardCluster, do_meet: impl Fn(usize, usize) -> bool) {
    let sim = cluster.sim();
    let (first, second) = (cluster.server_names(0), cluster.server_names(1));
    for (one, other) in
        (0..GROUP_SIZE).flat_map(|one| (0..GROUP_SIZE).map(move |other| (one, other)))
    {
        for (from, to) in [(first[one], second[other]), (second[other], first[one])] {
            if do_meet(one, other) { sim.mend(from, to) } else { sim.cut(from, to) }
        }
    }
}

/// The servers of a group reach each other.
fn meet_peers(cluster: &ShardCluster, group: usize) {
    cluster.sim().partition(&[&cluster.server_names(group)]);
}
