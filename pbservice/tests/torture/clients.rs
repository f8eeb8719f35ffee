//! Clients that work all the time, and what they saw.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use labrpc::socket::{self, Address, Options};
use labrpc::{ClientEnd, Instant, JoinHandle, rng, sleep, spawn};
use linearizability::{KvInput, KvOutput, Operation};
use pbservice::Clerk;
use rand::RngExt;

/// Keys that are used at once.
const KEYS: u64 = 4;
/// Clients go on to other keys after this time: so histories of a key stay short.
const PERIOD: Duration = Duration::from_secs(4);
/// The time that an operation may take: no trouble lasts longer.
const LIMIT: Duration = Duration::from_secs(120);
/// A value that is long, and is read by those that do not read.
pub const LARGE_KEY: &str = "large";
/// Its length.
const LARGE: usize = 900_000;

/// Clients at work.
pub struct Clients {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

/// What clients share.
struct Shared {
    addresses: Vec<SocketAddr>,
    began: Instant,
    is_paused: AtomicBool,
    has_ended: AtomicBool,
    /// The longest operation, in milliseconds.
    longest: AtomicU64,
    history: Mutex<Vec<Operation<KvInput, KvOutput>>>,
}

impl Clients {
    /// Starts so many clients.
    pub fn start(addresses: &[SocketAddr], count: u64) -> Self {
        let shared = Arc::new(Shared {
            addresses: addresses.to_vec(),
            began: Instant::now(),
            is_paused: AtomicBool::new(false),
            has_ended: AtomicBool::new(false),
            longest: AtomicU64::new(0),
            history: Mutex::default(),
        });
        let start = |client| {
            let shared = Arc::clone(&shared);
            spawn(move || shared.work(client))
        };
        let tasks = (0..count).map(start).collect();
        Self { shared, tasks }
    }

    /// Writes the long value.
    pub fn put_large_values(&self) {
        Clerk::new(self.shared.ends()).put(LARGE_KEY, &"x".repeat(LARGE));
    }

    /// Lets them rest.
    pub fn pause(&self) {
        self.shared.is_paused.store(true, Relaxed);
    }

    /// Lets them work.
    pub fn go_on(&self) {
        self.shared.is_paused.store(false, Relaxed);
    }

    /// Whether an operation has taken too long.
    pub fn have_failed(&self) -> bool {
        Duration::from_millis(self.shared.longest.load(Relaxed)) > LIMIT
    }

    /// Waits until all have ended.
    pub fn stop(self) -> Keys {
        self.shared.has_ended.store(true, Relaxed);
        let began = Instant::now();
        while self.tasks.iter().any(|task| !task.is_finished()) {
            assert!(began.elapsed() < LIMIT, "operations do not end though all servers are up");
            sleep(Duration::from_millis(50));
        }
        let longest = self.shared.longest.load(Relaxed) as f64 / 1000.0;
        println!("the longest operation took {longest} s");
        Keys(self.shared)
    }
}

impl Shared {
    /// Ways to all servers, beginning with any: also a primary that has been replaced is asked.
    fn ends(&self) -> Vec<(SocketAddr, ClientEnd)> {
        let options = Options {
            connect_timeout: Duration::from_millis(500),
            call_timeout: Duration::from_secs(8),
            ..Options::default()
        };
        let end = |&address: &SocketAddr| {
            (address, socket::connect(&Address::Tcp(address.to_string()), options))
        };
        let mut ends: Vec<_> = self.addresses.iter().map(end).collect();
        ends.rotate_left(rng().random_range(0..self.addresses.len() as u32) as usize);
        ends
    }

    /// The life of a client.
    fn work(&self, client: u64) {
        let mut clerk = Clerk::new(self.ends());
        for number in 0_u64.. {
            while self.is_paused.load(Relaxed) && !self.has_ended.load(Relaxed) {
                sleep(Duration::from_millis(20));
            }
            if self.has_ended.load(Relaxed) {
                return;
            }
            if number % 8 == 0 {
                clerk = Clerk::new(self.ends());
            }
            let period = self.began.elapsed().as_nanos() / PERIOD.as_nanos();
            let key = format!("{period}-{}", rng().random_range(0..KEYS));
            let value = format!("[{client}.{number}]");
            let input = match rng().random_range(0..4_u32) {
                0 => KvInput::put(key, value),
                1 => KvInput::append(key, value),
                _ => KvInput::get(key),
            };
            self.perform(&mut clerk, client, input);
            sleep(Duration::from_millis(rng().random_range(0..60_u64)));
        }
    }

    /// Performs one operation and notes what it saw.
    fn perform(&self, clerk: &mut Clerk, client: u64, input: KvInput) {
        let call_time = self.now();
        let output = match &input {
            KvInput::Get { key } => KvOutput::value(clerk.get(key).unwrap_or_default()),
            KvInput::Put { key, value } => {
                clerk.put(key, value);
                KvOutput::Done
            }
            KvInput::Append { key, value } => {
                clerk.append(key, value);
                KvOutput::Done
            }
        };
        let return_time = self.now();
        self.longest.fetch_max((return_time - call_time) / 1_000_000, Relaxed);
        let operation = Operation::completed(client, input, output, call_time, return_time);
        self.history.lock().expect("no client panics meanwhile").push(operation);
    }

    /// Nanoseconds since the clients began.
    fn now(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }
}

/// The keys that were used, when the clients have ended.
pub struct Keys(Arc<Shared>);

impl Keys {
    /// Reads all of them: what was acknowledged must be there.
    pub fn read_all(&self) {
        let history = self.0.history.lock().expect("no client panics meanwhile");
        let keys = history.iter().map(|operation| operation.input.key().to_string());
        let keys: std::collections::BTreeSet<String> = keys.collect();
        drop(history);
        let mut clerk = Clerk::new(self.0.ends());
        keys.into_iter().for_each(|key| self.0.perform(&mut clerk, u64::MAX, KvInput::get(key)));
    }

    /// All that clients saw.
    pub fn into_history(self) -> Vec<Operation<KvInput, KvOutput>> {
        std::mem::take(&mut *self.0.history.lock().expect("no client panics meanwhile"))
    }
}
