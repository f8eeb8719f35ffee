//! The replicated state machine between Raft and the service: the tests of the course's later
//! years, with a counter for a machine.

mod counter;

use std::time::Duration;

use kvraft::rsm::Request;
use labrpc::{JoinHandle, sleep, spawn};
use testkit::{lab_test, wait_until};

use self::counter::{Action, CounterCluster, Submission};

/// How many requests are made, or are under way at once.
const MANY: usize = 100;
/// How long requests may take to fail once their server is shut down: a second longer than a client
/// may go on trying.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(11);
/// What [`CounterCluster::check_end`] checks after a server was asked to stop.
const IS_KILLED: &str = "a request returns once its server is killed";

/// Requests are executed in order, on all servers.
#[test]
fn rsm_basic_3a() {
    lab_test("rsm_basic_3a", |sim| {
        let cluster = CounterCluster::start(sim, None);
        count_to(&cluster, 10);
    });
}

/// Increments one by one, and sees each on all servers.
fn count_to(cluster: &CounterCluster, goal: u64) {
    for expected in 1..=goal {
        cluster.increment(expected);
        cluster.check_counters(expected, 3);
    }
}

/// A leader that stays replies to a request when it first gets it. Clients that try again would
/// hide that it does not.
#[test]
fn rsm_leader_replies_3a() {
    const REQUESTS: usize = 10;
    lab_test("rsm_leader_replies_3a", |sim| {
        let cluster = CounterCluster::start(sim, None);
        (0..REQUESTS).for_each(|_| cluster.check_leader_replies());
    });
}

/// Concurrent requests are all executed, each once.
#[test]
fn rsm_concurrent_3a() {
    lab_test("rsm_concurrent_3a", |sim| {
        let cluster = CounterCluster::start(sim, None);
        let client = || {
            let cluster = cluster.clone();
            spawn(move || cluster.one(Action::Increment))
        };
        let clients: Vec<JoinHandle<Option<u64>>> = (0..50).map(|_| client()).collect();
        assert!(clients.into_iter().all(|client| client.join().is_ok()), "nobody crashes the test");
        cluster.check_counters(50, 3);
    });
}

/// The others go on without the leader, which catches up when it is back.
#[test]
fn rsm_leader_failure_3a() {
    lab_test("rsm_leader_failure_3a", |sim| {
        let cluster = CounterCluster::start(sim, None);
        cluster.increment(1);
        cluster.check_counters(1, 3);

        let leader = cluster.leader();
        cluster.disconnect(leader);
        cluster.increment(2);
        cluster.check_counters(2, 2);

        cluster.connect(leader);
        cluster.check_counters(2, 3);
    });
}

/// Requests to a leader in a minority are never executed; they fail as soon as it hears of the new
/// leader.
#[test]
fn rsm_leader_partition_3a() {
    lab_test("rsm_leader_partition_3a", |sim| {
        let cluster = CounterCluster::start(sim, None);
        cluster.increment(1);

        let leader = cluster.leader();
        let others: Vec<usize> = (0..3).filter(|&server| server != leader).collect();
        cluster.partition(&others, &[leader]);
        let submissions: Vec<Submission> =
            (0..MANY).map(|_| cluster.submit(leader, Action::Decrement)).collect();
        sleep(Duration::from_millis(10));
        cluster.increment(2);

        sleep(Duration::from_secs(1));
        if submissions.iter().all(Submission::is_over) {
            let actual = "all submissions to the old leader returned while it was cut off";
            let property = "a leader that hears nothing cannot know what became of a request";
            sim.violated_by(cluster.culprit(leader), property, actual);
        }

        cluster.heal();
        let property = "a request returns once its server hears of a later term";
        cluster.check_end(&submissions, Duration::from_secs(1), property);
        if submissions.iter().any(Submission::succeeded) {
            let actual = "a submission to a leader without a majority returned a reply";
            let property = "nothing is executed without a majority";
            sim.violated_by(cluster.culprit(leader), property, actual);
        }
        cluster.check_counters(2, 3);
    });
}

/// All servers go down; what was executed is there when they are up again.
#[test]
fn rsm_restart_replay_3a() {
    lab_test("rsm_restart_replay_3a", |sim| {
        let cluster = CounterCluster::start(sim, None);
        count_to(&cluster, MANY as u64);

        cluster.bring_all_down();
        sleep(Duration::from_secs(1));
        cluster.start_all();
        cluster.increment(MANY as u64 + 1);
        sleep(Duration::from_secs(1));
        cluster.check_counters(MANY as u64 + 1, 3);
    });
}

/// Requests that wait end when their server is shut down.
#[test]
fn rsm_shutdown_3a() {
    lab_test("rsm_shutdown_3a", |sim| {
        let cluster = CounterCluster::start(sim, None);
        cluster.increment(1);
        shut_down_while_busy(&cluster);
    });
}

/// Makes requests to the leader, and shuts all servers down before they are all executed.
fn shut_down_while_busy(cluster: &CounterCluster) {
    let leader = cluster.leader();
    let submissions: Vec<Submission> =
        (0..MANY).map(|_| cluster.submit(leader, Action::Nothing)).collect();
    let client = || {
        let cluster = cluster.clone();
        spawn(move || cluster.one(Action::Nothing))
    };
    let clients: Vec<JoinHandle<Option<u64>>> = (0..MANY).map(|_| client()).collect();
    sleep(Duration::from_millis(20));
    cluster.shut_all_down();
    cluster.check_end(&submissions, Duration::from_secs(1), IS_KILLED);
    let have_ended = || clients.iter().all(JoinHandle::is_finished);
    if !wait_until(SHUTDOWN_PATIENCE, Duration::from_millis(100), have_ended) {
        let property = "requests fail when their server is shut down";
        cluster.sim().violated(property, "submit did not stop");
    }
}

/// Requests that waited when their servers were shut down are not taken for those that come after
/// the restart.
#[test]
fn rsm_restart_submit_3a() {
    lab_test("rsm_restart_submit_3a", |sim| {
        let cluster = CounterCluster::start(sim, None);
        count_to(&cluster, MANY as u64);
        cluster.bring_all_down();
        sleep(Duration::from_secs(1));
        cluster.start_all();
        cluster.increment(MANY as u64 + 1);
        cluster.check_counters(MANY as u64 + 1, 3);

        sleep(Duration::from_secs(1));
        shut_down_while_busy(&cluster);
        cluster.start_all();
        cluster.increment(MANY as u64 + 2);
        cluster.check_counters(MANY as u64 + 2, 3);
    });
}

/// A server that is killed while it waits for the network tells so, and does not wait forever.
#[test]
fn rsm_kill_in_minority_3a() {
    lab_test("rsm_kill_in_minority_3a", |sim| {
        let cluster = CounterCluster::start(sim, None);
        cluster.increment(1);
        let leader = cluster.leader();
        cluster.disconnect(leader);
        let submissions: Vec<Submission> =
            (0..MANY).map(|_| cluster.submit(leader, Action::Nothing)).collect();
        sleep(Duration::from_millis(10));
        cluster.shut_down(leader);
        cluster.check_end(&submissions, Duration::from_secs(1), IS_KILLED);
    });
}

/// A request that arrives once more after the next one of its client is not executed again: the
/// client has the reply, or it would not have gone on.
#[test]
fn rsm_late_request_3a() {
    const OLDER: &str = "its number is smaller than that of the client's last request";
    lab_test("rsm_late_request_3a", |sim| {
        let cluster = CounterCluster::start(sim, None);
        let first = cluster.request(Action::Increment);
        let second = Request { sequence: 2, ..first.clone() };
        cluster.one_of(&first);
        cluster.one_of(&second);
        cluster.repeat_on_leader(&first);
        cluster.check_repeated(2, 3, OLDER);
    });
}

/// A request that is repeated is executed once, also by a server that has the first execution in a
/// snapshot only: one that was cut off meanwhile, and all of them after a restart.
#[test]
fn rsm_repeated_request_3b() {
    const MAX_RAFT_STATE: usize = 300;
    const INCREMENTS: u64 = 100;
    const FORGOTTEN: &str = "a snapshot without the duplicate table lets it take effect again";
    lab_test("rsm_repeated_request_3b", |sim| {
        let cluster = CounterCluster::start(sim, Some(MAX_RAFT_STATE));
        let leader = cluster.leader();
        let (lagging, third) = ((leader + 1) % 3, (leader + 2) % 3);
        cluster.disconnect(lagging);
        let request = cluster.request(Action::Increment);
        cluster.one_of(&request);
        for expected in 2..=INCREMENTS {
            cluster.increment(expected);
        }
        cluster.connect(lagging);
        cluster.check_counters(INCREMENTS, 3);

        // The one that was cut off leads: it alone hears no candidate.
        cluster.disconnect(leader);
        cluster.cut(third, lagging);
        if cluster.wait_until_leads(lagging) {
            let repeated = cluster.submit_again(lagging, &request);
            let property = "a request that was executed before returns";
            cluster.check_end(&[repeated], Duration::from_secs(1), property);
            cluster.check_repeated(INCREMENTS, 2, FORGOTTEN);
        }
        cluster.heal();
        cluster.connect(leader);

        cluster.bring_all_down();
        cluster.start_all();
        cluster.increment(INCREMENTS + 1);
        cluster.one_of(&request);
        cluster.check_repeated(INCREMENTS + 1, 3, FORGOTTEN);
    });
}

/// Snapshots keep the log short, and contain the counter.
#[test]
fn rsm_snapshot_3b() {
    const MAX_RAFT_STATE: usize = 1_000;
    /// Five times as many as in the course: in our codec, fewer would fit a log without snapshots.
    const INCREMENTS: u64 = 500;
    lab_test("rsm_snapshot_3b", |sim| {
        let cluster = CounterCluster::start(sim, Some(MAX_RAFT_STATE));
        for expected in 1..=INCREMENTS {
            cluster.increment(expected);
            // Not at the end only, when a log that grew too long may be short again.
            cluster.check_log_size(2 * MAX_RAFT_STATE);
        }
        cluster.check_counters(INCREMENTS, 3);

        cluster.bring_all_down();
        cluster.start_all();
        cluster.increment(INCREMENTS + 1);
        cluster.check_counters(INCREMENTS + 1, 3);
    });
}
