//! Measures changes of the configuration: how long a moving shard is not served, and how many
//! requests for other shards are served meanwhile, with groups of three servers and a reliable
//! network.
//!
//! The results:
//!
//! * *hand-over* is the time from the controller's agreement on a join until clients have read a
//!   value from each of the five shards that the group gets. The size is that of all five shards
//!   together. Most of the time is waiting: a group queries the controller ten times a second, and
//!   a refused client pauses for the same time. The part that grows with the size is the cost of
//!   moving bytes. It is zero in virtual time, in which neither long messages nor processors take
//!   time.
//! * *unaffected* is the throughput of eight clients on shards that do not move: first without a
//!   change, then while another shard of the same group, of 100 kB, moves away and back all the
//!   time. The difference is the cost of changes for clients of other shards (challenge 2).
//! * *virtual* shows the waiting times of the protocol, *real-thread* the speed on a machine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use criterion::{
    BenchmarkGroup, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use labrpc::{ClientEnd, Instant, Network, Node, Persister, Server, Simulation, run_real, spawn};
use shardctrler::{Gid, SHARDS, ShardCtrler};
use shardkv::{Clerk, ShardKv, key_to_shard};

/// Servers in a group. The controller has one server, because the bench does not measure it.
const SERVERS: usize = 3;
/// The groups.
const GIDS: [Gid; 2] = [100, 101];
/// The controller.
const CTRLER: &str = "ctrler";
/// The size of the Raft state at which servers take snapshots.
const MAX_RAFT_STATE: usize = 100_000;
/// How much moves when a group joins.
const SIZES: [(&str, usize); 3] = [("10 kB", 10_000), ("100 kB", 100_000), ("1 MB", 1_000_000)];
/// The size of the shard that moves while others are used.
const MOVING_BYTES: usize = 100_000;
/// Clients whose shards stay.
const CLIENTS: u64 = 8;
/// The number of calls in one iteration: enough for several moves.
const CALLS: u64 = 5_000;
/// A time limit that no bench reaches.
const LIMIT: Duration = Duration::from_secs(1 << 32);

/// A controller and groups.
#[derive(Clone)]
struct Bed {
    network: Network,
    /// How many ends there are.
    ends: Arc<AtomicU64>,
}

impl Bed {
    /// Starts everything. No group has joined.
    fn start() -> Self {
        let bed = Self { network: Network::new(), ends: Arc::default() };
        let peers = vec![bed.end(CTRLER)];
        let ctrler = Node::new(CTRLER).call(|| {
            let ctrler = ShardCtrler::new(peers, 0, Persister::new());
            ctrler.services().into_iter().fold(Server::new(), Server::with)
        });
        bed.network.add_server(CTRLER, ctrler.expect("the node is alive"));
        for gid in GIDS {
            (0..SERVERS).for_each(|me| bed.start_server(gid, me));
        }
        bed
    }

    /// Starts a server of a group.
    fn start_server(&self, gid: Gid, me: usize) {
        let names = server_names(gid);
        let peers = names.iter().map(|name| self.end(name)).collect();
        let ctrlers = vec![self.end(CTRLER)];
        let bed = self.clone();
        let server = Node::new(&names[me]).call(move || {
            let make_end = move |to: &str| bed.end(to);
            let (disk, size) = (Persister::new(), Some(MAX_RAFT_STATE));
            let kv = ShardKv::new(peers, me, disk, size, gid, ctrlers, make_end);
            kv.services().into_iter().fold(Server::new(), Server::with)
        });
        self.network.add_server(&names[me], server.expect("the node is alive"));
    }

    /// An enabled end to a server.
    fn end(&self, to: &str) -> ClientEnd {
        let name = format!("#{} to {to}", self.ends.fetch_add(1, Relaxed));
        let end = self.network.make_end(&name);
        self.network.connect(&name, to);
        self.network.enable(&name);
        end
    }

    /// A clerk of the controller, to change configurations.
    fn admin(&self) -> shardctrler::Clerk {
        shardctrler::Clerk::new(vec![self.end(CTRLER)])
    }

    /// A client that knows no configuration, and so begins with the latest.
    fn clerk(&self) -> Clerk {
        let bed = self.clone();
        Clerk::new(vec![self.end(CTRLER)], move |to: &str| bed.end(to))
    }

    /// Waits until shards are served by their owners in the latest configuration.
    fn await_shards(&self, shards: &[usize]) {
        let read = |&shard: &usize| {
            let mut clerk = self.clerk();
            spawn(move || drop(clerk.get(&small_key(shard))))
        };
        let reads: Vec<_> = shards.iter().map(read).collect();
        reads.into_iter().for_each(|read| read.join().expect("no task is killed"));
    }
}

/// The names of a group's servers.
fn server_names(gid: Gid) -> Vec<String> {
    (0..SERVERS).map(|server| format!("server-{gid}-{server}")).collect()
}

/// Groups, for a join.
fn groups(gids: &[Gid]) -> BTreeMap<Gid, Vec<String>> {
    gids.iter().map(|&gid| (gid, server_names(gid))).collect()
}

/// A key of a shard that has no value.
fn small_key(shard: usize) -> String {
    let key = char::from(b'2' + shard as u8).to_string(); // "2" is in shard 0.
    assert_eq!(key_to_shard(&key), shard, "{key}");
    key
}

/// Fills a shard.
fn fill(clerk: &mut Clerk, shard: usize, bytes: usize) {
    clerk.put(&format!("{} large", small_key(shard)), &"x".repeat(bytes));
}

/// Lets a group join and leave a number of times, and returns the time from the joins to the
/// arrival of the shards.
fn hand_over(times: u64, bytes: usize) -> Duration {
    let bed = Bed::start();
    let (mut admin, mut clerk) = (bed.admin(), bed.clerk());
    admin.join(groups(&GIDS[..1]));
    (0..SHARDS).for_each(|shard| fill(&mut clerk, shard, bytes / (SHARDS / 2)));
    let mut total = Duration::ZERO;
    for _ in 0..times {
        admin.join(groups(&GIDS[1..]));
        let began = Instant::now();
        let owners = admin.query(None).shards;
        let moving: Vec<usize> = (0..SHARDS).filter(|&shard| owners[shard] == GIDS[1]).collect();
        assert_eq!(moving.len(), SHARDS / 2);
        bed.await_shards(&moving);
        total += began.elapsed();
        admin.leave(&GIDS[1..]);
        bed.await_shards(&moving);
    }
    total
}

/// Divides a number of puts to shards that do not move among clients, with or without another shard
/// of the group moving meanwhile, and returns the time that they took.
fn unaffected(calls: u64, moves: bool) -> Duration {
    let bed = Bed::start();
    let mut admin = bed.admin();
    admin.join(groups(&GIDS));
    let owners = admin.query(None).shards;
    let ours: Vec<usize> = (0..SHARDS).filter(|&shard| owners[shard] == GIDS[0]).collect();
    let (moving, staying) = (ours[0], &ours[1..]);
    fill(&mut bed.clerk(), moving, MOVING_BYTES);
    bed.await_shards(&ours);
    let stop: Arc<AtomicBool> = Arc::default();
    let (mover_bed, mover_stop) = (bed.clone(), Arc::clone(&stop));
    let mover = spawn(move || {
        for gid in GIDS.into_iter().rev().cycle().take_while(|_| moves && !mover_stop.load(Relaxed))
        {
            admin.move_shard(moving, gid);
            mover_bed.await_shards(&[moving]);
        }
    });
    let began = Instant::now();
    let tasks: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let mut clerk = bed.clerk();
            let key = small_key(staying[client as usize % staying.len()]);
            spawn(move || (0..calls.div_ceil(CLIENTS)).for_each(|_| clerk.put(&key, "0123456789")))
        })
        .collect();
    tasks.into_iter().for_each(|task| task.join().expect("no task is killed"));
    let elapsed = began.elapsed();
    stop.store(true, Relaxed);
    mover.join().expect("no task is killed");
    elapsed
}

/// Adds a bench twice: in virtual time, and in real time on real threads.
fn both<M>(
    group: &mut BenchmarkGroup<'_, M>,
    name: &str,
    work: impl Fn(u64) -> Duration + Copy + Send + Sync + 'static,
) where
    M: criterion::measurement::Measurement<Value = Duration>,
{
    // Another seed for each sample: with one alone, all would be the same.
    let seed = AtomicU64::new(1);
    group.bench_function(format!("{name}, virtual"), |b| {
        b.iter_custom(|n| {
            let simulation = Simulation::new(seed.fetch_add(1, Relaxed));
            let simulation = simulation.time_limit(LIMIT).cpu_limits(LIMIT, LIMIT);
            let outcome = simulation.run(move || work(n));
            outcome.result.unwrap_or_else(|failure| panic!("{failure}"))
        });
    });
    group.bench_function(format!("{name}, real-thread"), |b| {
        b.iter_custom(|n| {
            let outcome = run_real(seed.fetch_add(1, Relaxed), LIMIT, move || work(n));
            outcome.result.unwrap_or_else(|failure| panic!("{failure}"))
        });
    });
}

/// Time in which shards are not served.
fn hand_overs(c: &mut Criterion) {
    let mut group = c.benchmark_group("shardkv hand-over");
    group.sampling_mode(SamplingMode::Flat);
    for (name, bytes) in SIZES {
        both(&mut group, name, move |times| hand_over(times, bytes));
    }
}

/// Throughput of clients whose shards do not move.
fn unaffected_shards(c: &mut Criterion) {
    let mut group = c.benchmark_group("shardkv unaffected");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(CALLS));
    for (name, moves) in [("no change", false), ("during changes", true)] {
        both(&mut group, name, move |times| unaffected(times * CALLS, moves));
    }
}

criterion_group! {
    name = benches;
    config = benches::few_samples();
    targets = hand_overs, unaffected_shards
}
criterion_main!(benches);
