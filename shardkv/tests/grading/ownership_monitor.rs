//! A monitor that asks every server for every shard, again and again: who serves what, and should
//! it?
//!
//! It uses the lab's own clerk, and leads it astray. The clerk asks a controller of the monitor's,
//! which says for ever that one group of one server has all shards; and the end to that server
//! leads to the one that is probed. A server that does not serve the key refuses, and the clerk
//! asks again and again. So a probe returns as soon as the server serves the shard.
//!
//! To know when the request was sent that was answered at last, the probes' links are open for a
//! while and closed for a while. No request survives a closed time, so one that is answered was
//! sent in the open time in which the answer comes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use labrpc::{Instant, sleep, spawn};
use shardctrler::{Config, Gid, SHARDS, ShardCtrler};
use shardkv::Clerk;
use testkit::{Boot, Client, Cluster, Sighting, Sim, Started, check_sightings};

use crate::cluster::{GROUP_SIZE, ShardCluster, gid};

/// For how long the probes' links are open: a clerk asks about ten times a second.
const OPEN: Duration = Duration::from_millis(300);
/// For how long they are closed: the network fails a call whose path is closed within 100 ms.
const CLOSED: Duration = Duration::from_millis(150);

/// Probes at work. Clones are the same.
#[derive(Clone)]
pub struct Monitor {
    sim: Sim,
    /// The client whose ends the probes use.
    client: Client,
    /// When the links were opened last. Neither this nor the next is ever locked across a call of
    /// the runtime.
    opened: Arc<Mutex<Instant>>,
    /// Who served which shard.
    sightings: Arc<Mutex<Vec<(usize, Sighting)>>>,
    stop: Arc<AtomicBool>,
}

impl Monitor {
    /// Begins to probe all servers of all groups.
    pub fn start(cluster: &ShardCluster) -> Self {
        let sim = cluster.sim();
        let decoy = start_decoy(sim);
        let servers: Vec<&str> =
            cluster.all_groups().flat_map(|group| cluster.server_names(group)).collect();
        let monitor = Self {
            sim: sim.clone(),
            client: Client::new(sim, &servers),
            opened: Arc::new(Mutex::new(Instant::now())),
            sightings: Arc::default(),
            stop: Arc::default(),
        };
        for (number, server) in servers.into_iter().enumerate() {
            for shard in 0..SHARDS {
                monitor.probe(&decoy, server, shard, gid(number / GROUP_SIZE));
            }
        }
        let gate = monitor.clone();
        spawn(move || gate.open_and_close());
        monitor
    }

    /// Starts the task that asks one server for one shard. It ends with the run.
    fn probe(&self, decoy: &Cluster<ShardCtrler>, server: &str, shard: usize, group: Gid) {
        let (client, server) = (self.client.clone(), server.to_string());
        let mut clerk = Clerk::new(decoy.client().ends(), move |_| client.end(&server));
        let key = char::from(b'2' + shard as u8).to_string(); // "2" is in shard 0.
        let monitor = self.clone();
        spawn(move || {
            while !monitor.stop.load(Relaxed) {
                clerk.get(&key);
                let answered = Instant::now(); // Not while the lock is held.
                let sent = *lock(&monitor.opened);
                monitor.sim.record_owner(shard, || format!("group {group}"));
                lock(&monitor.sightings).push((shard, Sighting { group, sent, answered }));
                sleep(OPEN + CLOSED);
            }
        });
    }

    /// The task that opens and closes the links of the probes.
    fn open_and_close(&self) {
        while !self.stop.load(Relaxed) {
            let now = Instant::now();
            *lock(&self.opened) = now;
            self.client.reach_all();
            sleep(OPEN);
            self.client.reach_only(&[]);
            sleep(CLOSED);
        }
    }

    /// Ends the probes, and judges what they saw by these configurations, which must be all.
    pub fn finish(&self, configs: &[Config]) {
        self.stop.store(true, Relaxed);
        let mut sightings = lock(&self.sightings).clone();
        if sightings.is_empty() {
            self.sim.unknown("no server has answered any probe");
        }
        sightings.sort_by_key(|(_, sighting)| sighting.answered);
        for shard in 0..SHARDS {
            let owners: Vec<Gid> = configs.iter().map(|config| config.shards[shard]).collect();
            let of_shard = sightings.iter().filter(|(of, _)| *of == shard);
            let of_shard: Vec<Sighting> = of_shard.map(|(_, sighting)| *sighting).collect();
            self.sim.check(check_sightings(shard, &owners, &of_shard));
        }
    }
}

/// Starts a controller that always says that one group has all shards.
fn start_decoy(sim: &Sim) -> Cluster<ShardCtrler> {
    let start = |Boot { me, ends, storage, .. }| {
        let server = ShardCtrler::new(ends, me, storage.persister);
        Started { services: server.services(), handle: server }
    };
    let decoy = Cluster::new(sim, "decoy", 1, start, ShardCtrler::kill);
    decoy.start_all();
    let servers = vec!["whom the probe is for".to_string()];
    shardctrler::Clerk::new(decoy.client().ends()).join(BTreeMap::from([(1, servers)]));
    decoy
}

/// Locks what nobody keeps locked across a call of the runtime.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
