//! Part 2A: leader election (§5.2).

use labrpc::rng;
use log::warn;
use rand::RngExt as _;
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
