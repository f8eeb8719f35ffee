//! A monitor that asks every server for every shard, again and again: who serves what, and should it?
//!
//! It uses the lab's own clerk, and leads it astray. The clerk asks a controller of the monitor's,
//! which says for ever that one group of one server has all shards; and the end to that server leads
//! to the one that is probed. A server that does not serve the key refuses, and the clerk asks again and
//! again. So a probe returns as soon as the server serves the shard.
//!
//! To know when the request was sent that was answered at last, the probes' links are open for a while
//! and closed for a while. No request survives a closed time, so one that is answered was sent in the
//! open time in which the answer comes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use labrpc::{Instant, sleep, spawn};
use shardctrler::{Config, Gid, SHARDS, ShardCtrler};
use shardkv::Clerk;
use testkit::{Boot, ClientEnds, Cluster, Sim, Started, Violation};

use crate::cluster::{GROUP_SIZE, ShardCluster, gid};

/// For how long the probes' links are open: a clerk asks about ten times a second.
const OPEN: Duration = Duration::from_millis(300);
/// For how long they are closed: the network fails a call whose path is closed within 100 ms.
const CLOSED: Duration = Duration::from_millis(110);
/// To whom the probes' ends belong.
const PROBE: &str = "probe";

/// A server of a group has served a shard.
#[derive(Clone, Copy, Debug)]
struct Sighting {
    shard: usize,
    group: Gid,
    /// The request was sent after this.
    sent: Instant,
    /// And answered before this.
    answered: Instant,
}

/// Probes at work. Clones are the same.
#[derive(Clone)]
pub struct Monitor {
    sim: Sim,
    servers: Arc<Vec<String>>,
    /// Neither is ever locked across a call of the runtime.
    opened: Arc<Mutex<Instant>>,
    sightings: Arc<Mutex<Vec<Sighting>>>,
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
                lock(&monitor.sightings).push(Sighting { shard, group, sent, answered });
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
        sightings.sort_by_key(|sighting| sighting.answered);
        for shard in 0..SHARDS {
            let of_shard = sightings.iter().filter(|sighting| sighting.shard == shard);
            judge(configs, of_shard).unwrap_or_else(|violation| self.sim.fail(violation));
        }
    }
}

/// Starts a controller that says for ever that one group has all shards; returns its server's name.
fn start_decoy(sim: &Sim) -> String {
    let start = |Boot { me, ends, persister, .. }| {
        let server = ShardCtrler::new(ends, me, persister);
        Started { services: server.services(), handle: server }
    };
    let decoy = Cluster::new(sim, "decoy", 1, start, ShardCtrler::kill);
    decoy.start_all();
    let (_, ends) = ClientEnds::new(sim, "decoy's admin", &[decoy.name(0)]);
    let servers = vec!["whom the probe is for".to_string()];
    shardctrler::Clerk::new(ends).join(BTreeMap::from([(1, servers)]));
    decoy.name(0).to_string()
}

/// Once a group has served a shard in a configuration, no other may serve it unless a later
/// configuration gives it the shard.
///
/// Nobody says in which configuration a server served, so each sighting is taken for the earliest in
/// which it is no violation. The sightings of one shard come in the order of their answers.
fn judge<'a>(
    configs: &[Config],
    sightings: impl Iterator<Item = &'a Sighting>,
) -> Result<(), Violation> {
    let mut before: Vec<(Sighting, u64)> = Vec::new();
    for sighting in sightings {
        // Those that were answered before this was sent; of others the order is not known.
        let settled = before.iter().filter(|(other, _)| other.answered <= sighting.sent);
        let latest = settled.max_by_key(|(_, num)| *num);
        let floor = latest.map_or(0, |(_, num)| *num);
        let owned = |config: &&Config| {
            config.num >= floor && config.shards[sighting.shard] == sighting.group
        };
        match configs.iter().find(owned) {
            Some(config) => before.push((*sighting, config.num)),
            None => return Err(accusation(sighting, latest)),
        }
    }
    Ok(())
}

/// What a group is accused of that served a shard, after another had in some configuration.
fn accusation(sighting: &Sighting, earlier: Option<&(Sighting, u64)>) -> Violation {
    let Sighting { shard, group, sent, answered } = sighting;
    let seconds = |instant: &Instant| instant.as_nanos() as f64 / 1e9;
    let (sent, answered) = (seconds(sent), seconds(answered));
    let served =
        format!("group {group} served shard {shard} between {sent:.3} and {answered:.3} s");
    let actual = match earlier {
        None => format!("{served}, though no configuration gives it the shard"),
        Some((earlier, num)) => {
            let (other, at) = (earlier.group, seconds(&earlier.answered));
            format!(
                "{served}, though group {other} had served it by {at:.3} s, in configuration {num} \
                 or later, and none from there on gives it to group {group}"
            )
        }
    };
    Violation::new("at most one group serves a shard", actual).hint(
        "does a group stop serving a shard in the entry of its log that begins a configuration?",
    )
}

/// Locks what nobody keeps locked across a call of the runtime.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The judge's own tests: it accuses nobody without reason, and whoever serves too long.
#[test]
fn judge_knows_who_served_too_long() {
    let config = |num, owner| Config { num, shards: [owner; SHARDS], groups: BTreeMap::new() };
    let configs = [config(0, 0), config(1, 1), config(2, 2), config(3, 1), config(4, 2)];
    let at = |ms: u64| Instant::from_nanos(ms * 1_000_000);
    let problem = |sightings: &[(Gid, u64, u64)]| {
        let sighting = |&(group, sent, answered): &(Gid, u64, u64)| Sighting {
            shard: 0,
            group,
            sent: at(sent),
            answered: at(answered),
        };
        let sightings: Vec<Sighting> = sightings.iter().map(sighting).collect();
        judge(&configs, sightings.iter()).is_err()
    };
    assert!(!problem(&[(1, 0, 1), (1, 2, 3), (2, 4, 5), (1, 6, 7), (2, 8, 9)]));
    assert!(
        !problem(&[(2, 0, 1), (1, 0, 2), (2, 1, 3)]),
        "the second was sent before the first came"
    );
    assert!(
        problem(&[(1, 0, 1), (2, 2, 3), (1, 4, 5), (2, 6, 7), (1, 8, 9)]),
        "one has it twice only"
    );
    assert!(problem(&[(3, 0, 1)]), "three never has it");
}
