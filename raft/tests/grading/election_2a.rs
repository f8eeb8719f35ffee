//! Part 2A: leader election (§5.2).

use std::time::Duration;

use log::warn;
use testkit::{ELECTION_TIMEOUT, Violation, lab_test};

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

/// Candidates whose logs are behind cannot keep the one from standing who can be elected: a denied
/// vote does not restart the election timer of the server that denies it (§5.2, and the course's
/// guide for students).
///
/// Four of seven servers can reach each other, so a candidate needs all their votes. P has an entry
/// that the other three lack, so only P can be elected (§5.4.1), when its own timer ends. If each
/// vain candidacy restarts that timer, P has to be the first of four by chance.
#[test]
fn stale_candidates_do_not_delay_2a() {
    lab_test("stale_candidates_do_not_delay_2a", |sim| {
        /// How many elections of each kind are compared.
        const ROUNDS: u32 = 12;
        let interval = Duration::from_millis(10);
        let cluster = RaftCluster::start(sim, 7);
        let (mut anybody, mut only_one) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..ROUNDS {
            // P takes an entry that it copies to nobody, while any other one is elected.
            let p = cluster.check_one_leader();
            cluster.disconnect(p);
            cluster.propose(p, &cluster.command());
            let others: Vec<usize> = cluster.all().filter(|&server| server != p).collect();
            let began = sim.elapsed();
            let (elected, _) = cluster.wait_for_leader_among(&others, interval);
            anybody += sim.elapsed() - began;

            // P meets three of those who have heard of the new term.
            sim.sleep(ELECTION_TIMEOUT / 5);
            let three = others.into_iter().filter(|&server| server != elected).take(3);
            let four: Vec<usize> = three.chain([p]).collect();
            cluster.connect_only(&four);
            let began = sim.elapsed();
            cluster.wait_for_leader_among(&four, interval);
            only_one += sim.elapsed() - began;
            cluster.one_retrying(cluster.command(), 4);
            cluster.connect_only(&[0, 1, 2, 3, 4, 5, 6]);
            cluster.one_retrying(cluster.command(), 7);
        }
        sim.check(check_ratio(only_one.as_secs_f64() / anybody.as_secs_f64()));
    });
}

/// Checks how many times as long an election takes, on average, if only one server can win.
fn check_ratio(ratio: f64) -> Result<(), Violation> {
    /// A good solution needs up to 2.1 times as long as when anybody can win, with timeouts as
    /// unlike each other as 250 and 1500 ms; with the mistake it is four times and more.
    const LIMIT: f64 = 3.5;
    if ratio <= LIMIT {
        return Ok(());
    }
    let actual = format!("an election takes {ratio:.1} times as long if only one server can win");
    Err(Violation::new("candidates that cannot win do not delay the one that can", actual)
        .expected(format!("at most {LIMIT} times, on average")))
}
