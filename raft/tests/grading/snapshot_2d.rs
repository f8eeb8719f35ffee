//! Part 2D: log compaction (§7).
//!
//! The service takes a snapshot after indices 9, 19, 29 and so on, from the task that drains the
//! apply channel. A Raft that holds its lock while it sends on that channel hangs here.

use rand::RngExt as _;
use testkit::{Culprit, Sim, lab_test};

use crate::acknowledged_2c::overwrite_and_restart;
use crate::cluster::RaftCluster;

/// Largest Raft state that a server may save, as in the course. An entry of ours takes about as
/// many bytes as in the course's codec, 20 for the command and 2 to 4 around it, so the limit means
/// the same: it has room for some 80 entries. A server that trims its log holds 25 at most; one
/// that does not holds more than 300 in the end.
const MAX_LOG_SIZE: usize = 2000;

/// What keeps a server from following the others for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lag {
    /// Nothing.
    Never,
    /// It is cut off.
    CutOff,
    /// It is down.
    Down,
}

/// Logs are trimmed.
#[test]
fn snapshot_basic_2d() {
    lab_test("snapshot_basic_2d", |sim| with_snapshots(sim, Lag::Never));
}

/// A follower that was cut off gets the leader's snapshot.
#[test]
fn snapshot_install_2d() {
    lab_test("snapshot_install_2d", |sim| with_snapshots(sim, Lag::CutOff));
}

/// A follower that was cut off gets the leader's snapshot over an unreliable network.
#[test]
fn snapshot_install_unreliable_2d() {
    lab_test("snapshot_install_unreliable_2d", |sim| {
        sim.network().set_reliable(false);
        with_snapshots(sim, Lag::CutOff);
    });
}

/// A follower that was down gets the leader's snapshot.
#[test]
fn snapshot_install_crash_2d() {
    lab_test("snapshot_install_crash_2d", |sim| with_snapshots(sim, Lag::Down));
}

/// A follower that was down gets the leader's snapshot over an unreliable network.
#[test]
fn snapshot_install_un_crash_2d() {
    lab_test("snapshot_install_un_crash_2d", |sim| {
        sim.network().set_reliable(false);
        with_snapshots(sim, Lag::Down);
    });
}

/// Agrees on many commands while now this, now that server lags behind.
fn with_snapshots(sim: &Sim, lag: Lag) {
    let cluster = RaftCluster::start_with_snapshots(sim, 3);
    cluster.one_retrying(cluster.command(), 3);
    let mut leader = cluster.check_one_leader();
    for round in 0..30 {
        let follower = cluster.after(leader, 1);
        let (victim, sender) = if round % 3 == 1 { (leader, follower) } else { (follower, leader) };
        match lag {
            Lag::Never => {}
            Lag::CutOff => cluster.disconnect(victim),
            Lag::Down => cluster.bring_down(victim),
        }
        if lag != Lag::Never {
            cluster.one_retrying(cluster.command(), 2);
        }
        propose_some(&cluster, sender);

        // Without lag, let everybody catch up, so that nobody ever needs the leader's snapshot.
        cluster.one_retrying(cluster.command(), if lag == Lag::Never { 3 } else { 2 });
        check_log_size(&cluster);

        match lag {
            Lag::Never => continue,
            Lag::CutOff => cluster.connect(victim),
            Lag::Down => cluster.bring_up(victim),
        }
        cluster.one_retrying(cluster.command(), 3);
        leader = cluster.check_one_leader();
    }
}

/// Proposes 5 to 14 commands to a server that leads, or did a while ago.
fn propose_some(cluster: &RaftCluster, server: usize) {
    let count = labrpc::rng().random_range(5..15_u32);
    (0..count).for_each(|_| _ = cluster.propose(server, &cluster.command()));
}

/// Every server has trimmed its log.
fn check_log_size(cluster: &RaftCluster) {
    let (size, server) = cluster.log_size();
    if size >= MAX_LOG_SIZE {
        let actual = format!("Log size too large: {size} bytes, expected below {MAX_LOG_SIZE}");
        let culprit = Culprit::of(format!("S{server}"));
        let property = "what a snapshot covers is dropped from the log";
        cluster.sim().violated_by(culprit, property, actual);
    }
}

/// Snapshots and logs survive a restart of all servers.
#[test]
fn snapshot_all_crash_2d() {
    lab_test("snapshot_all_crash_2d", |sim| {
        let cluster = RaftCluster::start_with_snapshots(sim, 3);
        cluster.one_retrying(cluster.command(), 3);
        for _ in 0..5 {
            let count = labrpc::rng().random_range(5..15_u32);
            (0..count).for_each(|_| _ = cluster.one_retrying(cluster.command(), 3));
            let before = cluster.one_retrying(cluster.command(), 3);

            restart_all(&cluster);
            let after = cluster.one_retrying(cluster.command(), 3);
            if after < before + 1 {
                let actual = format!("index decreased from {before} to {after}");
                sim.violated("what was committed stays committed", actual);
            }
        }
    });
}

/// Brings all servers down, and then all up again.
fn restart_all(cluster: &RaftCluster) {
    cluster.all().for_each(|server| cluster.bring_down(server));
    cluster.bring_all_up();
}

/// A server that restarts and saves its state does not lose its snapshot by that.
#[test]
fn snapshot_init_2d() {
    lab_test("snapshot_init_2d", |sim| {
        let cluster = RaftCluster::start_with_snapshots(sim, 3);
        // Enough for a snapshot.
        (0..12).for_each(|_| _ = cluster.one_retrying(cluster.command(), 3));
        restart_all(&cluster);
        // Makes everybody save.
        cluster.one_retrying(cluster.command(), 3);
        restart_all(&cluster);
        cluster.one_retrying(cluster.command(), 3);
    });
}

/// A snapshot that came over the network is as good as one's own: it is delivered, survives a
/// restart, and can be passed on, each time with the bytes that the service handed over.
#[test]
fn snapshot_contents_2d() {
    lab_test("snapshot_contents_2d", |sim| {
        let cluster = RaftCluster::start_with_snapshots(sim, 3);
        let mut lagging = cluster.random_server();
        for _ in 0..6 {
            // One server misses more than the others keep in their logs.
            cluster.disconnect(lagging);
            (0..12).for_each(|_| _ = cluster.one_retrying(cluster.command(), 2));

            // It gets a snapshot, and goes down as soon as it has it.
            cluster.connect(lagging);
            cluster.wait_until_applied(lagging);
            cluster.restart(lagging);
            cluster.connect(lagging);
            cluster.one_retrying(cluster.command(), 3);

            // The next one misses more, and may have to get its snapshot from the one before.
            let leader = cluster.check_one_leader();
            lagging = if leader == lagging { cluster.after(lagging, 1) } else { leader };
        }
    });
}

/// As `overwritten_entries_stay_gone_2c`, with logs that begin after a snapshot: places in the file
/// are not indices.
#[test]
fn overwritten_entries_stay_gone_2d() {
    lab_test("overwritten_entries_stay_gone_2d", |sim| {
        let cluster = RaftCluster::start_with_snapshots(sim, 5);
        (0..12).for_each(|_| _ = cluster.one_retrying(cluster.command(), 5));
        overwrite_and_restart(&cluster);
    });
}
