//! Part 2C: a leader's acknowledgements come when it leads again, in a later term.

use std::time::Duration;

use testkit::lab_test;

use crate::cluster::{ELECTION_TIMEOUT, RaftCluster};

/// What a follower has stored in one term says nothing about a later one, in which its log may have
/// been cut back (§5.3): an acknowledgement counts in the term of its request.
///
/// L and S are cut off from the others, who elect M. L sends S many entries, and S's acknowledgements
/// are held back by the network. M then overwrites both logs with a few entries of its own. If L is
/// elected next, and believes that S still has all those entries, it commits new ones that only one
/// other server has.
#[test]
fn late_acknowledgement_2c() {
    lab_test("late_acknowledgement_2c", |sim| {
        let cluster = RaftCluster::start(sim, 5);
        for _ in 0..8 {
            cluster.one_retrying(cluster.command(), 5);
            let l = cluster.check_one_leader();
            let [s, x, y, z] = [1, 2, 3, 4].map(|places| cluster.after(l, places));
            [x, y, z].iter().for_each(|&other| {
                cluster.separate(l, other);
                cluster.separate(s, other);
            });
            let poll = Duration::from_millis(5);
            let (m, _) = cluster.wait_for_leader_among(&[x, y, z], poll);
            let (y, z) = if m == x {
                (y, z)
            } else if m == y {
                (x, z)
            } else {
                (x, y)
            };
            cluster.network().set_long_reordering(true);
            (0..40).for_each(|_| _ = cluster.propose(l, &cluster.command()));
            sim.sleep(ELECTION_TIMEOUT / 5);
            cluster.network().set_long_reordering(false);

            // M's term overwrites what L and S have.
            cluster.propose(m, &cluster.command());
            cluster.heal();
            sim.sleep(ELECTION_TIMEOUT / 4);

            // L, S and Z elect one of them. If it is L, S leaves it, and L goes on with Z.
            cluster.connect_only(&[l, s, z]);
            let (elected, _) = cluster.wait_for_leader_among(&[l, s, z], poll);
            if elected == l {
                cluster.disconnect(s);
                for _ in 0..20 {
                    cluster.propose(l, &cluster.command());
                    sim.sleep(ELECTION_TIMEOUT / 10);
                }
            }

            // The others know nothing of that.
            cluster.connect_only(&[s, m, y]);
            cluster.one_retrying(cluster.command(), 3);
            cluster.connect_only(&[0, 1, 2, 3, 4]);
        }
    });
}
