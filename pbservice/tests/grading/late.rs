//! Messages of a primary that arrive late, when later ones have been answered.

use std::time::Duration;

use labrpc::{JoinHandle, sleep, spawn};
use pbservice::Order;
use testkit::{Client, LabTest, item, wait_until};

use crate::cluster::{FAILOVER, PbCluster, TIME_TO_SYNC, last_of};

/// A message takes a millisecond at most.
const TRAVEL: Duration = Duration::from_millis(2);

/// How often servers hear of each other at least: the longest that the guide speaks of.
const PING_INTERVAL: Duration = Duration::from_millis(150);

/// Clients' appends that are under way.
type Appends = [(JoinHandle<()>, Client); 3];

/// A copy of one record arrives when the backup has that record and later ones: these stay.
#[test]
fn late_copy_cuts_nothing_off() {
    let test = LabTest::new("late_copy_cuts_nothing_off").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        cluster.client().append("x", &item(0, 0));
        cluster.await_equal_logs();
        let primary = cluster.primary();
        let backup = cluster.others(&[primary])[0];
        let last = cluster.version_on_disk(primary).order;
        cluster.mute(primary, &[backup]);
        cluster.servers().hold_requests(primary, backup);
        let first = append_to(&cluster, primary, 1);
        cluster.await_on_disk(primary, last + 1);
        // What is sent again overtakes it.
        cluster.servers().pass(primary, backup);
        let appends = [first, append_to(&cluster, primary, 2), append_to(&cluster, primary, 3)];
        if comes_to_have(&cluster, backup, last + 3) {
            sim.network().release();
            sleep(TRAVEL);
            check_count(&cluster, primary, backup, last + 3, &appends);
        }
        end(&cluster, appends);
    });
}

/// A ping arrives that a backup has sent before it got more records than the primary keeps. Whatever
/// the primary makes of that, the backup keeps what it has acknowledged.
#[test]
fn late_ping_cuts_nothing_off() {
    const SNAPSHOT_EVERY: u64 = 5;
    /// Some messages' time.
    const SOON: Duration = Duration::from_millis(20);
    let test = LabTest::new("late_ping_cuts_nothing_off").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start_with(sim, SNAPSHOT_EVERY);
        let mut clerk = cluster.client();
        clerk.append("x", &item(0, 0));
        cluster.await_equal_logs();
        let primary = cluster.primary();
        let backup = cluster.others(&[primary])[0];
        cluster.servers().hold_requests(backup, primary);
        sim.sleep(2 * PING_INTERVAL);
        cluster.servers().pass(backup, primary);
        (1..4 * SNAPSHOT_EVERY).for_each(|number| clerk.append("x", &item(0, number)));
        cluster.await_equal_logs();

        let last = cluster.version_on_disk(primary).order;
        let appends = append_with_one_backup(&cluster, primary, backup);
        if comes_to_have(&cluster, backup, last + 3) {
            // The primary does not hear what becomes of its answer, so that it sends nothing else.
            cluster.servers().hold_replies(primary, backup);
            sim.network().release();
            sleep(SOON);
            check_count(&cluster, primary, backup, last + 3, &appends);
            cluster.servers().pass(primary, backup);
            sim.network().release();
        }
        end(&cluster, appends);
    });
}

/// A primary's calls reach one backup only, and three clients append. All backups hear that it is
/// alive, as their own calls reach it.
fn append_with_one_backup(cluster: &PbCluster, primary: usize, backup: usize) -> Appends {
    cluster.mute(primary, &[backup]);
    [1, 2, 3].map(|client| append_to(cluster, primary, client))
}

/// A client's append to `x` at this primary.
fn append_to(cluster: &PbCluster, primary: usize, client: u64) -> (JoinHandle<()>, Client) {
    let (mut clerk, way) = cluster.client_of(&[primary]);
    (spawn(move || clerk.append("x", &item(client, 0))), way)
}

/// Whether this record is on a server's disk soon. A scene in which a primary's calls reach one
/// backup ends early where the others make another server primary, as they hear nothing of the first.
fn comes_to_have(cluster: &PbCluster, server: usize, order: Order) -> bool {
    let has_it = || cluster.version_on_disk(server).order >= order;
    let comes = wait_until(FAILOVER, Duration::from_millis(1), has_it);
    sleep(TIME_TO_SYNC);
    comes
}

/// Cuts the backup off, and lets a third server have the records up to `last`. If all appends
/// return, three servers must have them.
#[track_caller]
fn check_count(cluster: &PbCluster, primary: usize, backup: usize, last: Order, appends: &Appends) {
    cluster.servers().cut(primary, backup);
    cluster.servers().cut(backup, primary);
    let third = cluster.others(&[primary, backup])[0];
    cluster.servers().mend(primary, third);
    comes_to_have(cluster, third, last);
    let disks = cluster.after_power_failure();
    let count = disks.iter().filter(|found| last_of(found).order >= last).count();
    if appends.iter().all(|(append, _)| append.is_finished()) && count < 3 {
        let (_, client) = &appends[0];
        let actual = format!(
            "three appends returned, record {last} is on {count} disks, and the log of S{backup} ends \
             at {}",
            last_of(&disks[backup])
        );
        let property = "what is acknowledged is on the disks of a majority";
        cluster.sim().violated_by(cluster.history().last_call(client), property, actual);
    }
}

/// Connects all servers and clients again: the appends return.
#[track_caller]
fn end(cluster: &PbCluster, appends: Appends) {
    cluster.sim().network().release(); // What is held if the scene did not come about.
    cluster.connect_all();
    for (append, client) in appends {
        client.reach_all();
        cluster.await_end("an append", append);
    }
    cluster.await_equal_logs();
    cluster.history().check();
}
