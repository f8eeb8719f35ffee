//! Part 2B: what may be called committed (§5.3, §5.4). Scenes that chance alone hardly ever plays.

use std::time::Duration;

use labrpc::rng;
use rand::RngExt as _;
use testkit::{ELECTION_TIMEOUT, lab_test, wait_until};

use crate::cluster::RaftCluster;

/// An entry of an earlier term is not committed by counting replicas (§5.4.2, Figure 8).
///
/// ```text
///        (a)     (b)     (c)     (d)          L and F have 2 in term 1; then P has 3 in term 2;
///     L  1 2     1 2     1 2     .            then L leads in term 3 and copies its 2 to A, so a
///     F  1 2     1 2     1 2     .            majority has it; yet it is not committed, since P
///     A  1       1       1 2     1 3 4        wins the next election and overwrites it.
///     B  1       1       .       1 3 4
///     P  1       1 3     .       1 3 4
/// ```
#[test]
fn old_terms_commit_indirectly_2b() {
    lab_test("old_terms_commit_indirectly_2b", |sim| {
        let cluster = RaftCluster::start(sim, 5);
        cluster.one_retrying(cluster.command(), 5);

        // (a) A leader copies an entry to one follower only.
        let first = cluster.check_one_leader();
        let follower = cluster.after(first, 1);
        cluster.connect_only(&[first, follower]);
        cluster.propose(first, &cluster.command());
        sim.sleep(ELECTION_TIMEOUT / 2);

        // (b) Among the others one is elected and takes an entry that it copies to nobody.
        let others = [2, 3, 4].map(|places| cluster.after(first, places));
        cluster.connect_only(&others);
        let (rival, term) = cluster.check_leader_and_term();
        cluster.disconnect(rival);
        cluster.propose(rival, &cluster.command());

        // (c) The first two come back, and their entry spreads to a third server.
        let third = others.into_iter().find(|&other| other != rival).expect("there are two");
        cluster.connect_only(&[first, follower, third]);
        let interval = Duration::from_millis(10);
        cluster.wait_for_leader_among(&[first, follower, third], term, interval);
        sim.sleep(ELECTION_TIMEOUT);

        // (d) The rival's entry is of a later term, so it can win, and commits its own entry.
        let fourth = others.into_iter().find(|&other| other != rival && other != third);
        cluster.connect_only(&[rival, third, fourth.expect("there are three")]);
        cluster.one_retrying(cluster.command(), 3);

        cluster.connect_only(&[0, 1, 2, 3, 4]);
        cluster.one_retrying(cluster.command(), 5);
    });
}

/// Half of an even number of servers is not a majority: two of four commit nothing (§5.2).
#[test]
fn half_commits_nothing_2b() {
    lab_test("half_commits_nothing_2b", |sim| {
        let cluster = RaftCluster::start(sim, 4);
        for _ in 0..3 {
            let last = cluster.one_retrying(cluster.command(), 4);
            let leader = cluster.check_one_leader();
            let [second, third, fourth] = [1, 2, 3].map(|places| cluster.after(leader, places));
            cluster.partition(&[&[leader, second], &[third, fourth]]);
            for _ in 0..20 {
                cluster.propose_to_all(&cluster.command());
                sim.sleep(ELECTION_TIMEOUT / 10);
            }
            cluster.check_not_committed(last + 1);
            cluster.heal();
        }
        cluster.one_retrying(cluster.command(), 4);
    });
}

/// What a leader commits is on a majority at that very moment, even if it is cut off at the next.
#[test]
fn leader_lost_as_it_commits_2b() {
    lab_test("leader_lost_as_it_commits_2b", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        for round in 0..20 {
            let leader = cluster.check_one_leader();
            let spare = cluster.after(leader, 1 + round % 2);
            cluster.disconnect(spare);
            cluster.network().set_reliable(round % 2 == 0); // Else requests overtake each other.
            propose_until_applied(&cluster, leader);

            // Whatever the leader has applied by now, its only follower has too.
            cluster.disconnect(leader);
            cluster.network().set_reliable(true);
            cluster.connect(spare);
            cluster.one_retrying(cluster.command(), 2);
            cluster.connect(leader);
        }
        cluster.one_retrying(cluster.command(), 3);
    });
}

/// Proposes commands to a leader in quick succession until it applies one of them.
fn propose_until_applied(cluster: &RaftCluster, leader: usize) {
    let applied = || cluster.ledger(|ledger| ledger.applied(leader));
    let before = applied();
    for _ in 0..100 {
        let taken = cluster.propose(leader, &cluster.command());
        let patience = Duration::from_micros(100 * rng().random_range(0..20));
        let is_over = || taken.is_none() || applied() > before;
        if wait_until(patience, Duration::from_micros(100), is_over) {
            return;
        }
    }
}

/// An acknowledgement counts only in the term of its request: later, the follower's log may not be
/// what the leader's is now.
///
/// ```text
///        (a)     (b)     (c)     (d)
///     L  1 X X   1 Y Y   1 Y Y   1 Y Y Z Z   (a) L, not knowing of M's term, copies Xs to F, whose
///     F  1 X X   .       .       .               answers are held back; (b) M overwrites them on L;
///     M  1       1 Y Y   .       .               (c) L is elected, with longer log than G and H;
///     G  1       .       1 Y     1 Y Y Z Z   (d) when F's answers come at last, L must not think
///     H  1       .       1 Y     .               that F has Zs, and so a majority.
/// ```
#[test]
fn late_acknowledgements_2b() {
    lab_test("late_acknowledgements_2b", |sim| {
        let cluster = RaftCluster::start(sim, 5);
        let interval = Duration::from_millis(10);
        for _ in 0..3 {
            cluster.one_retrying(cluster.command(), 5);

            // (a)
            let (l, term) = cluster.check_leader_and_term();
            let f = cluster.after(l, 1);
            let three = [2, 3, 4].map(|places| cluster.after(l, places));
            cluster.partition(&[&[l, f], &three]);
            let (m, term) = cluster.wait_for_leader_among(&three, term, interval);
            cluster.hold_replies(l, f);
            propose_several(&cluster, l, 10);
            sim.sleep(ELECTION_TIMEOUT / 4);
            cluster.pass(l, f);

            // (b)
            propose_several(&cluster, m, 1);
            sim.sleep(ELECTION_TIMEOUT / 50);
            let [g, h] = three.into_iter().filter(|&i| i != m).collect::<Vec<_>>()[..] else {
                unreachable!("there are two");
            };
            cluster.partition(&[&[l, m], &[f], &[g, h]]);
            propose_several(&cluster, m, 2);
            sim.sleep(ELECTION_TIMEOUT / 5);

            // (c)
            cluster.partition(&[&[l, g, h], &[m], &[f]]);
            let (elected, _) = cluster.wait_for_leader_among(&[l, g, h], term, interval);

            // (d)
            cluster.partition(&[&[l, g], &[h], &[m], &[f]]);
            if elected == l {
                let first = cluster.propose(l, &cluster.command());
                propose_several(&cluster, l, 12);
                sim.sleep(ELECTION_TIMEOUT / 4);
                cluster.network().release();
                sim.sleep(ELECTION_TIMEOUT / 4);
                first.into_iter().for_each(|pos| cluster.check_not_committed(pos.index));
            }
            cluster.heal();
            cluster.network().release();
        }
        cluster.one_retrying(cluster.command(), 5);
    });
}

/// Proposes so many commands to one server.
fn propose_several(cluster: &RaftCluster, server: usize, count: usize) {
    (0..count).for_each(|_| _ = cluster.propose(server, &cluster.command()));
}
