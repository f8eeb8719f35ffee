//! The course's generic test: clients at work, and faults.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use labrpc::{Instant, JoinHandle, rng, sleep, spawn};
use rand::RngExt as _;
use testkit::{ELECTION_TIMEOUT, KvClerk, Sim, compare_values, item, wait_until};

use crate::cluster::KvCluster;

/// How many times as large as it should be a server's Raft state may become. As in the course: a
/// leader in a minority takes the requests of clients that come back to it, and cannot get rid of
/// any.
pub const LOG_FACTOR: usize = 8;

/// How often the clients are let loose.
const ITERATIONS: u64 = 3;
/// For how long, at least, each time.
const CLIENT_TIME: Duration = Duration::from_secs(5);
/// How much longer at most, if they have not made as many calls as they should by then. Only slow
/// solutions need it, and none fails for want of calls.
const EXTRA_TIME: Duration = Duration::from_secs(15);
/// How often the test looks whether they have.
const INTERVAL: Duration = Duration::from_millis(50);
/// A client makes about so many calls without a pause, so that clients do meet.
const BURST: u32 = 16;
/// A client's own key is emptied when its value has become so long: what grows without end costs
/// time in every call and tells nothing new.
const LONG_VALUE: usize = 1_000;

/// How many clients work, on how many servers, and what goes wrong meanwhile.
pub struct Workload {
    /// How many clients there are.
    pub clients: u64,
    /// How many servers.
    pub servers: usize,
    /// Whether the network loses and delays messages.
    pub unreliable: bool,
    /// Whether all servers go down after each iteration.
    pub crash: bool,
    /// Whether the servers are split again and again.
    pub partitions: bool,
    /// Whether all clients use all keys. Otherwise each has its own, and knows its value.
    pub shared_keys: bool,
    /// Near which size of the Raft state servers take snapshots.
    pub max_raft_state: Option<usize>,
    /// How many calls all clients together should make in all iterations: a client that is faster
    /// pauses now and then.
    pub calls: u64,
}

impl Default for Workload {
    /// One client of five servers, and no faults.
    fn default() -> Self {
        Self {
            clients: 1,
            servers: 5,
            unreliable: false,
            crash: false,
            partitions: false,
            shared_keys: false,
            max_raft_state: None,
            calls: 1_000,
        }
    }
}

impl Workload {
    /// Lets the clients work, and checks what they saw.
    pub fn run(self, sim: &Sim) {
        let cluster = KvCluster::start(sim, self.servers, self.max_raft_state);
        sim.network().set_reliable(!self.unreliable);
        let workload = Arc::new(self);
        let mut reader = cluster.client();
        for _ in 0..ITERATIONS {
            workload.iterate(&cluster, &mut reader);
        }
        cluster.history().check();
    }

    /// One iteration.
    fn iterate(self: &Arc<Self>, cluster: &KvCluster, reader: &mut KvClerk) {
        let shift = Shift::begin(self.calls.div_ceil(ITERATIONS), self.clients);
        let start = |number| {
            let worker = Worker::new(self, cluster, number, &shift);
            spawn(move || worker.work())
        };
        let workers: Vec<JoinHandle<Done>> = (0..self.clients).map(start).collect();
        let partitioner = self.partitions.then(|| {
            sleep(ELECTION_TIMEOUT);
            let over = shift.clone();
            cluster.keep_partitioning(move || over.is_over())
        });
        shift.end_in_time();
        if let Some(partitioner) = partitioner {
            partitioner.join().expect("nobody crashes the test");
            cluster.connect_all();
            sleep(ELECTION_TIMEOUT); // A request that is stuck in a former minority sees a new term.
        }
        if self.crash {
            // Clients may still be in the midst of their last call.
            cluster.bring_all_down();
            sleep(ELECTION_TIMEOUT);
            cluster.connect_all();
        }
        for (number, worker) in (0..).zip(workers) {
            let done = worker.join().expect("nobody crashes the test");
            self.check(cluster, reader, number, &done);
        }
        match self.max_raft_state {
            Some(limit) => cluster.check_log_size(LOG_FACTOR * limit),
            None => cluster.check_no_snapshots(),
        }
    }

    /// What a client wrote is there.
    fn check(&self, cluster: &KvCluster, reader: &mut KvClerk, number: u64, done: &Done) {
        let value = reader.get(&number.to_string());
        if self.shared_keys {
            return;
        }
        cluster.check_appends(&value, &[(number, done.items)]);
        check_own_value(cluster.sim(), number, &done.value, &value);
    }
}

/// A client's own key has the value that it knows.
fn check_own_value(sim: &Sim, client: u64, expected: &str, value: &str) {
    sim.check(compare_values(&format!("get wrong value, key {client}"), expected, value));
}

/// The time for which clients work, as all of them see it. Clones are the same.
#[derive(Clone)]
struct Shift {
    began: Instant,
    /// How many calls one client should make in [`CLIENT_TIME`].
    share: u64,
    /// How many all of them should make.
    goal: u64,
    /// How many they have made.
    calls: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Shift {
    /// Begins now; so many calls are to be made by so many clients.
    fn begin(goal: u64, clients: u64) -> Self {
        let share = goal.div_ceil(clients).max(1);
        Self { began: Instant::now(), share, goal, calls: Arc::default(), over: Arc::default() }
    }

    /// Waits as long as clients should work, from now on, and then ends it.
    fn end_in_time(&self) {
        sleep(CLIENT_TIME);
        _ = wait_until(EXTRA_TIME, INTERVAL, || self.calls.load(Relaxed) >= self.goal);
        self.over.store(true, Relaxed);
    }

    /// Whether clients should stop.
    fn is_over(&self) -> bool {
        self.over.load(Relaxed)
    }

    /// Lets a client that has made so many calls pause, now and then, if it is ahead of its time.
    fn pause(&self, calls: u64) {
        self.calls.fetch_add(1, Relaxed);
        if rng().random_ratio(1, BURST) {
            let due = CLIENT_TIME.mul_f64(calls as f64 / self.share as f64);
            sleep(due.saturating_sub(self.began.elapsed()));
        }
    }
}

/// A client at work.
struct Worker {
    workload: Arc<Workload>,
    sim: Sim,
    clerk: KvClerk,
    number: u64,
    shift: Shift,
    done: Done,
}

/// What a client has done.
#[derive(Default)]
struct Done {
    /// How many items its own key holds, or, with shared keys, how many it has written.
    items: u64,
    /// The value of its own key.
    value: String,
}

impl Worker {
    /// A client with this number.
    fn new(workload: &Arc<Workload>, cluster: &KvCluster, number: u64, shift: &Shift) -> Self {
        Self {
            workload: Arc::clone(workload),
            sim: cluster.sim().clone(),
            clerk: cluster.client(),
            number,
            shift: shift.clone(),
            done: Done::default(),
        }
    }

    /// Makes calls until the shift is over; returns what was done.
    fn work(mut self) -> Done {
        if !self.workload.shared_keys {
            self.empty_own_key();
        }
        for calls in 1.. {
            if self.shift.is_over() {
                break;
            }
            if self.workload.shared_keys {
                self.use_any_key();
            } else {
                self.use_own_key();
            }
            self.shift.pause(calls);
        }
        self.done
    }

    /// Begins anew with the client's own key.
    fn empty_own_key(&mut self) {
        self.clerk.put(&self.number.to_string(), "");
        self.done = Done::default();
    }

    /// Half of the calls append to the client's own key; the others read it and know the value.
    fn use_own_key(&mut self) {
        let key = self.number.to_string();
        if self.done.value.len() > LONG_VALUE {
            self.empty_own_key();
        } else if rng().random_bool(0.5) {
            let item = self.next_item();
            self.clerk.append(&key, &item);
            self.done.value.push_str(&item);
        } else {
            let value = self.clerk.get(&key);
            check_own_value(&self.sim, self.number, &self.done.value, &value);
        }
    }

    /// Half of the calls append to any key; of the others, one in ten replaces and the rest read.
    fn use_any_key(&mut self) {
        let key = rng().random_range(0..self.workload.clients).to_string();
        if rng().random_bool(0.5) {
            let item = self.next_item();
            self.clerk.append(&key, &item);
        } else if rng().random_ratio(1, 10) {
            let item = self.next_item();
            self.clerk.put(&key, &item);
        } else {
            self.clerk.get(&key);
        }
    }

    /// An item that this client has not written yet since its key was emptied.
    fn next_item(&mut self) -> String {
        let item = item(self.number, self.done.items);
        self.done.items += 1;
        item
    }
}
