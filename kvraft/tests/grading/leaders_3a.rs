//! Part 3A: which servers say that they lead, and two of them that believe it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use labrpc::{JoinHandle, sleep, spawn};
use testkit::{ELECTION_TIMEOUT, lab_test, wait_until};

use crate::cluster::KvCluster;

/// How long it may take until only one server says that it leads.
const PATIENCE: Duration = Duration::from_secs(10);

/// The key that clients read and write.
const KEY: &str = "k";

/// How often a leader is cut off from one of its followers.
const ELECTIONS: usize = 4;
/// Pause between two calls of a client, much shorter than the time between two heartbeats.
const CALL_PAUSE: Duration = Duration::from_millis(5);

/// One of the servers says that it leads, and the others say that they do not.
#[test]
fn one_server_leads_3a() {
    lab_test("one_server_leads_3a", |sim| {
        let cluster = KvCluster::start(sim, 3, None);
        let one_leads = || cluster.leaders().len() == 1;
        if !wait_until(PATIENCE, ELECTION_TIMEOUT / 10, one_leads) {
            let actual = format!("expected one leader, got {:?}", cluster.leaders());
            sim.violated("`is_leader` says what Raft's `state` says", actual);
        }
    });
}

/// A leader that one follower still follows does not answer reads from its own state when the other
/// follower has been elected.
#[test]
fn half_deposed_leader_3a() {
    lab_test("half_deposed_leader_3a", |sim| {
        let cluster = KvCluster::start(sim, 3, None);
        for election in 0..ELECTIONS {
            // The other follower does not hear of the leader, and is elected by the third server,
            // which hears of both. The leader learns that with its next heartbeat.
            let leader = cluster.leader();
            let others: Vec<usize> = cluster.all().filter(|&server| server != leader).collect();
            let over: Arc<AtomicBool> = Arc::default();
            let (mut reader, of_reader) = cluster.client_of(&[leader]);
            let reads = repeat(&over, move || drop(reader.get(KEY)));
            let (mut writer, of_writer) = cluster.client_of(&others);
            let mut number = 0;
            let writes = repeat(&over, move || {
                number += 1;
                writer.put(KEY, &format!("{election} {number}"));
            });
            cluster.cut(leader, others[0]);
            sleep(ELECTION_TIMEOUT);

            over.store(true, Relaxed);
            of_reader.reach_all();
            of_writer.reach_all();
            cluster.connect_all();
            for client in [reads, writes] {
                client.join().expect("nobody crashes the test");
            }
        }
        cluster.history().check();
    });
}

/// A client that makes the same call again and again until `over` is set.
fn repeat(over: &Arc<AtomicBool>, mut call: impl FnMut() + Send + 'static) -> JoinHandle<()> {
    let over = Arc::clone(over);
    spawn(move || {
        while !over.load(Relaxed) {
            call();
            sleep(CALL_PAUSE);
        }
    })
}
