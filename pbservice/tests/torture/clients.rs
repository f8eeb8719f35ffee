//! Clients that work all the time, and what they saw.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use labrpc::socket::{self, Address, Options};
use labrpc::{ClientEnd, Instant, JoinHandle, rng, spawn};
use linearizability::{CheckResult, KvInput, KvModel, KvOutput, Limits, Operation, explain};
use pbservice::Clerk;
use rand::RngExt;

use crate::rest;

/// Keys that are used at once.
const KEYS: u64 = 4;
/// Clients go on to other keys after this time: so histories of a key stay short.
const PERIOD: Duration = Duration::from_secs(4);
/// They go on to read those of this number of periods before, so that what is lost later is missed
/// soon.
const READ_AGAIN: u64 = 3;
/// The time that an operation may take: no trouble lasts longer.
const LIMIT: Duration = Duration::from_secs(120);
/// The time that may be spent on judging what was seen.
const JUDGING: Duration = Duration::from_secs(60);
/// A value that is long, and is read by those that do not read.
pub const LARGE_KEY: &str = "large 0";
/// How many of them there are: a snapshot takes several messages.
const LARGE_KEYS: u32 = 4;
/// Their length.
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
    has_ended: AtomicBool,
    /// The longest operation, in milliseconds.
    longest: AtomicU64,
    history: Mutex<History>,
}

/// What clients saw.
#[derive(Default)]
struct History {
    /// Operations, by the period of their keys.
    done: BTreeMap<u64, Vec<Operation<KvInput, KvOutput>>>,
    /// The period, the operation and its beginning, for each client that waits.
    under_way: BTreeMap<u64, (u64, KvInput, u64)>,
    /// The first period that was not judged yet.
    judged: u64,
}

impl Clients {
    /// Starts this number of clients.
    pub fn start(addresses: &[SocketAddr], count: u64) -> Self {
        let shared = Arc::new(Shared {
            addresses: addresses.to_vec(),
            began: Instant::now(),
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

    /// Writes the long values.
    pub fn put_large_values(&self) {
        let mut clerk = Clerk::new(self.shared.ends());
        await_end(&spawn(move || {
            (0..LARGE_KEYS).for_each(|key| clerk.put(&format!("large {key}"), &"x".repeat(LARGE)));
        }));
    }

    /// Judges what was seen of keys that are not used any more.
    pub fn judge(&self) {
        let mut history = self.shared.history();
        while history.judged + READ_AGAIN < self.shared.period() {
            let period = history.judged;
            let mut seen = history.done.get(&period).cloned().unwrap_or_default();
            for (&client, (of, input, call_time)) in &history.under_way {
                if *of == period {
                    seen.push(Operation::pending(client, input.clone(), *call_time));
                }
            }
            assert_ne!(judge(&seen), CheckResult::Illegal, "what clients saw is not linearizable");
            history.judged += 1;
        }
    }

    /// Whether an operation has taken too long.
    pub fn have_failed(&self) -> bool {
        Duration::from_millis(self.shared.longest.load(Relaxed)) > LIMIT
    }

    /// Waits until all have ended.
    pub fn stop(self) -> Keys {
        self.shared.has_ended.store(true, Relaxed);
        self.tasks.iter().for_each(await_end);
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
            if self.has_ended.load(Relaxed) {
                return;
            }
            if number % 8 == 0 {
                clerk = Clerk::new(self.ends());
            }
            let (now, number_of_key) = (self.period(), rng().random_range(0..KEYS));
            let key = |period: u64| format!("{period}-{number_of_key}");
            let value = format!("[{client}.{number}]");
            let (period, input) = match rng().random_range(0..4_u32) {
                0 => (now, KvInput::put(key(now), value)),
                1 => (now, KvInput::append(key(now), value)),
                _ => {
                    let period = now.saturating_sub(rng().random_range(0..READ_AGAIN));
                    (period, KvInput::get(key(period)))
                }
            };
            self.perform(&mut clerk, client, period, input);
            labrpc::sleep(Duration::from_millis(rng().random_range(0..60_u64)));
        }
    }

    /// Performs one operation and notes what it saw.
    fn perform(&self, clerk: &mut Clerk, client: u64, period: u64, input: KvInput) {
        let call_time = self.now();
        self.history().under_way.insert(client, (period, input.clone(), call_time));
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
        let mut history = self.history();
        history.under_way.remove(&client);
        history.done.entry(period).or_default().push(operation);
    }

    /// What clients saw so far.
    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().expect("no client panics meanwhile")
    }

    /// Nanoseconds since the clients began.
    fn now(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    /// The period whose keys are used now.
    fn period(&self) -> u64 {
        self.now() / PERIOD.as_nanos() as u64
    }
}

/// The keys that were used, when the clients have ended.
pub struct Keys(Arc<Shared>);

impl Keys {
    /// Reads all of them: what was acknowledged must be there.
    pub fn read_all(&self) {
        let shared = Arc::clone(&self.0);
        await_end(&spawn(move || {
            let mut clerk = Clerk::new(shared.ends());
            for period in 0..=shared.period() {
                for key in 0..KEYS {
                    let input = KvInput::get(format!("{period}-{key}"));
                    shared.perform(&mut clerk, u64::MAX, period, input);
                }
            }
        }));
    }

    /// Judges all that clients saw. Returns the number of operations.
    pub fn judge(&self) -> usize {
        let mut history = self.0.history();
        let seen: Vec<_> = std::mem::take(&mut history.done).into_values().flatten().collect();
        assert_eq!(judge(&seen), CheckResult::Ok, "what clients saw is not linearizable");
        seen.len()
    }
}

/// Waits until a task has ended, whose operations all servers can serve.
fn await_end(task: &JoinHandle<()>) {
    let began = Instant::now();
    while !task.is_finished() {
        assert!(began.elapsed() < LIMIT, "operations do not end though all servers are up");
        rest(Duration::from_millis(50));
    }
}

/// Whether this is linearizable. Shows why not.
fn judge(seen: &[Operation<KvInput, KvOutput>]) -> CheckResult {
    let report = explain(&KvModel, seen, &Limits { time: Some(JUDGING), ..Limits::default() });
    if let Some(window) = report.window() {
        println!("{window}");
    }
    report.result()
}
