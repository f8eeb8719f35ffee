//! Keys and what a test knows of their values.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use labrpc::{JoinHandle, rng, sleep, spawn};
use rand::RngExt as _;
use shardctrler::SHARDS;
use testkit::{KvClerk, Sim};

use crate::cluster::ShardCluster;

/// So many milliseconds.
pub const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A random string of so many letters and digits.
pub fn random_string(length: usize) -> String {
    const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    (0..length)
        .map(|_| char::from(LETTERS[rng().random_range(0..LETTERS.len() as u64) as usize]))
        .collect()
}

/// The shard of one of the keys "0" to "9".
pub fn shard_of(key: usize) -> usize {
    (usize::from(b'0') + key) % SHARDS
}

/// The keys "0", "1" and so on, and the value that each must have. Ten of them are one for each
/// shard.
pub struct Data {
    sim: Sim,
    values: Vec<String>,
}

impl Data {
    /// Writes so many keys with random values of this length.
    pub fn put(cluster: &ShardCluster, clerk: &mut KvClerk, keys: usize, length: usize) -> Self {
        Self::put_all(cluster, clerk, (0..keys).map(|_| random_string(length)).collect())
    }

    /// Writes these values.
    pub fn put_all(cluster: &ShardCluster, clerk: &mut KvClerk, values: Vec<String>) -> Self {
        for (key, value) in values.iter().enumerate() {
            clerk.put(&key.to_string(), value);
        }
        Self { sim: cluster.sim().clone(), values }
    }

    /// The keys.
    pub fn keys(&self) -> std::ops::Range<usize> {
        0..self.values.len()
    }

    /// Writes a new value.
    pub fn set(&mut self, clerk: &mut KvClerk, key: usize, value: &str) {
        clerk.put(&key.to_string(), value);
        self.values[key] = value.to_string();
    }

    /// A key has its value.
    #[track_caller]
    pub fn check_key(&self, clerk: &mut KvClerk, key: usize) {
        check_value(&self.sim, clerk, &key.to_string(), &self.values[key]);
    }

    /// This is what a client has read.
    #[track_caller]
    pub fn check_read(&self, key: usize, value: &str) {
        compare(&self.sim, &key.to_string(), &self.values[key], value);
    }

    /// All keys have their values.
    #[track_caller]
    pub fn check(&self, clerk: &mut KvClerk) {
        self.keys().for_each(|key| self.check_key(clerk, key));
    }

    /// All keys have their values, and each is extended by a random string of this length.
    #[track_caller]
    pub fn check_and_append(&mut self, clerk: &mut KvClerk, length: usize) {
        for key in self.keys() {
            self.check_key(clerk, key);
            let more = random_string(length);
            clerk.append(&key.to_string(), &more);
            self.values[key].push_str(&more);
        }
    }
}

/// A key has this value.
#[track_caller]
pub fn check_value(sim: &Sim, clerk: &mut KvClerk, key: &str, expected: &str) {
    compare(sim, key, expected, &clerk.get(key));
}

/// A client has read what it should.
#[track_caller]
fn compare(sim: &Sim, key: &str, expected: &str, received: &str) {
    sim.check(testkit::compare_values(&format!("Get({key})"), expected, received));
}

/// How an appending client spends its time between calls.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// It pauses after each call.
    Pause(Duration),
    /// It makes about [`BURST`] calls without a pause, and then lets others have the processor: the
    /// course's clients, whose calls take longer, never pause. More calls would only make the test
    /// slower.
    Bursts,
}

/// How many calls are made without a pause, on average.
const BURST: u32 = 16;
/// The longest pause after that.
const REST: Duration = Duration::from_millis(200);

impl Pace {
    /// Waits before the next call.
    pub fn wait(self) {
        match self {
            Pace::Pause(pause) => sleep(pause),
            Pace::Bursts if rng().random_ratio(1, BURST) => {
                sleep(rng().random_range(Duration::ZERO..REST))
            }
            Pace::Bursts => {}
        }
    }
}

/// Clients that append, one to each key, until they are stopped.
pub struct Appenders {
    sim: Sim,
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<String>>,
}

impl Appenders {
    /// Begins to extend the values by random strings of this length.
    pub fn start(cluster: &ShardCluster, data: Data, length: usize, pace: Pace) -> Self {
        let stop: Arc<AtomicBool> = Arc::default();
        let task = |(key, mut value): (usize, String)| {
            let mut clerk = cluster.client();
            let stop = Arc::clone(&stop);
            spawn(move || {
                while !stop.load(Relaxed) {
                    let more = random_string(length);
                    clerk.append(&key.to_string(), &more);
                    value.push_str(&more);
                    pace.wait();
                }
                value
            })
        };
        let tasks = data.values.into_iter().enumerate().map(task).collect();
        Self { sim: data.sim, stop, tasks }
    }

    /// The clients begin no more calls.
    pub fn ask_to_stop(&self) {
        self.stop.store(true, Relaxed);
    }

    /// Lets the clients finish their last calls; returns the values that there must be then.
    pub fn stop(self) -> Data {
        self.ask_to_stop();
        let join = |task: JoinHandle<String>| task.join().expect("nobody crashes the test");
        Data { sim: self.sim, values: self.tasks.into_iter().map(join).collect() }
    }
}
