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
use testkit::{Boot, ClientEnds, Cluster, Sighting, Sim, Started, check_sightings};

use crate::cluster::{GROUP_SIZE, ShardCluster, gid};

/// For how long the probes' links are open: a clerk asks about ten times a second.
const OPEN: Duration = Duration::from_millis(300);
/// For how long they are closed: the network fails a call whose path is closed within 100 ms.
const CLOSED: Duration = Duration::from_millis(150);
/// To whom the probes' ends belong.
const PROBE: &str = "probe";

/// Probes at work. Clones are the same.
#[derive(Clone)]
pub struct Monitor {
    sim: Sim,
    servers: Arc<Vec<String>>,
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
        let names = |group| cluster.server_names(group).into_iter().map(String::from);
        let monitor = Self {
            sim: sim.clone(),
            servers: Arc::new(cluster.all_groups().flat_map(names).collect()),
            opened: Arc::new(Mutex::new(Instant::now())),
            sightings: Arc::default(),
            stop: Arc::default(),
        };
        for (number, server) in monitor.servers.iter().enumerate() {
            for shard in 0..SHARDS {
                monitor.probe(&decoy, server, shard, gid(number / GROUP_SIZE));
            }
        }
        let gate = monitor.clone();
        spawn(move || gate.open_and_close());
        monitor
    }

    /// Starts the task that asks one server for one shard. It ends with the run.
    fn probe(&self, decoy: &str, server: &str, shard: usize, group: Gid) {
        let name = format!("{PROBE} {server} {shard}");
        let (_, decoy_ends) = ClientEnds::new(&self.sim, &name, &[decoy]);
        let (network, target) = (self.sim.network().clone(), server.to_string());
        let made = std::sync::atomic::AtomicU64::new(0);
        let mut clerk = Clerk::new(decoy_ends, move |_| {
            let end = format!("{name} #{}", made.fetch_add(1, Relaxed));
            let made = network.make_end_of(PROBE, &end);
            network.connect(&end, &target);
            network.enable(&end);
            made
        });
        let key = char::from(b'2' + shard as u8).to_string(); // "2" is in shard 0.
        let monitor = self.clone();
        spawn(move || {
            while !monitor.stop.load(Relaxed) {
                clerk.get(&key);
                let answered = Instant::now(); // Not while the lock is held.
                let sent = *lock(&monitor.opened);
                lock(&monitor.sightings).push((shard, Sighting { group, sent, answered }));
                sleep(OPEN + CLOSED);
            }
        });
    }

    /// The task that opens and closes the links of the probes.
    fn open_and_close(&self) {
        let network = self.sim.network();
        while !self.stop.load(Relaxed) {
            let now = Instant::now();
            *lock(&self.opened) = now;
            self.servers.iter().for_each(|server| network.mend(PROBE, server));
            sleep(OPEN);
            self.servers.iter().for_each(|server| network.cut(PROBE, server));
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

/// Starts a controller that says for ever that one group has all shards; returns its server's name.
fn start_decoy(sim: &Sim) -> String {
    let start = |Boot { me, ends, storage, .. }| {
        let server = ShardCtrler::new(ends, me, storage.persister);
        Started { services: server.services(), handle: server }
    };
    let decoy = Cluster::new(sim, "decoy", 1, start, ShardCtrler::kill);
    decoy.start_all();
    let (_, ends) = ClientEnds::new(sim, "decoy's admin", &[decoy.name(0)]);
    let servers = vec!["whom the probe is for".to_string()];
    shardctrler::Clerk::new(ends).join(BTreeMap::from([(1, servers)]));
    decoy.name(0).to_string()
}

/// Locks what nobody keeps locked across a call of the runtime.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
