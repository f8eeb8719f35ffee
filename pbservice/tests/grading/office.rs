//! How many primaries there are, and how long they stay.

use std::collections::BTreeMap;

use labrpc::{sleep, spawn};
use pbservice::Epoch;
use testkit::{Culprit, LabTest};

use crate::cluster::{FAILOVER, PbCluster, TIME_TO_SYNC};

/// Two candidates ask the same server to promise the same epoch, and each of them has one more that
/// promises: only one of the two becomes primary in it.
///
/// ```text
///    0 - 1 - 4      all five start at the same moment; the lowest address of each triangle stands
///    2 - 3 - 4      4 hears both
/// ```
#[test]
fn one_primary_per_epoch() {
    /// Who is asked first is left to the network.
    const ELECTIONS: u64 = 6;
    let test = LabTest::new("one_primary_per_epoch").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        cluster.client().put("x", "1");
        for _ in 0..ELECTIONS {
            cluster.await_equal_logs();
            cluster.all().for_each(|server| cluster.kill(server));
            cluster.servers().partition(&[&[0, 1], &[2, 3], &[4]]);
            (0..4).for_each(|server| cluster.link(server, 4));
            cluster.servers().start_all();
            for _ in 0..100 {
                check_one_per_epoch(&cluster);
                sleep(FAILOVER / 100);
            }
            cluster.connect_all();
            cluster.client().append("x", "1");
        }
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// No two servers are primary in the same epoch.
#[track_caller]
fn check_one_per_epoch(cluster: &PbCluster) {
    let mut primaries: BTreeMap<Epoch, usize> = BTreeMap::new();
    for (server, status) in cluster.statuses().into_iter().filter(|(_, s)| s.is_primary) {
        if let Some(other) = primaries.insert(status.epoch, server) {
            let actual = format!("S{other} and S{server}: {}", cluster.lines());
            let culprit = Culprit { term: Some(status.epoch), ..Culprit::default() };
            let property = "an epoch has one primary, since each server promises it once";
            cluster.sim().violated_by(culprit, property, actual);
        }
    }
}

/// Three of five servers are a majority: while they are connected, their primary stays in office.
#[test]
fn three_of_five_keep_their_primary() {
    let test = LabTest::new("three_of_five_keep_their_primary").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "");
        cluster.await_equal_logs();
        let primary = cluster.primary();
        let epoch = cluster.latest_epoch();
        let backups = cluster.others(&[primary]);
        backups[..2].iter().for_each(|&server| cluster.bring_down(server));
        for _ in 0..10 {
            clerk.append("x", "1");
            sim.sleep(FAILOVER / 4);
            let what = "two backups are down";
            check_same_office(&cluster, primary, epoch, what);
        }
        cluster.history().check();
    });
}

/// The server that would be chosen loses its link to the primary, and reaches all others. They have
/// heard from the primary lately, so it stays in office.
#[test]
fn broken_link_deposes_nobody() {
    let test = LabTest::new("broken_link_deposes_nobody").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "");
        cluster.await_equal_logs();
        let lowest = 0; // The rule names it when all logs are equal.
        if cluster.primary() == lowest {
            cluster.bring_down(lowest);
            clerk.append("x", "0");
            cluster.restart(lowest);
            cluster.await_equal_logs();
        }
        let primary = cluster.primary();
        if primary == lowest {
            sim.unknown("the scene was not played: the lowest address is primary again");
            return;
        }
        cluster.servers().cut(lowest, primary);
        cluster.servers().cut(primary, lowest);
        let what = format!("only S{lowest} is cut off from it");
        let epoch = cluster.latest_epoch();
        sleep(2 * FAILOVER); // No client writes, so all logs stay equal.
        check_same_office(&cluster, primary, epoch, &what);
        clerk.append("x", "1");
        cluster.link(lowest, primary);
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// A server is still primary, in the epoch in which it was before.
#[track_caller]
fn check_same_office(cluster: &PbCluster, primary: usize, epoch: Epoch, what: &str) {
    let status = cluster.status(primary);
    if !status.is_some_and(|status| status.is_primary && status.epoch == epoch) {
        let actual =
            format!("{what}, S{primary} was primary in epoch {epoch}: {}", cluster.lines());
        let property = "a primary that a majority reaches stays in office";
        cluster.sim().violated_by(cluster.culprit(primary), property, actual);
    }
}

/// Servers return that have missed an election: one lacks some records, the other one more than is
/// kept. They follow the primary that they find, and no new epoch begins.
#[test]
fn servers_that_return_depose_nobody() {
    const SNAPSHOT_EVERY: u64 = 5;
    let test = LabTest::new("servers_that_return_depose_nobody").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start_with(sim, SNAPSHOT_EVERY);
        let mut clerk = cluster.client();
        clerk.append("x", "0");
        cluster.await_equal_logs();
        let old = cluster.primary();
        let away = cluster.others(&[old])[3];
        cluster.bring_down(away);
        (0..4 * SNAPSHOT_EVERY).for_each(|_| clerk.append("x", "1"));
        cluster.bring_down(old);
        let primary = cluster.primary_among(&cluster.others(&[old, away]));
        clerk.append("x", "2");
        let epoch = cluster.latest_epoch();
        sim.sleep(FAILOVER); // What the primary has tried to send them meanwhile is forgotten.
        for server in [away, old] {
            cluster.restart(server);
            cluster.await_equal_logs();
            sim.sleep(FAILOVER);
            let what = format!("S{server} has returned");
            check_same_office(&cluster, primary, epoch, &what);
        }
        cluster.history().check();
    });
}

/// No server hears a candidate that asks for promises: when the others are within reach again, it
/// asks anew. Its log has the highest version, so that no other server can be elected.
#[test]
fn candidate_that_nobody_heard_asks_again() {
    let test = LabTest::new("candidate_that_nobody_heard_asks_again").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        cluster.await_equal_logs();
        let highest = cluster.primary();
        let others = cluster.others(&[highest]);
        let last = cluster.version_on_disk(highest).order;
        cluster.isolate(&[highest]);
        let (mut lonely, client) = cluster.client_of(&[highest]);
        let put = spawn(move || lonely.put("x", "lonely"));
        cluster.await_on_disk(highest, last + 1);
        // It keeps what it has written.
        cluster.all().for_each(|server| cluster.kill(server));

        // Two of the others stay down. What the other two know reaches it when it can ask nothing
        // more.
        let three = [highest, others[0], others[1]];
        cluster.servers().heal();
        three[1..].iter().for_each(|&server| cluster.servers().hold_replies(highest, server));
        three.iter().rev().for_each(|&server| cluster.restart(server)); // It asks when they are up.
        sleep(TIME_TO_SYNC);
        three[1..].iter().for_each(|&server| cluster.servers().cut(highest, server));
        three[1..].iter().for_each(|&server| cluster.servers().pass(highest, server));
        sim.network().release();
        sim.sleep(FAILOVER);
        cluster.servers().heal();
        let (mut other, _) = cluster.client_of(&three);
        let served = spawn(move || other.append("x", "2"));
        // Servers may be chosen that cannot win, and be waited for.
        cluster.await_end_within(4 * FAILOVER, "an append among three of five", served);
        client.reach_all();
        cluster.await_end("the lonely put", put);
        cluster.connect_all();
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// A backup that was not asked to promise an epoch follows the epoch's primary, and has taken a
/// record from it. Then it takes nothing more from an older primary, which has another record at the
/// same place.
///
/// ```text
///    old   next - a - b   unasked      old has a record that only it has
///    old   next - b - unasked   a      next is primary, and an append is acknowledged
///    old - unasked   ...               the old primary still counts on it
///    old - unasked - a                 these three have what was appended
/// ```
#[test]
fn follower_that_was_not_asked_refuses_older_epochs() {
    let test = LabTest::new("follower_that_was_not_asked_refuses_older_epochs").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        cluster.await_equal_logs();
        let old = cluster.primary();
        let others = cluster.others(&[old]);
        let (three, unasked) = (&others[..3], others[3]);
        cluster.servers().partition(&[&[old], three, &[unasked]]);
        let (mut lonely, client) = cluster.client_of(&[old]);
        let unheard = spawn(move || lonely.append("x", "old"));
        // Those that start anew need not find out that the old primary is silent.
        three.iter().for_each(|&server| cluster.kill(server));
        three.iter().for_each(|&server| cluster.restart(server));
        let next = cluster.primary_among(three);
        let [a, b] = cluster.others(&[old, next, unasked])[..] else { unreachable!("five") };
        cluster.servers().partition(&[&[old], &[next, b, unasked], &[a]]);
        let (mut writer, _) = cluster.client_of(&[next, b, unasked]);
        let append = spawn(move || writer.append("x", "2"));
        cluster.await_end("an append among three of five", append);
        cluster.servers().partition(&[&[old, unasked], &[next, b], &[a]]);
        sim.sleep(FAILOVER);
        [next, b].iter().for_each(|&server| cluster.bring_down(server));
        cluster.servers().partition(&[&[old, unasked, a]]);
        let mut reader = cluster.client_of(&[old, unasked, a]).0;
        let get = spawn(move || reader.get("x"));
        let value = cluster.await_end("a get among three of five", get);
        if !value.contains('2') {
            let actual = format!("Get(x): {value:?}, after an append of \"2\" had returned");
            sim.violated("what was acknowledged is not lost", actual);
        }
        cluster.connect_all();
        client.reach_all();
        cluster.await_end("the append of the old epoch", unheard);
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// A primary is cut off from all other servers, and not from clients: it lets them go, and the next
/// primary serves them.
#[test]
fn clients_leave_a_primary_that_is_cut_off() {
    let test = LabTest::new("clients_leave_a_primary_that_is_cut_off").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        cluster.isolate(&[cluster.primary()]);
        let put = spawn(move || {
            clerk.put("x", "2");
            clerk
        });
        let mut clerk = cluster.await_end("a put at a primary that is cut off", put);
        cluster.check_value(&mut clerk, "x", "2");
        cluster.history().check();
    });
}

/// A server that is primary for the fourth time sends about as many calls for a put as in the first
/// time: what it did in an earlier epoch has ended.
#[test]
fn primary_again_sends_no_more() {
    const PUTS: u64 = 50;
    let test = LabTest::new("primary_again_sends_no_more").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        let first = cluster.primary();
        let mut calls_for_puts = || {
            cluster.await_equal_logs();
            let before = sim.network().total_rpcs();
            (0..PUTS).for_each(|number| clerk.put("x", &number.to_string()));
            sim.network().total_rpcs() - before
        };
        let usual = calls_for_puts();
        // Usually its address is the lowest of those that are left. A stall may let another one win.
        let mut times = 0;
        for _ in 0..10 {
            cluster.isolate(&[first]);
            cluster.primary_among(&cluster.others(&[first]));
            cluster.servers().heal();
            cluster.await_equal_logs();
            // All logs are equal, and of the servers that are left its address is the lowest.
            let next = cluster.primary();
            if next == first {
                continue;
            }
            cluster.bring_down(next);
            times += u64::from(cluster.primary_among(&cluster.others(&[next])) == first);
            cluster.restart(next);
            if times == 3 {
                break;
            }
        }
        if times < 3 || cluster.primary() != first {
            sim.unknown(format!("S{first} was primary {times} times in ten rounds"));
            return;
        }
        let calls = calls_for_puts();
        if calls > 2 * usual {
            let actual = format!("{calls} calls for {PUTS} puts, {usual} in the first epoch");
            let property = "a server that is primary again sends no more than the first time";
            sim.violated_by(cluster.culprit(first), property, actual);
        }
        cluster.history().check();
    });
}
