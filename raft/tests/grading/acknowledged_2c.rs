//! Part 2C: what a server has answered for is on its disk, at that very moment, and nothing else.

use std::time::Duration;

use testkit::{ELECTION_TIMEOUT, lab_test, wait_until};

use crate::cluster::{RaftCluster, SLOW_DISK};

/// An entry that a leader has committed with one follower's word survives that follower's restart,
/// however soon it comes (Figure 2: saved before responding to RPCs).
#[test]
fn acknowledged_entry_survives_restart_2c() {
    lab_test("acknowledged_entry_survives_restart_2c", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        cluster.slow_disks_down(SLOW_DISK);
        for round in 0..10 {
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

/// Entries that a leader has overwritten are gone, on the disk too: a restart does not bring back
/// those that stood behind the last new one (Figure 2, AppendEntries step 3).
#[test]
fn overwritten_entries_stay_gone_2c() {
    lab_test("overwritten_entries_stay_gone_2c", |sim| {
        let cluster = RaftCluster::start(sim, 5);
        overwrite_and_restart(&cluster);
    });
}

/// Has entries of one of five servers overwritten, and restarts it, three times.
///
/// ```text
///        (a)       (b)     (c)
///     A  1 X X X   .       1 X X X    (a) A copies Xs to B only. (b) M, elected by the other three,
///     B  1 X X X   1 Y     1 Y        overwrites the first of them on B and commits Y with K and B.
///     N  1         .       1          (c) B restarts and is asked for its vote by A, whose log is
///     M  1         1 Y     .          longer, but older than what B has in truth. Only B may be
///     K  1         1 Y     .          elected: A would lose Y.
/// ```
pub fn overwrite_and_restart(cluster: &RaftCluster) {
    for _ in 0..3 {
        cluster.one_retrying(cluster.command(), 5);

        // (a)
        let (a, term) = cluster.check_leader_and_term();
        let b = cluster.after(a, 1);
        let three = [2, 3, 4].map(|places| cluster.after(a, places));
        cluster.partition(&[&[a, b], &three]);
        (0..3).for_each(|_| _ = cluster.propose(a, &cluster.command()));
        let (m, _) = cluster.wait_for_leader_among(&three, term, Duration::from_millis(10));

        // (b)
        let rest: Vec<usize> = three.into_iter().filter(|&server| server != m).collect();
        let (k, n) = (rest[0], rest[1]);
        cluster.disconnect(a);
        cluster.disconnect(n);
        cluster.heal();
        cluster.one_retrying(cluster.command(), 3);

        // (c) B is heard by nobody for a while, so that A stands first.
        cluster.restart(b);
        cluster.cut(b, a);
        cluster.cut(b, n);
        cluster.disconnect(m);
        cluster.disconnect(k);
        [a, b, n].iter().for_each(|&server| cluster.connect(server));
        cluster.sim().sleep(3 * ELECTION_TIMEOUT);
        cluster.heal();
        cluster.one_retrying(cluster.command(), 3);
        cluster.connect(m);
        cluster.connect(k);
    }
    cluster.one_retrying(cluster.command(), 5);
}
