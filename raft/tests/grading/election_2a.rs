//! Part 2A: leader election (§5.2).

use std::time::Duration;

use log::warn;
use testkit::{ELECTION_TIMEOUT, LabTest, Violation, lab_test};

use crate::cluster::RaftCluster;

/// A leader is elected, and without failures it stays leader in the same term.
#[test]
fn initial_election_2a() {
    lab_test("initial_election_2a", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        cluster.check_one_leader();

        // Let everybody learn of the election.
        sim.sleep(Duration::from_millis(50));
        let term = cluster.check_terms();
        if term < 1 {
            sim.violated("terms begin at 1", format!("term is {term}, but should be >= 1"));
        }

        sim.sleep(2 * ELECTION_TIMEOUT);
        let later = cluster.check_terms();
        if later != term {
            // Legal, but a sign of weak timers.
            warn!("the term changed though nothing failed");
        }
        sim.check(check_quiet_terms(term, later));
        cluster.check_one_leader();
    });
}

/// A term may change once or twice though nothing failed, but not more often.
fn check_quiet_terms(before: u64, after: u64) -> Result<(), Violation> {
    if after <= before + 2 {
        return Ok(());
    }
    let actual = format!("the term went from {before} to {after} though nothing failed");
    Err(Violation::new("a leader keeps the others from standing", actual))
}

/// A new leader replaces one that is cut off; the old one steps down when it is back; no server leads
/// without a majority.
#[test]
fn re_election_2a() {
    lab_test("re_election_2a", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        let first = cluster.check_one_leader();

        // If the leader is cut off, a new one is elected.
        cluster.disconnect(first);
        cluster.check_one_leader();

        // The old leader must not disturb the new one, and must see that its time is over.
        cluster.connect(first);
        let second = cluster.check_one_leader();
        cluster.check_nobody_else_leads(second);

        // Without a majority nobody is elected.
        let other = cluster.after(second, 1);
        cluster.disconnect(second);
        cluster.disconnect(other);
        sim.sleep(2 * ELECTION_TIMEOUT);
        cluster.check_no_leader_among(&cluster.connected());

        // With a majority somebody is.
        cluster.connect(other);
        cluster.check_one_leader();

        // The last one joins without harm.
        cluster.connect(second);
        cluster.check_one_leader();
    });
}

/// Whichever three of seven servers are cut off, the other four have or elect a leader.
#[test]
fn many_elections_2a() {
    lab_test("many_elections_2a", |sim| {
        let cluster = RaftCluster::start(sim, 7);
        cluster.check_one_leader();
        for _ in 0..9 {
            let victims = [(); 3].map(|()| cluster.random_server());
            victims.iter().for_each(|&server| cluster.disconnect(server));
            cluster.check_one_leader();
            victims.iter().for_each(|&server| cluster.connect(server));
        }
        cluster.check_one_leader();
    });
}

/// Candidates that stand at the same moment do not go on to do so: their next timeouts differ
/// (§5.2).
///
/// No task stands still in this test, so only the servers themselves can break a tie.
#[test]
fn split_votes_end_2a() {
    LabTest::new("split_votes_end_2a").without_stalls().run(|sim| {
        let cluster = RaftCluster::start(sim, 5);
        for _ in 0..3 {
            let leader = cluster.check_one_leader();
            cluster.disconnect(leader);
            cluster.check_one_leader();
            cluster.connect(leader);
        }
    });
}

/// Half of an even number of servers is not a majority: two of four elect nobody (§5.2).
#[test]
fn half_elects_nobody_2a() {
    lab_test("half_elects_nobody_2a", |sim| {
        let cluster = RaftCluster::start(sim, 4);
        for _ in 0..2 {
            let leader = cluster.check_one_leader();
            let half = [1, 2].map(|places| cluster.after(leader, places));
            cluster.partition(&[&half, &[leader, cluster.after(leader, 3)]]);
            sim.sleep(3 * ELECTION_TIMEOUT);
            cluster.check_no_leader_among(&half);
            cluster.heal();
        }
        cluster.check_one_leader();
    });
}
