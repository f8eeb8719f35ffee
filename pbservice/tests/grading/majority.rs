//! Nothing is served without a majority.

use std::time::Duration;

use labrpc::spawn;
use testkit::{LabTest, chance, lab_test};

use crate::cluster::{FAILOVER, PbCluster};

/// With three of five servers down neither a put nor a get completes; with the first that returns,
/// both do.
#[test]
fn no_quorum_no_service() {
    let test = LabTest::new("no_quorum_no_service").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        // The primary stays, or dies with the others, as the run's seed decides.
        let primary = cluster.primary();
        let first = if chance(1, 2) { primary } else { cluster.others(&[primary])[0] };
        let down =
            [first, cluster.others(&[first, primary])[0], cluster.others(&[first, primary])[1]];
        down.iter().for_each(|&server| cluster.bring_down(server));

        let (mut writer, mut reader) = (cluster.client(), cluster.client());
        let (writing, reading) = (writer.client().clone(), reader.client().clone());
        let put = spawn(move || writer.put("x", "2"));
        let get = spawn(move || reader.get("x"));
        sim.sleep(2 * FAILOVER);
        let property = "two of five servers are not a majority, and serve nothing";
        if put.is_finished() {
            let actual = format!("a put returned: {}", cluster.lines());
            sim.violated_by(cluster.history().last_call(&writing), property, actual);
        }
        if get.is_finished() {
            let value = get.join().expect("nobody crashes the test");
            let actual = format!("a get read {value:?}: {}", cluster.lines());
            sim.violated_by(cluster.history().last_call(&reading), property, actual);
        }

        cluster.restart(down[0]);
        cluster.await_end("the put", put);
        cluster.await_end("the get", get);
        cluster.check_value(&mut clerk, "x", "2");
        cluster.connect_all();
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// A primary that is cut off with one backup acknowledges nothing and answers no question, not even
/// with a value that it knows, while the others go on. When the partition has healed there is one
/// primary and one log.
#[test]
fn partitioned_primary_serves_nothing() {
    lab_test("partitioned_primary_serves_nothing", |sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        // That it still is primary has been confirmed, for a question that came earlier.
        cluster.check_value(&mut clerk, "x", "1");
        let old = cluster.primary();
        let minority = [old, cluster.others(&[old])[0]];
        let majority = cluster.others(&minority);
        cluster.isolate(&minority);

        let (mut writer, writing) = cluster.client_of(&minority);
        let (mut reader, reading) = cluster.client_of(&minority);
        let (mut outside, _) = cluster.client_of(&majority);
        let put = spawn(move || writer.put("x", "lost"));
        let get = spawn(move || reader.get("x"));
        // At first the old primary does not know that it is cut off, and then another one serves.
        outside.put("x", "2");
        for number in 0..20 {
            outside.append("x", &format!(" {number}"));
            outside.get("x");
            sim.sleep(Duration::from_millis(100));
        }
        let property = "a primary without a majority serves nothing";
        if put.is_finished() {
            let actual = format!("a put in the minority returned: {}", cluster.lines());
            sim.violated_by(cluster.history().last_call(&writing), property, actual);
        }
        if get.is_finished() {
            let value = get.join().expect("nobody crashes the test");
            let actual = format!("a get in the minority read {value:?}: {}", cluster.lines());
            sim.violated_by(cluster.history().last_call(&reading), property, actual);
        }

        cluster.connect_all();
        writing.reach_all();
        reading.reach_all();
        cluster.await_end("the put", put);
        cluster.await_end("the get", get);
        cluster.await_equal_logs();
        let primaries = cluster.statuses().values().filter(|status| status.is_primary).count();
        if primaries != 1 {
            sim.violated("there is one primary", format!("{primaries}: {}", cluster.lines()));
        }
        cluster.check_value(&mut clerk, "x", "lost");
        cluster.history().check();
    });
}

/// A get is answered though answers to the question whether the primary still is that are lost: the
/// question is asked again.
#[test]
fn lost_confirmations() {
    const GETS: u64 = 100;
    lab_test("lost_confirmations", |sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        sim.network().set_reliable(false);
        // One after the other: no later question asks for an earlier one as well.
        for number in 0..GETS {
            let get = spawn(move || {
                let value = clerk.get("x");
                (value, clerk)
            });
            let (value, after) = cluster.await_end(&format!("get {number}"), get);
            if value != "1" {
                let culprit = cluster.history().last_call(after.client());
                let property = "a client reads what was written last";
                sim.violated_by(culprit, property, format!("{value:?}"));
            }
            clerk = after;
        }
        cluster.history().check();
    });
}

/// A backup that has promised a later epoch takes nothing from the primary of an older one, though
/// that one does not know yet, and counts on it.
///
/// ```text
///    old - loyal - turncoat           the put is in the logs of old and loyal
///    turncoat - c - d                 the turncoat, restarted, is primary of the next epoch
///    old - turncoat, once more        the old primary copies the put to it
/// ```
#[test]
fn older_epochs_are_refused() {
    let test = LabTest::new("older_epochs_are_refused").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        cluster.await_equal_logs();
        let old = cluster.primary();
        let [turncoat, loyal, c, d] = cluster.others(&[old])[..] else { unreachable!("four") };
        cluster.isolate(&[c, d]);
        sim.sleep(FAILOVER); // They miss the primary by then.

        let epoch = cluster.latest_epoch();
        cluster.servers().partition(&[&[old, loyal], &[turncoat, c, d]]);
        cluster.kill(turncoat);
        let (mut writer, client) = cluster.client_of(&[old]);
        let put = spawn(move || writer.put("x", "2"));
        cluster.restart(turncoat);
        cluster.wait_until(|| {
            let statuses = cluster.statuses();
            statuses.values().any(|status| status.is_primary && status.epoch > epoch)
        });

        cluster.link(old, turncoat);
        sim.sleep(FAILOVER);
        if put.is_finished() {
            let actual = format!("the put was acknowledged: {}", cluster.lines());
            let culprit = cluster.history().last_call(&client);
            let property = "who has promised a later epoch helps no older one";
            sim.violated_by(culprit, property, actual);
        }
        cluster.connect_all();
        client.reach_all();
        cluster.await_end("the put", put);
        cluster.check_value(&mut clerk, "x", "2");
        cluster.await_equal_logs();
        cluster.history().check();
    });
}
