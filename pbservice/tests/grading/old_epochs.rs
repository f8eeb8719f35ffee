//! Records of an old epoch are committed together with a record of the primary's own, and not before:
//! Figure 8 of the Raft paper.

use std::time::Duration;

use labrpc::{sleep, spawn};
use pbservice::Version;
use testkit::{Culprit, LabTest, poll};

use crate::cluster::{FAILOVER, PbCluster, TIME_TO_SYNC};

/// A primary that has a record of an old epoch, and copies it to a majority, commits it together
/// with one of its own epoch, and not before.
#[test]
fn old_record_waits_for_the_no_op() {
    let test = LabTest::new("old_record_waits_for_the_no_op").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        cluster.await_equal_logs();
        let old = cluster.primary();
        let before = cluster.status(old).expect("it is up").committed;
        cluster.isolate(&[old]);
        let (mut writer, client) = cluster.client_of(&[old]);
        let put = spawn(move || writer.put("x", &"old".repeat(OLD_RECORD / 3)));
        cluster.await_on_disk(old, before.order + 1);
        cluster.all().for_each(|server| cluster.crash(server));

        // The old primary's version is the highest. It is up before the others, which would do
        // without it and the record. When the first of them writes the record, the no-op is not on
        // its way yet: the old one and the no-op travel one after the other.
        cluster.restart(old);
        sleep(TIME_TO_SYNC);
        cluster.connect_all();
        let others = cluster.others(&[old]);
        await_growth(&cluster, &others, 1, OLD_RECORD as u64);
        others.iter().for_each(|&server| cluster.servers().hold_requests(old, server));
        let has_committed = || {
            let status = cluster.status(old).expect("it is up");
            (status.committed.order > before.order).then_some(status)
        };
        let early = poll(TIME_TO_SYNC, Duration::from_micros(50), has_committed);
        others.iter().for_each(|&server| cluster.servers().pass(old, server));
        sim.network().release();
        let Some(status) =
            early.or_else(|| poll(2 * FAILOVER, Duration::from_micros(50), has_committed))
        else {
            let property = "a new primary commits its no-op soon";
            let culprit = Culprit { term: Some(cluster.latest_epoch()), ..Culprit::default() };
            sim.violated_by(culprit, property, cluster.lines());
        };
        if status.is_primary && status.committed.epoch < status.epoch {
            let property = "a record of an old epoch is not committed by counting";
            sim.violated_by(cluster.culprit(old), property, format!("S{old} {status}"));
        }
        client.reach_all();
        cluster.await_end("the put", put);
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// A record of an old epoch is not committed because a majority has it.
///
/// ```text
///       (a)     (b)      (c)        (d)      a record's epoch is shown
///    A  1 old   1 old    1 old 3    .        a  A writes to itself only, and dies
///    B  1       1 2      .          1 2 4    b  B opens epoch 2, with itself only, and dies
///    C  1       1        1 old      1 2 4    c  A returns, and opens epoch 3: C, D and E have
///    D  1       1        1 old      1 2 4       the old record, but not the new one, when A dies
///    E  1       1        1 old      1 2 4    d  B returns. Its version is the highest.
/// ```
///
/// The old record is so long that it travels alone. In (b) and (c) the test has to strike within
/// fractions of a millisecond: it watches the disks, and tries again if it was too late.
#[test]
fn old_epoch_not_acknowledged_by_count() {
    let test = LabTest::new("old_epoch_not_acknowledged_by_count").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        if !(0..10).any(|_| play_old_epoch(&cluster)) {
            sim.unknown("the scene was not played: the test was always too late");
        }
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// Plays the scene; returns whether it went as far as (d). Servers die by `kill -9`, which leaves
/// them what they have written: without power they might lose the very record that the scene is
/// about.
fn play_old_epoch(cluster: &PbCluster) -> bool {
    cluster.connect_all();
    cluster.await_equal_logs();
    let a = cluster.primary();
    let before = cluster.status(a).expect("it is up").committed;

    // (a)
    cluster.isolate(&[a]);
    let (mut writer, client) = cluster.client_of(&[a]);
    let value = "old".repeat(OLD_RECORD / 3);
    let put = spawn(move || writer.put("x", &value));
    cluster.await_on_disk(a, before.order + 1);
    cluster.kill(a);

    // (b)
    let others = cluster.others(&[a]);
    let Some(&[b, ..]) = await_growth(cluster, &others, 1, 1).as_deref() else {
        let property = "a majority has a primary within three seconds, which writes a no-op";
        cluster.sim().violated(property, format!("nothing was written: {}", cluster.lines()));
    };
    // All of them, so that no server is chosen before A is back.
    others.iter().for_each(|&server| cluster.servers().disconnect(server));
    cluster.await_on_disk(b, before.order + 1);
    cluster.kill(b);
    let others = cluster.others(&[a, b]);
    let versions = |cluster: &PbCluster| -> Vec<Option<Version>> {
        others.iter().map(|&server| cluster.status(server).and_then(|s| s.version)).collect()
    };
    cluster.servers().heal();
    let mut is_played = versions(cluster) == [Some(before); 3];

    // (c)
    if is_played {
        cluster.restart(a);
        others.iter().for_each(|&server| cluster.servers().connect(server));
        // Where A is slow to start, the others do without it, and the scene is not played.
        await_growth(cluster, &others, 3, OLD_RECORD as u64);
        cluster.kill(a);
        // What A has sent may still arrive.
        sleep(2 * TIME_TO_SYNC);
        let old = Version { order: before.order + 1, ..before };
        is_played = versions(cluster) == [Some(old); 3];
    }

    // (d)
    if is_played {
        cluster.restart(b);
        let primary = cluster.primary();
        if primary != b {
            let property = "the highest version becomes primary";
            cluster.sim().violated_by(cluster.culprit(primary), property, cluster.lines());
        }
        if put.is_finished() {
            let actual = "the put of the first epoch returned, and its record is gone";
            let culprit = cluster.history().last_call(&client);
            let property = "a record of an old epoch is not committed by counting";
            cluster.sim().violated_by(culprit, property, actual);
        }
    }
    cluster.connect_all();
    client.reach_all();
    cluster.await_end("the put of the first epoch", put);
    is_played
}

/// Bytes of the old record: more than travel in one message with others.
const OLD_RECORD: usize = 3 << 17;

/// Waits until `count` of these servers have just written another record, and at least `bytes`
/// bytes; looks very often. Returns these servers; `None` if that does not happen.
fn await_growth(
    cluster: &PbCluster,
    servers: &[usize],
    count: usize,
    bytes: u64,
) -> Option<Vec<usize>> {
    let size = |&server: &usize| {
        let len = cluster.log_len(server);
        (server, len + bytes, cluster.count_records(server), len)
    };
    let mut waiting: Vec<(usize, u64, usize, u64)> = servers.iter().map(size).collect();
    let mut have_grown = Vec::new();
    poll(FAILOVER, Duration::from_micros(20), || {
        waiting.retain_mut(|(server, least, records, seen)| {
            let len = cluster.log_len(*server);
            // To count takes a look at the whole log, so that must wait until there is news.
            let is_news = std::mem::replace(seen, len) != len && len >= *least;
            let has_grown = is_news && cluster.count_records(*server) > *records;
            if has_grown {
                have_grown.push(*server);
            }
            !has_grown
        });
        (have_grown.len() >= count).then(|| have_grown.clone())
    })
}
