//! Part 2A: who leads when, beyond the course's tests.

use std::time::Duration;

use raft::RaftState;
use testkit::{Culprit, ELECTION_TIMEOUT, lab_test, wait_until};

use crate::cluster::{ON_THE_WAY, RaftCluster};

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

/// A new leader is left alone: a server that has voted for it, or heard it, waits for an election
/// timeout before it stands (Figure 2, rules for followers).
///
/// One whose timer ran out just before must look at it again when it has the lock under which it
/// stands. If it does not, it deposes the leader that it has just voted for.
#[test]
fn new_leader_is_left_alone_2a() {
    lab_test("new_leader_is_left_alone_2a", |sim| {
        let cluster = RaftCluster::start(sim, 7);
        let (mut old, mut before) = cluster.check_leader_and_term();
        while sim.elapsed() < 90 * ELECTION_TIMEOUT {
            let others: Vec<usize> = cluster.all().filter(|&server| server != old).collect();
            cluster.disconnect(old);
            let interval = Duration::from_millis(5);
            let (elected, term) = cluster.wait_for_leader_among(&others, before, interval);

            // Shorter than any election timeout.
            sim.sleep(ELECTION_TIMEOUT * 6 / 100);
            let state = cluster.state(elected).expect("it is up");
            // A server that stands still answers late, so its term may be older than the first
            // answer that names it.
            let lasted = cluster.ledger(|ledger| ledger.lasted_at_most(term, &others));
            let is_deposed = state != (RaftState { term, is_leader: true });
            if is_deposed && lasted.is_some_and(|lasted| lasted < ELECTION_TIMEOUT / 10) {
                let actual = format!(
                    "S{elected}@{term} was elected, and deposed by term {} within 0.1 s",
                    state.term
                );
                sim.violated("a server that has voted waits before it stands", actual);
            }
            cluster.connect(old);
            sim.sleep(ELECTION_TIMEOUT / 50);
            (old, before) = (elected, term);
        }
    });
}

/// A candidate that finds another leader elected in its own term follows it (§5.2), instead of
/// deposing it with the next term.
///
/// Of five servers the leader and the candidate are cut off. The other three elect a leader, and the
/// candidate stands alone until it has come to that very term.
#[test]
fn candidate_gives_way_2a() {
    lab_test("candidate_gives_way_2a", |sim| {
        /// How often the scene is played.
        const ROUNDS: u32 = 5;
        let cluster = RaftCluster::start(sim, 5);
        let (mut deposed, mut last) = (0, Culprit::default());
        for _ in 0..ROUNDS {
            let (old, before) = cluster.check_leader_and_term();
            let candidate = cluster.after(old, 1);
            let three = [2, 3, 4].map(|places| cluster.after(old, places));
            cluster.disconnect(old);
            cluster.disconnect(candidate);
            let interval = Duration::from_millis(10);
            let (elected, term) = cluster.wait_for_leader_among(&three, before, interval);
            if !cluster.wait_for_term(candidate, term) {
                return; // Alone it never stands, so it cannot be in anybody's way.
            }
            cluster.connect(candidate);
            sim.sleep(2 * ELECTION_TIMEOUT);
            let still = RaftState { term, is_leader: true };
            if cluster.state(elected) != Some(still) {
                deposed += 1;
                last = Culprit {
                    others: vec![format!("S{elected}")],
                    term: Some(term),
                    ..Culprit::of(format!("S{candidate}"))
                };
            }
            cluster.connect(old);
        }
        // Once or twice, it may have gone on to the next term before it was heard.
        if deposed == ROUNDS {
            let actual = format!(
                "{deposed} of {ROUNDS} times, a candidate deposed the leader of its own term"
            );
            sim.violated_by(last, "a candidate gives way to the leader of its term", actual);
        }
    });
}

/// A vote counts in the term for which it was asked, and not in a later one (§5.2), also if it comes
/// late.
#[test]
fn votes_count_in_one_term_2a() {
    lab_test("votes_count_in_one_term_2a", |sim| {
        let cluster = RaftCluster::start(sim, 5);
        for vote in [Vote::InTime, Vote::Late, Vote::InTime, Vote::Late] {
            let leader = cluster.check_one_leader();
            let five = [0, 1, 2, 3, 4].map(|places| cluster.after(leader, places));
            let [_, c, a, b, _] = five;
            let is_asked = ask_two_in_two_terms(&cluster, vote, five);
            if is_asked && cluster.wait_for_state(c, |state| state.is_leader) {
                let actual = format!(
                    "S{c} leads with the vote of S{a} for an earlier term and that of S{b} for this \
                     one"
                );
                let property = "a candidate needs the votes of a majority in its term";
                sim.violated_by(Culprit::of(format!("S{c}")), property, actual);
            }
            cluster.pass(c, a);
            cluster.heal();
            cluster.network().release();
        }
        cluster.check_one_leader();
    });
}

/// When a candidate gets a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vote {
    /// In the term for which it was asked.
    InTime,
    /// When the candidate stands in a later term.
    Late,
}

/// Of five servers, C asks only A for its vote, and stands again without reaching any server. Then it
/// asks only B. So it has three votes, its own included, but in no term more than two. False if it
/// does not stand: some do not without a chance, and some wait for very long.
fn ask_two_in_two_terms(cluster: &RaftCluster, vote: Vote, [l, c, a, b, d]: [usize; 5]) -> bool {
    // A hears the leader, and so does not stand itself.
    [l, b, d].iter().for_each(|&other| cluster.separate(c, other));
    cluster.cut(a, c);
    if vote == Vote::Late {
        cluster.hold_requests(c, a);
    }
    if !stands_again(cluster, c) {
        return false;
    }
    match vote {
        Vote::InTime => {
            cluster.sim().sleep(ON_THE_WAY);
            cluster.partition(&[&[c], &[a], &[l, b, d]]);
            if !stands_again(cluster, c) {
                return false;
            }
            cluster.partition(&[&[c, b], &[a], &[l, d]]);
            cluster.cut(b, c);
        }
        Vote::Late => {
            cluster.cut(c, a);
            if !stands_again(cluster, c) {
                return false;
            }
            cluster.mend(c, b);
            if !stands_again(cluster, c) {
                return false;
            }
            cluster.sim().sleep(ON_THE_WAY);
            // In this order: what C sends on the mended link is held, and must not be released. What
            // is released arrives after the link was mended.
            cluster.network().release();
            cluster.mend(c, a);
        }
    }
    true
}

/// Waits until a server stands for election in a later term than it is in now; false if it does not.
fn stands_again(cluster: &RaftCluster, server: usize) -> bool {
    let before = cluster.state(server).map_or(0, |state| state.term);
    cluster.wait_for_state(server, |state| state.term > before)
}

/// A leader that can call the others, but is not called by them, learns from their replies that its
/// term is over (§5.1: "request or response").
///
/// Or it steps down because a majority did not answer it while it was cut off (thesis, 6.2): then it
/// has nothing to ask the others, and need not learn their term.
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
        [1, 2].iter().for_each(|&places| cluster.cut(cluster.after(old, places), old));
        cluster.connect(old);
        let leads_in_old_term = RaftState { term, is_leader: true };
        let is_over = || cluster.state(old) != Some(leads_in_old_term);
        if !wait_until(5 * ELECTION_TIMEOUT, ELECTION_TIMEOUT / 10, is_over) {
            let actual = format!("S{old} leads in term {term}, whatever it is answered");
            let culprit = Culprit { term: Some(term), ..Culprit::of(format!("S{old}")) };
            let property = "a leader that hears of a later term in a reply steps down";
            sim.violated_by(culprit, property, actual);
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
