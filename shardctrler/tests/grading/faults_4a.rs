//! Ours: lost messages, partitions, and servers that go down.

use std::time::Duration;

use labrpc::{sleep, spawn};
use shardctrler::Gid;
use testkit::{ELECTION_TIMEOUT, lab_test, wait_until};

use crate::clerk::group;
use crate::cluster::CtrlCluster;
use crate::crowd::{self, Faults};

/// Requests that are sent again, because the network has lost the reply, take effect once.
#[test]
fn requests_count_once_4a() {
    lab_test("requests_count_once_4a", |sim| crowd::run(sim, Faults::default()));
}

/// The same, while all servers go down and up again.
#[test]
fn requests_count_once_despite_restarts_4a() {
    lab_test("requests_count_once_despite_restarts_4a", |sim| {
        crowd::run(sim, Faults { restarts: true, ..Faults::default() });
    });
}

/// The same, while the servers are split again and again.
#[test]
fn requests_count_once_despite_partitions_4a() {
    lab_test("requests_count_once_despite_partitions_4a", |sim| {
        crowd::run(sim, Faults { partitions: true, ..Faults::default() });
    });
}

/// A leader that was replaced without knowing it does not answer with what it knows.
#[test]
fn old_leader_does_not_answer_4a() {
    lab_test("old_leader_does_not_answer_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.join([group(1, "a")]);
        clerk.latest();

        let old = cluster.leader();
        let others: Vec<usize> = cluster.all().filter(|&server| server != old).collect();
        cluster.partition(&others, &[old]);
        let (mut majority, _) = cluster.client_of(&others);
        majority.join([group(2, "b")]);
        majority.leave(&[1]);
        cluster.check_groups(&mut majority, &[2]);

        // Its clerk compares the answer with what was seen, whenever it comes.
        let (mut minority, client) = cluster.client_of(&[old]);
        let query = spawn(move || minority.latest());
        sleep(ELECTION_TIMEOUT);
        cluster.connect_all();
        client.reach_all();
        if !wait_until(5 * ELECTION_TIMEOUT, ELECTION_TIMEOUT / 10, || query.is_finished()) {
            sim.violated("a query returns once the partition has healed", "it does not return");
        }
        cluster.check_groups(&mut clerk, &[2]);
        cluster.check_history(&mut clerk);
    });
}

/// All configurations survive when servers go down, however long the log has become.
#[test]
fn history_survives_restarts_4a() {
    /// Enough queries for a log of ten thousand bytes, if they go into the log.
    const QUERIES: usize = 250;
    lab_test("history_survives_restarts_4a", |sim| {
        let cluster = CtrlCluster::start(sim);
        let mut clerk = cluster.client();
        for round in 0..3 {
            // One server lags behind, and has to catch up when it is back.
            let absent = round as usize;
            cluster.bring_down(absent);
            let gids: Vec<Gid> = (1..=8).map(|number| 100 * round + number).collect();
            for &gid in &gids {
                clerk.join([group(gid, &format!("server-{gid}-a server-{gid}-b server-{gid}-c"))]);
            }
            (0..QUERIES).for_each(|_| drop(clerk.latest()));
            clerk.leave(&gids[..7]);
            cluster.connect_all();
            sleep(Duration::from_millis(500));
            cluster.restart_all();
            cluster.check_history(&mut clerk);
        }
        cluster.check_groups(&mut clerk, &[8, 108, 208]);
    });
}
