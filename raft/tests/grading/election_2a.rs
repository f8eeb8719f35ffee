//! Part 2A: leader election (§5.2).

use log::warn;

use std::time::Duration;
use testkit::{Violation, lab_test};

use crate::cluster::{ELECTION_TIMEOUT, RaftCluster};

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
            sim.fail(Violation::new(
                "terms begin at 1",
                format!("term is {term}, but should be >= 1"),
            ));
        }

        sim.sleep(2 * ELECTION_TIMEOUT);
        if cluster.check_terms() != term {
            // Legal, but a sign of weak timers.
            warn!("the term changed though nothing failed");
        }
        cluster.check_one_leader();
    });
}

/// A new leader replaces one that is cut off; the old one steps down when it is back; nobody leads
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
        cluster.check_no_leader();

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
