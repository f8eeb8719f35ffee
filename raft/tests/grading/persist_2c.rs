//! Part 2C: persistence (handout 2C), and faults of all kinds for everything before.
//!
//! A server goes down in one of two ways, as the seed wants: it crashes, and every task of it stops
//! where it stands, or it is shut down and runs on as a zombie that nobody hears.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use labrpc::{AtomicBool, JoinHandle, rng, sleep, spawn};
use rand::RngExt as _;
use testkit::{ELECTION_TIMEOUT, chance, lab_test, poll};

use crate::cluster::{RaftCluster, SLOW_DISK};
use crate::command::Command;

/// Terms, votes and entries survive restarts of followers, of leaders, and of all at once.
#[test]
fn persist1_2c() {
    lab_test("persist1_2c", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        cluster.one_retrying(11, 3);

        // All restart.
        cluster.all().for_each(|server| cluster.restart(server));
        cluster.connect_only(&[0, 1, 2]);
        cluster.one_retrying(12, 3);

        // The leader restarts.
        let leader = cluster.check_one_leader();
        cluster.restart(leader);
        cluster.connect(leader);
        cluster.one_retrying(13, 3);

        // The leader restarts after it has missed something.
        let leader = cluster.check_one_leader();
        cluster.disconnect(leader);
        cluster.one_retrying(14, 2);
        cluster.restart(leader);
        cluster.connect(leader);
        cluster.wait(4, 3); // Before another one is brought down.

        // A follower restarts after it has missed something.
        let follower = cluster.after(cluster.check_one_leader(), 1);
        cluster.disconnect(follower);
        cluster.one_retrying(15, 2);
        cluster.restart(follower);
        cluster.connect(follower);
        cluster.one_retrying(16, 3);
    });
}

/// Five servers come and go so that no majority stays.
#[test]
fn persist2_2c() {
    lab_test("persist2_2c", |sim| {
        let cluster = RaftCluster::start(sim, 5);
        for _ in 0..5 {
            cluster.one_retrying(cluster.command(), 5);
            let leader = cluster.check_one_leader();
            let peer = |places| cluster.after(leader, places);
            cluster.disconnect(peer(1));
            cluster.disconnect(peer(2));
            cluster.one_retrying(cluster.command(), 3);

            // Two of five come back from a restart, without a majority.
            [leader, peer(3), peer(4)].iter().for_each(|&server| cluster.disconnect(server));
            for server in [peer(1), peer(2)] {
                cluster.restart(server);
                cluster.connect(server);
            }
            sim.sleep(ELECTION_TIMEOUT);

            // A third one, who knows more than they do.
            cluster.restart(peer(3));
            cluster.connect(peer(3));
            cluster.one_retrying(cluster.command(), 3);

            // The others, who never restarted.
            cluster.connect(peer(4));
            cluster.connect(leader);
        }
        cluster.one_retrying(1000, 5);
    });
}

/// The one server that has an entry brings it to another that lacks it.
#[test]
fn persist3_2c() {
    lab_test("persist3_2c", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        cluster.one_retrying(101, 3);

        let leader = cluster.check_one_leader();
        let (second, third) = (cluster.after(leader, 1), cluster.after(leader, 2));
        cluster.disconnect(third);
        cluster.one_retrying(102, 2);

        // Two who know 102 go down. One of them comes back and meets the one who does not.
        cluster.bring_down(leader);
        cluster.bring_down(second);
        cluster.connect(third);
        cluster.bring_up(leader);
        cluster.one_retrying(103, 2);

        cluster.bring_up(second);
        cluster.one_retrying(104, 3);
    });
}

/// A vote that was given survives a restart: nobody votes twice in one term (§5.2).
///
/// A is elected with the vote of V. V restarts at that very moment, before it hears anything more,
/// and then C asks it for its vote in that same term: C was cut off from A all the time, and its
/// term is made to reach A's just then. Or C asks A, which has voted for itself.
#[test]
fn vote_survives_restart_2c() {
    lab_test("vote_survives_restart_2c", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        cluster.slow_disks_down(SLOW_DISK);
        for round in 0..4 {
            cluster.one_retrying(cluster.command(), 3);

            // The leader C is cut off; A is elected with the vote of V.
            let (c, before) = cluster.check_leader_and_term();
            cluster.separate(c, cluster.after(c, 1));
            cluster.separate(c, cluster.after(c, 2));
            // A message takes 0.1 to 1 ms: A's first heartbeat is still on its way.
            let others = [1, 2].map(|places| cluster.after(c, places));
            let interval = Duration::from_micros(200);
            let (a, term) = cluster.wait_for_leader_among(&others, before, interval);

            // V forgets whatever it has not saved.
            let v = cluster.all().find(|server| ![a, c].contains(server)).expect("there are three");
            cluster.restart(v);
            cluster.connect(v);

            // C restarts as a follower of its old term, and campaigns until it reaches A's.
            cluster.restart(c);
            cluster.connect(c);
            if cluster.wait_for_term(c, term - 1) {
                match round % 2 {
                    0 => cluster.reunite(c, v),
                    _ => cluster.mend(c, a),
                }
                sim.sleep(2 * ELECTION_TIMEOUT);
            }
            cluster.heal();
        }
        cluster.one_retrying(cluster.command(), 3);
    });
}

/// Replies that come late, when terms and leaders have changed, count for nothing (§5.1): votes
/// only in the term for which they were given, and acknowledgements only in the term of their
/// request.
#[test]
fn late_replies_2c() {
    lab_test("late_replies_2c", |sim| {
        let cluster = RaftCluster::start(sim, 5);
        cluster.one_retrying(cluster.command(), 5);
        cluster.network().set_long_reordering(true);
        for _ in 0..80 {
            cluster.split_at_random();
            sim.sleep(ELECTION_TIMEOUT * rng().random_range(2..10) / 10);
            for server in cluster.all() {
                (0..3).for_each(|_| _ = cluster.propose(server, &cluster.command()));
            }
        }
        cluster.network().set_long_reordering(false);
        cluster.heal();
        cluster.one_retrying(cluster.command(), 5);
    });
}

/// Leaders go down right after they have taken a command: entries of old terms are committed only
/// with one of the current term (§5.4.2, Figure 8).
#[test]
fn figure8_2c() {
    lab_test("figure8_2c", |sim| {
        let cluster = RaftCluster::start(sim, 5);
        cluster.one_retrying(cluster.command(), 1);

        for _ in 0..1000 {
            let leaders = cluster.propose_to_all(&cluster.command());
            figure8_pause();
            if let Some(&(leader, _)) = leaders.last() {
                cluster.bring_down(leader);
            }
            if cluster.all().filter(|&server| cluster.is_up(server)).count() < 3 {
                cluster.bring_up(cluster.random_server());
            }
        }
        cluster.bring_all_up();
        cluster.one_retrying(cluster.command(), 5);
    });
}

/// Long enough for an election once in ten times, else hardly for one RPC.
fn figure8_pause() {
    let bound = if chance(1, 10) { 500 } else { 13 };
    sleep(Duration::from_millis(rng().random_range(0..bound)));
}

/// Many tasks at once get agreement on an unreliable network.
#[test]
fn unreliable_agree_2c() {
    lab_test("unreliable_agree_2c", |sim| {
        let cluster = RaftCluster::start(sim, 5);
        cluster.network().set_reliable(false);
        let mut tasks: Vec<JoinHandle<u64>> = Vec::new();
        for round in 1..50_u64 {
            for task in 0..4 {
                let cluster = cluster.clone();
                tasks.push(spawn(move || cluster.one_retrying(100 * round + task, 1)));
            }
            cluster.one_retrying(round, 1);
        }
        cluster.network().set_reliable(true);
        tasks.into_iter().for_each(|task| _ = task.join().expect("tests do not crash"));
        cluster.one_retrying(cluster.command(), 5);
    });
}

/// As [`figure8_2c`], but leaders are cut off instead, on a network that loses and delays requests
/// and, after a while, holds replies back for long.
#[test]
fn figure8_unreliable_2c() {
    lab_test("figure8_unreliable_2c", |sim| {
        let cluster = RaftCluster::start(sim, 5);
        cluster.network().set_reliable(false);
        cluster.one_retrying(cluster.command(), 1);

        for round in 0..1000 {
            if round == 200 {
                cluster.network().set_long_reordering(true);
            }
            let leaders = cluster.propose_to_all(&cluster.command());
            figure8_pause();
            let connected = leaders.iter().rfind(|(leader, _)| cluster.is_connected(*leader));
            if let Some(&(leader, _)) = connected
                && chance(1, 2)
            {
                cluster.disconnect(leader);
            }
            if cluster.connected().len() < 3 {
                cluster.connect(cluster.random_server());
            }
        }
        cluster.connect_only(&[0, 1, 2, 3, 4]);
        cluster.one_retrying(cluster.command(), 5);
    });
}

/// Servers come and go on a reliable network while clients propose; nothing confirmed is lost.
#[test]
fn reliable_churn_2c() {
    lab_test("reliable_churn_2c", |sim| churn(&RaftCluster::start(sim, 5)));
}

/// As [`reliable_churn_2c`], on a network that loses and delays messages.
#[test]
fn unreliable_churn_2c() {
    lab_test("unreliable_churn_2c", |sim| {
        let cluster = RaftCluster::start(sim, 5);
        cluster.network().set_reliable(false);
        churn(&cluster);
    });
}

/// Servers come and go while three clients propose; what a client saw committed stays.
fn churn(cluster: &RaftCluster) {
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..3)
        .map(|number| {
            let (cluster, stop) = (cluster.clone(), Arc::clone(&stop));
            spawn(move || churn_client(&cluster, number, &stop))
        })
        .collect();

    for _ in 0..20 {
        if chance(2, 10) {
            cluster.disconnect(cluster.random_server());
        }
        if chance(5, 10) {
            cluster.bring_up(cluster.random_server());
        }
        if chance(2, 10) {
            cluster.bring_down(cluster.random_server());
        }
        // Not quite long enough to settle between two faults.
        sleep(ELECTION_TIMEOUT * 7 / 10);
    }

    sleep(ELECTION_TIMEOUT);
    cluster.network().set_reliable(true);
    cluster.bring_all_up();
    stop.store(true);
    let confirmed: Vec<Command> =
        clients.into_iter().flat_map(|client| client.join().expect("tests do not crash")).collect();
    sleep(ELECTION_TIMEOUT);

    let last = cluster.one_retrying(cluster.command(), 5);
    let committed: BTreeSet<Command> = (1..=last).map(|index| cluster.wait(index, 5)).collect();
    if let Some(lost) = confirmed.into_iter().find(|command| !committed.contains(command)) {
        let property = "what was committed once stays committed";
        cluster
            .sim()
            .violated(property, format!("didn't find a value: {lost:?} was committed and is lost"));
    }
}

/// How long a client that proposes waits for a commit, which may come late, or never.
const COMMIT_PATIENCE: Duration = Duration::from_millis(400);

/// Proposes commands to everyone until it is told to stop; returns those that it saw committed.
fn churn_client(cluster: &RaftCluster, number: u64, stop: &AtomicBool) -> Vec<Command> {
    let mut confirmed = Vec::new();
    while !stop.load() {
        let command = cluster.command();
        let Some(&(_, pos)) = cluster.propose_to_all(&command).last() else {
            sleep(Duration::from_millis(79 + 17 * number));
            continue;
        };
        let chosen = poll(COMMIT_PATIENCE, COMMIT_PATIENCE / 20, || {
            cluster.ledger(|ledger| ledger.chosen(pos.index).cloned())
        });
        if chosen.as_ref() == Some(&command) {
            confirmed.push(command);
        }
    }
    confirmed
}
