//! Why the protocol is not simpler: the lecture's own, taken at its word, and two runs in which it
//! goes wrong. It is twenty lines of state and four calls:
//!
//! * the primary takes a put, copies it to whoever can be reached, and says that it is done;
//! * backups ping the primary; when it is silent, they check each other's (address, version), and
//!   whoever finds itself first, by the highest version and then the lowest address, is primary.
//!
//! It asks nobody for a promise, needs no majority, and writes nothing to disk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use labrpc::{ClientEnd, Mutex, Service, sleep, spawn};
use testkit::{Cluster, Sim, Started, lab_test};

/// Servers.
const SERVERS: usize = 5;
/// How often a backup pings.
const PING_INTERVAL: Duration = Duration::from_millis(100);

/// A server of the naive service. Addresses are the servers' numbers.
struct Naive {
    me: usize,
    ends: Vec<ClientEnd>,
    state: Mutex<State>,
}

/// What it knows.
#[derive(Default)]
struct State {
    table: BTreeMap<String, String>,
    /// How many puts it has seen.
    version: u64,
    primary: usize,
    killed: bool,
}

impl Naive {
    /// Whether this server takes itself for the primary.
    fn is_primary(&self) -> bool {
        self.state.lock().primary == self.me
    }

    /// The primary's side of a put.
    fn put(&self, key: String, value: String) -> bool {
        if !self.is_primary() {
            return false;
        }
        self.store(key.clone(), value.clone());
        for (_, end) in self.others() {
            end.call::<_, ()>("Naive.Copy", &(key.clone(), value.clone())).ok(); // Dead, perhaps.
        }
        true
    }

    /// Stores a value.
    fn store(&self, key: String, value: String) {
        let mut state = self.state.lock();
        state.table.insert(key, value);
        state.version += 1;
    }

    /// The primary's side of a get.
    fn get(&self, key: &str) -> Option<String> {
        let state = self.state.lock();
        (state.primary == self.me).then(|| state.table.get(key).cloned().unwrap_or_default())
    }

    /// Pings the primary, and chooses another one when it is silent.
    fn watch(&self) {
        loop {
            sleep(PING_INTERVAL);
            let state = self.state.lock();
            let (primary, killed) = (state.primary, state.killed);
            drop(state);
            if killed {
                return;
            }
            if primary != self.me
                && self.ends[primary].call::<(), bool>("Naive.Ping", &()) != Ok(true)
            {
                self.check();
            }
        }
    }

    /// The highest version, then the lowest address, of those who answer.
    fn check(&self) {
        let mut servers = vec![(self.me, self.state.lock().version)];
        for (address, end) in self.others() {
            servers
                .extend(end.call::<(), u64>("Naive.Check", &()).map(|version| (address, version)));
        }
        let best = servers.iter().max_by_key(|(address, version)| (version, SERVERS - address));
        self.state.lock().primary = best.map_or(self.me, |&(address, _)| address);
    }

    /// The other servers.
    fn others(&self) -> impl Iterator<Item = (usize, &ClientEnd)> {
        self.ends.iter().enumerate().filter(|&(address, _)| address != self.me)
    }

    /// What others can call.
    fn service(self: &Arc<Self>) -> Service {
        let server = || Arc::clone(self);
        let (ping, check, copy, put, get) = (server(), server(), server(), server(), server());
        Service::new("Naive")
            .method("Ping", move |(): ()| ping.is_primary())
            .method("Check", move |(): ()| check.state.lock().version)
            .method("Copy", move |(key, value): (String, String)| copy.store(key, value))
            .method("Put", move |(key, value): (String, String)| put.put(key, value))
            .method("Get", move |key: String| get.get(&key))
    }
}

/// Starts five servers, the first of which is primary.
fn start(sim: &Sim) -> Cluster<Arc<Naive>> {
    let start = |boot: testkit::Boot| {
        let server =
            Arc::new(Naive { me: boot.me, ends: boot.ends, state: Mutex::new(State::default()) });
        let watcher = Arc::clone(&server);
        spawn(move || watcher.watch());
        Started { services: vec![server.service()], handle: server }
    };
    let kill = |server: &Arc<Naive>| server.state.lock().killed = true;
    let cluster = Cluster::new(sim, "S", SERVERS, start, kill);
    cluster.start_all();
    cluster
}

/// Puts a value at one server; returns whether it was acknowledged.
fn put(clients: &[ClientEnd], server: usize, value: &str) -> bool {
    let args = ("x".to_string(), value.to_string());
    clients[server].call("Naive.Put", &args).unwrap_or(false)
}

/// The value at one server; `None` if that does not take itself for the primary.
fn get(clients: &[ClientEnd], server: usize) -> Option<String> {
    clients[server].call("Naive.Get", &"x".to_string()).ok().flatten()
}

/// When the network is cut, there are two primaries. Both acknowledge puts, and two clients read
/// different values at the same time.
///
/// What was added: an epoch that a majority has promised, an acknowledgement by a majority, and
/// reads that a majority has confirmed.
#[test]
fn naive_two_primaries() {
    lab_test("naive_two_primaries", |sim| {
        let cluster = start(sim);
        let clients = cluster.client().ends();
        assert!(put(&clients, 0, "1"), "the first server is primary");

        cluster.partition(&[&[0, 1], &[2, 3, 4]]);
        sim.sleep(20 * PING_INTERVAL);
        assert!(put(&clients, 0, "left"), "the old primary goes on with two servers");
        assert!(put(&clients, 2, "right"), "the other side has chosen another one");
        assert_eq!(get(&clients, 0).as_deref(), Some("left"));
        assert_eq!(get(&clients, 2).as_deref(), Some("right"));
    });
}

/// A put is acknowledged by a primary that could copy it to nobody. It dies, and the put is gone,
/// though four of five servers have never been in trouble.
///
/// What was added: nothing is acknowledged before it is on the disks of a majority. Every majority
/// that promises an epoch has one of those servers, and it promises nothing to a server that lacks
/// the put.
#[test]
fn naive_acknowledged_put_lost() {
    lab_test("naive_acknowledged_put_lost", |sim| {
        let cluster = start(sim);
        let clients = cluster.client().ends();
        assert!(put(&clients, 0, "1"), "the first server is primary");

        cluster.partition(&[&[0], &[1, 2, 3, 4]]);
        assert!(put(&clients, 0, "2"), "it acknowledges what it alone has");
        cluster.shutdown(0);
        sim.sleep(20 * PING_INTERVAL);
        assert_eq!(get(&clients, 1).as_deref(), Some("1"), "the next one has never heard of it");

        // It was only in memory, too: who returns has forgotten even what all had.
        cluster.start(0);
        cluster.connect(0);
        cluster.heal();
        assert_eq!(get(&clients, 0).as_deref(), Some(""), "and takes itself for the primary");
    });
}
