//! A server whose log has rotted: what is sent to it, and from when on it counts again.

use std::time::Duration;

use labrpc::{sleep, spawn};
use pbservice::Version;
use testkit::{LabTest, poll, wait_until};

use crate::cluster::{FAILOVER, PbCluster, TIME_TO_SYNC, last_of};

/// Servers are watched so often where a test has to strike within fractions of a millisecond.
const OFTEN: Duration = Duration::from_micros(20);

/// The last record on a disk rots, after the server has been idle: that is not a torn write. The
/// server does not count, though no record behind it shows what was there.
#[test]
fn last_record_that_rots_is_missed() {
    let test = LabTest::new("last_record_that_rots_is_missed").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        let primary = cluster.primary();
        clerk.put("x", "2");
        let end = cluster.log_len(primary);
        cluster.await_equal_logs();
        sim.sleep(FAILOVER);
        cluster.bring_all_down();
        cluster.disk(primary).flip("log", end - 1, 0x10);
        cluster.restart(primary);
        sim.sleep(FAILOVER);
        let status = cluster.status(primary).expect("it is up");
        if status.version.is_some() {
            let actual = format!("the last record on the disk of S{primary} has rotted: {status}");
            let property = "a server whose log is corrupt does not count";
            sim.violated_by(cluster.culprit(primary), property, actual);
        }
        cluster.connect_all();
        cluster.check_value(&mut clerk, "x", "2");
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// The log of a server rots before the first epoch. Three of five are sound, so there is a primary,
/// which repairs it.
#[test]
fn log_that_rots_before_the_first_epoch() {
    let test = LabTest::new("log_that_rots_before_the_first_epoch").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::not_started(sim);
        let [rotten, down, sound @ ..] = [3, 4, 0, 1, 2];
        cluster.restart(rotten);
        sim.sleep(FAILOVER);
        cluster.kill(rotten);
        cluster.rot(rotten);
        cluster.restart(rotten);
        if cluster.status(rotten).is_none_or(|status| status.version.is_some()) {
            sim.unknown("the scene was not played: the log was not damaged");
            return;
        }
        sound.into_iter().for_each(|server| cluster.restart(server));
        cluster.primary_among(&sound);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        cluster.restart(down);
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// A new primary has an acknowledged put, and does not know yet that it is committed. A damaged
/// server that had it too counts again when it has got that put, and not before.
///
/// ```text
///    old  next  rotten    a  b    the put is acknowledged; old dies, and the log of rotten rots
///         next* rotten    a  b    next is primary, and cut off from a and b before it copies the put
///         next* rotten |  a  b    it may repair nothing: the put is not known to be committed
///         next  | rotten  a  b    they do not have the put
/// ```
#[test]
fn repaired_server_has_what_was_acknowledged() {
    let test = LabTest::new("repaired_server_has_what_was_acknowledged").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        if !(2..10).any(|number| play_early_repair(&cluster, &number.to_string())) {
            sim.unknown("the scene was not played: the test was always too late");
        }
        cluster.connect_all();
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// Plays the scene with this value; returns whether the new primary was cut off in time.
#[track_caller]
fn play_early_repair(cluster: &PbCluster, value: &str) -> bool {
    cluster.connect_all();
    cluster.await_equal_logs();
    let old = cluster.primary();
    let [next, rotten, a, b] = cluster.others(&[old])[..] else { unreachable!("four") };
    let (before, epoch) = (cluster.version_on_disk(old), cluster.latest_epoch());
    cluster.isolate(&[a, b]);
    let (mut writer, _) = cluster.client_of(&[old]);
    writer.put("x", value);
    // All three have it, and a mark behind it.
    cluster.wait_until(|| cluster.version_on_disk(next) > before);
    cluster.wait_until(|| cluster.version_on_disk(rotten) > before);
    cluster.sim().sleep(FAILOVER);
    cluster.all().for_each(|server| cluster.kill(server));
    cluster.rot(rotten);

    cluster.servers().heal();
    // It does not hear that rotten has what it has sent, and so sends nothing behind it.
    cluster.servers().hold_replies(next, rotten);
    [next, rotten, a, b].iter().for_each(|&server| cluster.restart(server));
    let stands = || cluster.status(next).filter(|status| status.epoch > epoch);
    poll(FAILOVER, OFTEN, stands);
    // It has the promise of a, and that of b when nothing reaches a or b any more.
    cluster.servers().hold_replies(next, b);
    sleep(TIME_TO_SYNC / 2);
    [a, b].iter().for_each(|&server| cluster.servers().hold_requests(next, server));
    cluster.sim().network().release();
    let is_primary = || cluster.status(next).filter(|status| status.is_primary);
    poll(FAILOVER, OFTEN, is_primary);
    cluster.servers().partition(&[&[next, rotten], &[a, b]]);
    let counts = || cluster.status(rotten)?.version;
    poll(FAILOVER / 3, OFTEN, counts);
    cluster.servers().partition(&[&[next], &[rotten, a, b]]);
    sleep(TIME_TO_SYNC);
    let is_played = [a, b].iter().all(|&server| cluster.version_on_disk(server) <= before);
    let (mut reader, client) = cluster.client_of(&[rotten, a, b]);
    let get = spawn(move || reader.get("x"));
    if wait_until(2 * FAILOVER, Duration::from_millis(10), || get.is_finished()) {
        let read = get.join().expect("nobody crashes the test");
        if read != value {
            let actual = format!("Get(x): {read:?}, after a put of {value:?} had returned");
            let culprit = cluster.history().last_call(&client);
            let property = "what was acknowledged is not lost";
            cluster.sim().violated_by(culprit, property, actual);
        }
    } else {
        let_all_pass(cluster, next);
        client.reach_all();
        cluster.await_end("the get", get);
    }
    let_all_pass(cluster, next);
    is_played
}

/// Connects all servers, and lets arrive what was held of this one's calls.
fn let_all_pass(cluster: &PbCluster, held: usize) {
    cluster.connect_all();
    cluster.others(&[held]).iter().for_each(|&server| cluster.servers().pass(held, server));
    cluster.sim().network().release();
}

/// A backup's log rots, and with it a record that the primary counts it for. The backup is repaired,
/// and does not have the record any more: it does not count for it.
///
/// ```text
///    primary  rotten  | third  a  b     both have the record; the calls of the primary reach no other
///    primary  | rotten | third  a  b    rotten is repaired, and cut off before it gets the record
///    primary  third                     these two are no majority
/// ```
#[test]
fn repaired_server_is_counted_anew() {
    let test = LabTest::new("repaired_server_is_counted_anew").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client();
        clerk.put("x", "1");
        cluster.await_equal_logs();
        let primary = cluster.primary();
        let [rotten, third, ..] = cluster.others(&[primary])[..] else { unreachable!("four") };
        let last = cluster.version_on_disk(primary);
        sim.sleep(FAILOVER);
        // All backups hear that the primary is alive, as their own calls reach it.
        cluster.mute(primary, &[rotten]);
        let (mut writer, client) = cluster.client_of(&[primary]);
        let put = spawn(move || writer.put("x", "2"));
        let has_it = |server: usize| cluster.version_on_disk(server) > last;
        wait_until_soon(|| has_it(rotten));
        cluster.kill(rotten);
        cluster.rot(rotten);
        cluster.restart(rotten);
        let counts = || cluster.status(rotten)?.version;
        poll(FAILOVER, OFTEN, counts);
        cluster.servers().cut(primary, rotten);
        cluster.servers().cut(rotten, primary);
        cluster.servers().mend(primary, third);
        wait_until_soon(|| has_it(third));
        sleep(TIME_TO_SYNC);
        let logs: Vec<Version> = cluster.after_power_failure().iter().map(last_of).collect();
        let count = logs.iter().filter(|&&log| log > last).count();
        if put.is_finished() && count < 3 {
            let logs: Vec<String> = logs.iter().map(Version::to_string).collect();
            let actual = format!("a put behind {last} returned, on disk are {}", logs.join(", "));
            let property = "what is acknowledged is on the disks of a majority";
            sim.violated_by(cluster.history().last_call(&client), property, actual);
        }
        cluster.connect_all();
        client.reach_all();
        cluster.await_end("the put", put);
        cluster.check_value(&mut clerk, "x", "2");
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// Waits until something is so, if it comes to that.
fn wait_until_soon(is_so: impl Fn() -> bool) {
    poll(FAILOVER, Duration::from_millis(1), || is_so().then_some(()));
}
