//! Part 2D: snapshots and entries that overtake each other.

use testkit::{ELECTION_TIMEOUT, lab_test};

use crate::cluster::RaftCluster;

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
