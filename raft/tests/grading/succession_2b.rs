//! Part 2B: who leads when, now that logs differ (§5.4.1), and what becomes of commands meanwhile.

use std::time::Duration;

use labrpc::spawn;
use testkit::{ELECTION_TIMEOUT, Violation, lab_test, wait_until};

use crate::cluster::RaftCluster;

/// How often an election is looked for.
const INTERVAL: Duration = Duration::from_millis(10);

/// Candidates whose logs are behind cannot keep the one from standing who can be elected: a denied
/// vote does not restart the election timer of the server that denies it (§5.2, and the course's
/// guide for students).
///
/// Four of seven servers reach each other, so a candidate needs all their votes. P has an entry that
/// the other three lack, so only P can be elected (§5.4.1), when its own timer ends. If each vain
/// candidacy restarts that timer, P has to be the first of four by chance.
#[test]
fn stale_candidates_do_not_delay_2b() {
    lab_test("stale_candidates_do_not_delay_2b", |sim| {
        /// How many elections of each kind are compared.
        const ROUNDS: u32 = 12;
        let cluster = RaftCluster::start(sim, 7);
        let (mut anybody, mut only_p) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..ROUNDS {
            // An ordinary election.
            let (old, term) = cluster.check_leader_and_term();
            let others: Vec<usize> = cluster.all().filter(|&server| server != old).collect();
            cluster.disconnect(old);
            let began = sim.elapsed();
            cluster.wait_for_leader_among(&others, term, INTERVAL);
            anybody += sim.elapsed() - began;
            cluster.connect(old);
            cluster.one_retrying(cluster.command(), 7);

            // Three servers, too few to elect anybody, stand without success, so that P hears of a
            // later term when it meets them.
            let p = cluster.check_one_leader();
            let three = [1, 2, 3].map(|places| cluster.after(p, places));
            cluster.connect_only(&three);
            cluster.propose(p, &cluster.command());
            let term = cluster.highest_term();
            if !cluster.wait_for_term(three[0], term + 1) {
                return; // They do not stand without a chance, so they cannot delay anybody.
            }
            let four = [p, three[0], three[1], three[2]];
            cluster.connect_only(&four);
            let began = sim.elapsed();
            cluster.wait_for_leader_among(&four, term, INTERVAL);
            only_p += sim.elapsed() - began;

            cluster.one_retrying(cluster.command(), 4);
            cluster.all().for_each(|server| cluster.connect(server));
            cluster.one_retrying(cluster.command(), 7);
        }
        sim.check(check_ratio(only_p.as_secs_f64() / anybody.as_secs_f64()));
    });
}

/// Checks how many times as long an election takes, on average, if only one server can win.
fn check_ratio(ratio: f64) -> Result<(), Violation> {
    const LIMIT: f64 = 3.5;
    if ratio <= LIMIT {
        return Ok(());
    }
    let actual = format!("an election takes {ratio:.1} times as long if only one server can win");
    Err(Violation::new("candidates that cannot win do not delay the one that can", actual)
        .expected(format!("at most {LIMIT} times, on average")))
}

/// A server that is deposed at this very moment either takes a command as the leader that it was, or
/// refuses it: whether it leads is decided together with the place in the log (Figure 2, rules for
/// leaders).
///
/// An entry that a follower appends by itself may have the same index and term as one of the leader,
/// and then nobody notices that they differ.
#[test]
fn start_as_leadership_ends_2b() {
    lab_test("start_as_leadership_ends_2b", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        for _ in 0..10 {
            let old = cluster.check_one_leader();
            cluster.disconnect(old);
            cluster.one_retrying(cluster.command(), 2);

            // The old leader still takes commands, from six tasks at once, until it hears the new
            // one, which brings its log up to date in the same message: the next place is the same
            // for both.
            let propose = |_| {
                let cluster = cluster.clone();
                spawn(move || propose_until_deposed(&cluster, old))
            };
            let tasks: Vec<_> = (0..6).map(propose).collect();
            cluster.connect(old);
            tasks.into_iter().for_each(|task| task.join().expect("tests do not crash"));
            cluster.one_retrying(cluster.command(), 3);
        }
    });
}

/// Proposes commands to a leader until it refuses one, but not for long.
fn propose_until_deposed(cluster: &RaftCluster, leader: usize) {
    let is_deposed = || cluster.propose(leader, &cluster.command()).is_none();
    _ = wait_until(ELECTION_TIMEOUT, ELECTION_TIMEOUT / 1000, is_deposed);
}
