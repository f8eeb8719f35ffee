//! Part 2D: snapshots and entries that overtake each other.

use std::time::Duration;

use testkit::{ELECTION_TIMEOUT, lab_test, wait_until};

use crate::cluster::{ON_THE_WAY, RaftCluster};

/// Many commands at once, while replies are lost or late, so that a leader takes snapshots of what
/// it believes that a follower lacks; then everybody catches up.
#[test]
fn snapshots_and_entries_overtake_2d() {
    lab_test("snapshots_and_entries_overtake_2d", |sim| {
        let cluster = RaftCluster::start_with_snapshots(sim, 3);
        cluster.one_retrying(cluster.command(), 3);
        for _ in 0..40 {
            let leader = cluster.check_one_leader();
            cluster.network().set_reliable(false);
            cluster.network().set_long_reordering(true);
            for _ in 0..8 {
                (0..15).for_each(|_| _ = cluster.propose(leader, &cluster.command()));
                sim.sleep(ELECTION_TIMEOUT / 20);
            }
            cluster.network().set_long_reordering(false);
            cluster.network().set_reliable(true);
            cluster.one_retrying(cluster.command(), 3);
        }
    });
}

/// A snapshot of what a follower has applied, or has in a later snapshot, changes nothing there
/// (§7). Services hand in their snapshots when the test wants it.
#[test]
fn late_snapshots_2d() {
    lab_test("late_snapshots_2d", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        cluster.network().set_long_delays(false);
        for _ in 0..3 {
            snapshot_of_what_is_applied(&cluster);
            snapshot_that_is_overtaken(&cluster);
        }
    });
}

/// A follower applies entries, and its leader does not hear of it: it has dropped them when it sends
/// them once more, and sends a snapshot.
fn snapshot_of_what_is_applied(cluster: &RaftCluster) {
    cluster.one_retrying(cluster.command(), 3);
    let leader = cluster.check_one_leader();
    let follower = cluster.after(leader, 1);
    cluster.cut(leader, follower);
    if let Some((first, last)) = commit_three(cluster, leader, leader) {
        cluster.mend(leader, follower);
        wait_until_applied(cluster, follower, last);
        cluster.cut(leader, follower); // The reply is on its way.
        cluster.sim().sleep(ON_THE_WAY);
        cluster.snapshot(leader, first);
    }
    cluster.mend(leader, follower);
    cluster.one_retrying(cluster.command(), 3);
}

/// A follower gets a snapshot that its leader sent long ago. It has acknowledged later entries
/// meanwhile, which only the leader has besides it and is cut off with.
fn snapshot_that_is_overtaken(cluster: &RaftCluster) {
    cluster.one_retrying(cluster.command(), 3);
    let leader = cluster.check_one_leader();
    let (follower, third) = (cluster.after(leader, 1), cluster.after(leader, 2));
    cluster.cut(leader, follower);
    if let Some((_, last)) = commit_three(cluster, leader, leader) {
        cluster.snapshot(leader, last);
        // The leader has no entry to send. What it sends with one heartbeat is held.
        cluster.hold_requests(leader, follower);
        cluster.mend(leader, follower);
        cluster.sim().sleep(ELECTION_TIMEOUT / 8);
        cluster.pass(leader, follower);
        wait_until_applied(cluster, follower, last);

        cluster.disconnect(third);
        if let Some((_, last)) = commit_three(cluster, leader, follower) {
            cluster.snapshot(follower, last);
        }
        cluster.network().release();
        cluster.sim().sleep(ON_THE_WAY);
        cluster.disconnect(leader);
        cluster.connect(third);
        cluster.one_retrying(cluster.command(), 2);
        cluster.connect(leader);
    }
    cluster.heal();
    cluster.one_retrying(cluster.command(), 3);
}

/// Proposes three commands to a leader, and waits for a while until a server has applied them;
/// returns the first index and the last, or `None` if the server has not.
fn commit_three(cluster: &RaftCluster, leader: usize, server: usize) -> Option<(u64, u64)> {
    let [first, _, last] = [(); 3].map(|()| cluster.propose(leader, &cluster.command()));
    let (first, last) = (first?.index, last?.index);
    wait_until_applied(cluster, server, last).then_some((first, last))
}

/// Waits until a server has applied an index, but not for long.
fn wait_until_applied(cluster: &RaftCluster, server: usize, index: u64) -> bool {
    let is_applied = || cluster.ledger(|ledger| ledger.applied(server)) >= index;
    // A reply takes 0.1 ms at least.
    wait_until(ELECTION_TIMEOUT / 2, Duration::from_micros(50), is_applied)
}
