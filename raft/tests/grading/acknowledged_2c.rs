//! Part 2C: what a server has answered for is on its disk, at that very moment.

use std::time::Duration;

use testkit::{lab_test, wait_until};

use crate::cluster::RaftCluster;

/// An entry that a leader has committed with one follower's word survives that follower's restart,
/// however soon it comes (Figure 2: saved before responding to RPCs).
#[test]
fn acknowledged_entry_survives_restart_2c() {
    lab_test("acknowledged_entry_survives_restart_2c", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        for round in 0..30 {
            let leader = cluster.check_one_leader();
            let (spare, follower) = match round % 2 {
                0 => (cluster.after(leader, 1), cluster.after(leader, 2)),
                _ => (cluster.after(leader, 2), cluster.after(leader, 1)),
            };
            cluster.disconnect(spare);
            cluster.propose(leader, &cluster.command());
            wait_for_commit(&cluster, leader);

            // The leader counts on what the follower has stored. It restarts that very moment, and
            // goes on with the one who knows nothing of it.
            cluster.restart(follower);
            cluster.disconnect(leader);
            cluster.connect(follower);
            cluster.connect(spare);
            cluster.one_retrying(cluster.command(), 2);
            cluster.connect(leader);
        }
        cluster.one_retrying(cluster.command(), 3);
    });
}

/// Waits until a leader applies something, but not for long.
fn wait_for_commit(cluster: &RaftCluster, leader: usize) {
    let applied = || cluster.ledger(|ledger| ledger.applied(leader));
    let before = applied();
    _ = wait_until(Duration::from_millis(100), Duration::from_micros(100), || applied() > before);
}
