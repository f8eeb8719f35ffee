//! Part 2A: who leads when, beyond the course's tests.

use testkit::{ELECTION_TIMEOUT, lab_test, wait_until};

use crate::cluster::RaftCluster;

/// A leader that everybody hears stays leader: elections follow failures, not the clock.
///
/// One election too many is nothing that the paper forbids, and a server that stands still for a
/// moment may cause one; but there is no series of them.
#[test]
fn leader_stays_2a() {
    lab_test("leader_stays_2a", |sim| {
        let cluster = RaftCluster::start(sim, 5);
        cluster.check_one_leader();
        let before = cluster.highest_term();
        sim.sleep(10 * ELECTION_TIMEOUT);
        let elections = cluster.highest_term() - before;
        if elections > 4 {
            let actual = format!("{elections} elections in ten quiet seconds");
            sim.violated("a leader that everybody hears stays leader", actual);
        }
    });
}

/// A candidate that finds another leader elected in its own term follows it (§5.2), instead of
/// deposing it with the next term.
#[test]
fn candidate_gives_way_2a() {
    lab_test("candidate_gives_way_2a", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        let mut deposed = 0;
        for _ in 0..5 {
            // The others elect a leader, whose term is later than that of the one who is cut off.
            let old = cluster.check_one_leader();
            cluster.disconnect(old);
            cluster.check_one_leader();
            let term = cluster.highest_term();

            // It is cut off while it asks for votes, until it has asked for them in that very term.
            cluster.restart(old);
            cluster.wait_for_term(old, term);
            cluster.connect(old);
            sim.sleep(2 * ELECTION_TIMEOUT);
            deposed += u32::from(cluster.highest_term() != term);
        }
        // Once or twice, it may have gone on to the next term before it was heard.
        if deposed == 5 {
            let actual = "5 of 5 times, a candidate deposed the leader of its own term";
            sim.violated("a candidate gives way to the leader of its term", actual);
        }
    });
}

/// A leader that can call the others, but is not called by them, learns from their replies that its
/// term is over (§5.1: "request or response").
#[test]
fn replies_depose_leader_2a() {
    lab_test("replies_depose_leader_2a", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        let old = cluster.check_one_leader();
        let term = cluster.check_terms();
        cluster.disconnect(old);
        cluster.check_one_leader();

        // The others must be in a later term, all of them.
        sim.sleep(ELECTION_TIMEOUT / 2);
        let name = |server: usize| format!("S{server}");
        for places in [1, 2] {
            cluster.network().cut(&name(cluster.after(old, places)), &name(old));
        }
        cluster.connect(old);
        let is_later = || cluster.state(old).is_some_and(|state| state.term > term);
        if !wait_until(5 * ELECTION_TIMEOUT, ELECTION_TIMEOUT / 10, is_later) {
            let actual = format!("S{old} leads in term {term}, whatever it is answered");
            sim.violated("a leader that hears of a later term in a reply steps down", actual);
        }
    });
}

/// Servers that were killed send nothing any more.
#[test]
fn killed_servers_fall_silent_2a() {
    lab_test("killed_servers_fall_silent_2a", |sim| {
        let cluster = RaftCluster::start(sim, 5);
        cluster.check_one_leader();
        cluster.all().for_each(|server| cluster.bring_down(server));

        // What is under way may come to its end.
        sim.sleep(3 * ELECTION_TIMEOUT);
        let before = cluster.network().total_rpcs();
        sim.sleep(3 * ELECTION_TIMEOUT);
        let calls = cluster.network().total_rpcs() - before;
        if calls > 0 {
            let actual = format!("{calls} calls by servers that were killed seconds ago");
            sim.violated("servers that were killed send nothing", actual);
        }
    });
}
