//! A group of servers on the run's network: starting, stopping and cutting them off.
//!
//! Invariants:
//! * the harness enters a server's code only through a task of its node, and holds no lock
//!   meanwhile;
//! * ends of an earlier incarnation stay disabled forever, and it keeps its old storage, so that a
//!   zombie can neither talk nor save;
//! * handles are dropped by tasks of their node, so that destructors of a crashed server do
//!   nothing.

mod leader;
mod lifecycle;
mod links;
mod outside;
mod storage;

use std::sync::{Arc, Mutex, MutexGuard};

use contract::recording::Culprit;
use labrpc::{ClientEnd, Instant, Node, Service, chance};

pub use self::leader::ELECTION_TIMEOUT;
pub use self::links::Reach;
use self::links::SharedLinks;
pub use self::outside::OutsideEnds;
pub use self::storage::StableStorage;
use crate::client::Client;
use crate::poison::unpoisoned;
use crate::sim::Sim;

/// What a server gets when it starts.
#[derive(Debug)]
pub struct Boot {
    /// Its number in the cluster.
    pub me: usize,
    /// Its name: `S0`.
    pub name: String,
    /// Which start of this server this is, counted from 1.
    pub incarnation: u64,
    /// An end to each server of the cluster, itself included.
    pub ends: Vec<ClientEnd>,
    /// What it saved before.
    pub storage: StableStorage,
    /// The number of its line in the report, for [`Sim::update_server`].
    pub line: usize,
    /// What the harness knows of its links.
    pub reach: Reach,
    /// Makes ends to servers of other clusters.
    pub outside: OutsideEnds,
}

/// A server that has started.
pub struct Started<S> {
    /// How the harness calls it.
    pub handle: S,
    /// What others can call.
    pub services: Vec<Service>,
}

/// Servers of one kind that call each other. Clones are the same cluster.
///
/// `S` is a server's handle. The cluster knows nothing about it but how to start and stop one.
pub struct Cluster<S: Send + Sync + 'static>(Arc<Inner<S>>);

/// What clones share.
struct Inner<S: Send + Sync + 'static> {
    sim: Sim,
    start: Box<dyn Fn(Boot) -> Started<S> + Send + Sync>,
    stop: Box<dyn Fn(&S) + Send + Sync>,
    names: Vec<String>,
    /// The servers' lines in the report.
    lines: Vec<usize>,
    links: SharedLinks,
    /// Never locked across a call of the runtime.
    slots: Mutex<Vec<Slot<S>>>,
}

/// A server's place in the cluster.
struct Slot<S> {
    incarnation: u64,
    running: Option<Running<S>>,
    storage: StableStorage,
    /// Names of the current incarnation's ends, by peer; empty before the first start.
    ends: Vec<String>,
}

/// A running incarnation.
struct Running<S> {
    node: Node,
    handle: Arc<S>,
    outside: OutsideEnds,
}

impl<S: Send + Sync + 'static> Clone for Cluster<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Send + Sync + 'static> Cluster<S> {
    /// A cluster of `servers` servers named `<prefix>0`, `<prefix>1` and so on, none of which runs.
    ///
    /// `start` starts a server, and `stop` asks one to stop; both run as tasks of its node. `start`
    /// must return soon.
    pub fn new(
        sim: &Sim,
        prefix: &str,
        servers: usize,
        start: impl Fn(Boot) -> Started<S> + Send + Sync + 'static,
        stop: impl Fn(&S) + Send + Sync + 'static,
    ) -> Self {
        let names: Vec<String> = (0..servers).map(|i| format!("{prefix}{i}")).collect();
        let slot = || Slot {
            incarnation: 0,
            running: None,
            storage: StableStorage::default(),
            ends: Vec::new(),
        };
        sim.note_peers(servers);
        Self(Arc::new(Inner {
            sim: sim.clone(),
            start: Box::new(start),
            stop: Box::new(stop),
            lines: names.iter().map(|name| sim.add_server(name)).collect(),
            names,
            links: SharedLinks::new(servers),
            slots: Mutex::new((0..servers).map(|_| slot()).collect()),
        }))
    }

    /// How many servers there are.
    #[expect(clippy::len_without_is_empty, reason = "a cluster without servers makes no sense")]
    pub fn len(&self) -> usize {
        self.0.names.len()
    }

    /// The run that the cluster is part of.
    pub fn sim(&self) -> &Sim {
        &self.0.sim
    }

    /// The servers' names.
    pub fn names(&self) -> Vec<&str> {
        self.0.names.iter().map(String::as_str).collect()
    }

    /// A new client of all servers.
    pub fn client(&self) -> Client {
        Client::new(self.sim(), &self.names())
    }

    /// A server's name.
    pub fn name(&self, server: usize) -> &str {
        &self.0.names[server]
    }

    /// A server, as the culprit of a violation.
    pub fn culprit(&self, server: usize) -> Culprit {
        Culprit::of(self.name(server))
    }

    /// The number of a server's line in the report, for [`Sim::update_server`].
    pub fn line(&self, server: usize) -> usize {
        self.0.lines[server]
    }

    /// Which start of a server was the last, counted from 1; 0 before the first.
    pub fn incarnation(&self, server: usize) -> u64 {
        self.slots()[server].incarnation
    }

    /// Whether a server runs.
    pub fn is_up(&self, server: usize) -> bool {
        self.slots()[server].running.is_some()
    }

    /// The node of a server's running incarnation.
    pub fn node(&self, server: usize) -> Option<Node> {
        self.slots()[server].running.as_ref().map(|running| running.node.clone())
    }

    /// What a server has saved; of one that is down, what it would find when it starts.
    pub fn storage(&self, server: usize) -> StableStorage {
        self.slots()[server].storage.clone()
    }

    /// Replaces what a server that is down will find when it starts.
    ///
    /// # Panics
    /// If the server is up.
    pub fn replace_storage(&self, server: usize, storage: StableStorage) {
        assert!(!self.is_up(server), "{} is up", self.name(server));
        self.slots()[server].storage = storage;
    }

    /// Requests that have reached a server's current incarnation.
    pub fn rpcs(&self, server: usize) -> u64 {
        self.0.sim.network().server_rpcs(self.name(server))
    }

    /// Calls `f` with a server's handle, as a task of its node; `None` if it is down or crashes
    /// meanwhile.
    #[track_caller]
    pub fn call<T: Send + 'static>(
        &self,
        server: usize,
        f: impl FnOnce(&S) -> T + Send + 'static,
    ) -> Option<T> {
        let (node, handle) = self.running(server)?;
        node.call(move || f(&handle))
    }

    /// Starts a task of a server's node that runs `f`; false if the server is down.
    #[track_caller]
    pub fn spawn(&self, server: usize, f: impl FnOnce(&S) + Send + 'static) -> bool {
        let Some((node, handle)) = self.running(server) else { return false };
        node.spawn(move || f(&handle));
        true
    }

    /// Node and handle of a server that runs.
    fn running(&self, server: usize) -> Option<(Node, Arc<S>)> {
        let slots = self.slots();
        let running = slots[server].running.as_ref()?;
        Some((running.node.clone(), Arc::clone(&running.handle)))
    }

    /// Locks the servers' slots, for a moment: the caller must not call the runtime meanwhile,
    /// which might let another task run that wants them too.
    fn slots(&self) -> MutexGuard<'_, Vec<Slot<S>>> {
        unpoisoned(self.0.slots.lock())
    }
}

/// Which servers reach each other.
impl<S: Send + Sync + 'static> Cluster<S> {
    /// Connects a server with itself and with every server that is connected.
    pub fn connect(&self, server: usize) {
        self.sim().fault("connect", [self.name(server)]);
        self.0.links.update(|links| links.connect(server));
        let others = (0..self.len()).filter(|&other| self.is_connected(other));
        let ends = self.ends_between(server, others);
        ends.iter().for_each(|end| self.0.sim.network().enable(end));
        self.0.sim.update_server(self.line(server), |line| line.connected = true);
    }

    /// Cuts a server off from every server.
    pub fn disconnect(&self, server: usize) {
        self.sim().fault("disconnect", [self.name(server)]);
        self.unplug(server);
    }

    /// Disables all ends of a server.
    fn unplug(&self, server: usize) {
        self.0.links.update(|links| links.disconnect(server));
        let ends = self.ends_between(server, 0..self.len());
        ends.iter().for_each(|end| self.0.sim.network().disable(end));
        self.0.sim.update_server(self.line(server), |line| line.connected = false);
    }

    /// The names of all ends between a server and others, both ways.
    fn ends_between(&self, server: usize, others: impl Iterator<Item = usize>) -> Vec<String> {
        let slots = self.slots();
        let mut ends = Vec::new();
        for other in others {
            ends.extend(slots[server].ends.get(other).cloned());
            ends.extend(slots[other].ends.get(server).cloned());
        }
        ends
    }

    /// Cuts the one-way link on which `from` calls `to`. Replies travel with their calls.
    pub fn cut(&self, from: usize, to: usize) {
        self.sim().fault("cut", [self.name(from), self.name(to)]);
        self.cut_link(from, to);
    }

    /// Mends the one-way link on which `from` calls `to`.
    pub fn mend(&self, from: usize, to: usize) {
        self.sim().fault("mend", [self.name(from), self.name(to)]);
        self.mend_link(from, to);
    }

    /// Holds the requests of `from` to `to` that are sent from now on, until
    /// [`Network::release`](labrpc::Network::release).
    pub fn hold_requests(&self, from: usize, to: usize) {
        self.sim().fault("hold requests", [self.name(from), self.name(to)]);
        self.0.sim.network().hold_requests(self.name(from), self.name(to));
    }

    /// Holds the replies to requests of `from` to `to` that are sent from now on, until
    /// [`Network::release`](labrpc::Network::release).
    pub fn hold_replies(&self, from: usize, to: usize) {
        self.sim().fault("hold replies", [self.name(from), self.name(to)]);
        self.0.sim.network().hold_replies(self.name(from), self.name(to));
    }

    /// Lets messages on this link pass from now on, so that they overtake those that are held.
    pub fn pass(&self, from: usize, to: usize) {
        self.sim().fault("pass", [self.name(from), self.name(to)]);
        self.0.sim.network().pass(self.name(from), self.name(to));
    }

    /// Cuts a link, as a part of a fault.
    fn cut_link(&self, from: usize, to: usize) {
        self.0.links.update(|links| links.cut(from, to));
        self.0.sim.network().cut(self.name(from), self.name(to));
    }

    /// Mends a link, as a part of a fault.
    fn mend_link(&self, from: usize, to: usize) {
        self.0.links.update(|links| links.mend(from, to));
        self.0.sim.network().mend(self.name(from), self.name(to));
    }

    /// Splits the cluster into sides that cannot reach each other, and heals each side within.
    /// Servers that are on no side, and those that are disconnected, stay as they are.
    pub fn partition(&self, sides: &[&[usize]]) {
        let names = |side: &&[usize]| side.iter().map(|&i| self.name(i).to_string()).collect();
        self.sim().record_partition(|| sides.iter().map(names).collect());
        for (i, side) in sides.iter().enumerate() {
            for (j, other) in sides.iter().enumerate() {
                for (&from, &to) in side.iter().flat_map(|a| other.iter().map(move |b| (a, b))) {
                    if i == j { self.mend_link(from, to) } else { self.cut_link(from, to) }
                }
            }
        }
    }

    /// Splits the cluster into two sides at random, one of which may be empty.
    pub fn partition_at_random(&self) {
        let (one, other): (Vec<usize>, Vec<usize>) = (0..self.len()).partition(|_| chance(1, 2));
        self.partition(&[&one, &other]);
    }

    /// Mends every link that was cut. Servers that are disconnected stay so.
    pub fn heal(&self) {
        self.sim().fault("heal", self.names());
        for from in 0..self.len() {
            (0..self.len()).for_each(|to| self.mend_link(from, to));
        }
    }

    /// Whether a server is connected; cuts and partitions do not count.
    pub fn is_connected(&self, server: usize) -> bool {
        self.0.links.is_connected(server)
    }

    /// Since when no other server can reach a server, nor the other way round; `None` if one can.
    pub fn isolated_since(&self, server: usize) -> Option<Instant> {
        self.0.links.reach(server).isolated_since()
    }
}
