//! The vocabulary in which the tests of lab 2 tell their stories.

mod agreement;

pub use self::agreement::NewTerm;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use labrpc::{Instant, Network, rng, sleep};
use raft::{Raft, RaftState};
use rand::RngExt as _;
use testkit::{Cluster, Culprit, ELECTION_TIMEOUT, Sim, poll, wait_until};

use crate::command::Command;
use crate::ledger::Ledger;
use crate::server::{SharedLedger, Snapshots, raft_servers};

/// Longer than a message takes on a reliable network.
pub const ON_THE_WAY: Duration = Duration::from_millis(2);
/// The time that a save takes. It is longer than a request and its reply travel, so a restart
/// catches a server that answers before it has saved.
pub const SLOW_DISK: Duration = Duration::from_millis(3);

/// A cluster of Raft servers, all connected with each other in the beginning. Clones are the same
/// cluster.
#[derive(Clone)]
pub struct RaftCluster {
    servers: Cluster<Raft>,
    ledger: SharedLedger,
    /// How many commands [`RaftCluster::command`] has made.
    commands: Arc<AtomicU64>,
}

impl RaftCluster {
    /// Starts so many servers, on a reliable network with long delays.
    pub fn start(sim: &Sim, servers: usize) -> Self {
        Self::start_with(sim, servers, Snapshots::Never)
    }

    /// As [`RaftCluster::start`], with services that take snapshots.
    pub fn start_with_snapshots(sim: &Sim, servers: usize) -> Self {
        Self::start_with(sim, servers, Snapshots::EveryTenth)
    }

    /// Starts so many servers with services of one kind.
    fn start_with(sim: &Sim, servers: usize, snapshots: Snapshots) -> Self {
        sim.network().set_long_delays(true);
        let ledger = SharedLedger::new(servers);
        let servers = raft_servers(sim, servers, &ledger, snapshots);
        servers.start_all();
        Self { servers, ledger, commands: Arc::default() }
    }

    /// The run that the cluster is part of.
    pub fn sim(&self) -> &Sim {
        self.servers.sim()
    }

    /// How many servers there are.
    pub fn len(&self) -> usize {
        self.servers.len()
    }

    /// The numbers of all servers.
    pub fn all(&self) -> std::ops::Range<usize> {
        0..self.len()
    }

    /// The server that comes so many places after another, around the circle.
    pub fn after(&self, server: usize, places: usize) -> usize {
        (server + places) % self.len()
    }

    /// A random server.
    pub fn random_server(&self) -> usize {
        rng().random_range(0..self.len() as u64) as usize
    }

    /// A command that nobody has proposed: 20 characters, so that an entry takes as much room in
    /// the log as in the course, whose limits then mean the same.
    pub fn command(&self) -> Command {
        let number = self.commands.fetch_add(1, Relaxed);
        let random: u32 = rng().random();
        Command::padded(&format!("x{number}-{random:08x}"), 20)
    }

    /// The run's network.
    pub fn network(&self) -> &Network {
        self.sim().network()
    }

    /// Reads what the harness has seen.
    pub fn ledger<R>(&self, read: impl FnOnce(&Ledger) -> R) -> R {
        read(&self.ledger.lock())
    }

    /// The highest term in which any server that runs was last seen.
    pub fn highest_term(&self) -> u64 {
        self.ledger(Ledger::max_term)
    }

    /// Requests that have reached all servers in their current lives.
    pub fn rpcs_received(&self) -> u64 {
        self.all().map(|server| self.servers.rpcs(server)).sum()
    }

    /// Has the service of a server hand in a snapshot of everything up to `index`, which it has
    /// applied.
    pub fn snapshot(&self, server: usize, index: u64) {
        let snapshot = self.ledger(|ledger| ledger.snapshot(index));
        self.servers.call(server, move |raft| raft.snapshot(index, snapshot));
    }

    /// The largest Raft state that any server has saved, also of those that lag or are down.
    pub fn log_size(&self) -> (usize, usize) {
        let size = |server| self.servers.storage(server).persister.raft_state_size();
        self.all().map(|server| (size(server), server)).max().unwrap_or_default()
    }
}

/// Faults.
impl RaftCluster {
    /// Cuts a server off from all others.
    pub fn disconnect(&self, server: usize) {
        self.servers.disconnect(server);
    }

    /// Connects a server with all others that are connected.
    pub fn connect(&self, server: usize) {
        self.servers.connect(server);
    }

    /// Connects these servers and disconnects all others.
    pub fn connect_only(&self, servers: &[usize]) {
        self.all().filter(|i| !servers.contains(i)).for_each(|i| self.disconnect(i));
        servers.iter().for_each(|&server| self.connect(server));
    }

    /// Cuts the one-way link on which `from` calls `to`. Replies travel with their calls.
    pub fn cut(&self, from: usize, to: usize) {
        self.servers.cut(from, to);
    }

    /// Mends the one-way link on which `from` calls `to`.
    pub fn mend(&self, from: usize, to: usize) {
        self.servers.mend(from, to);
    }

    /// Holds the requests of `from` to `to` that are sent from now on, until they are released.
    pub fn hold_requests(&self, from: usize, to: usize) {
        self.servers.hold_requests(from, to);
    }

    /// Holds the replies to requests of `from` to `to` that are sent from now on, until they are
    /// released.
    pub fn hold_replies(&self, from: usize, to: usize) {
        self.servers.hold_replies(from, to);
    }

    /// Lets messages on this link pass from now on, so that they overtake those that are held.
    pub fn pass(&self, from: usize, to: usize) {
        self.servers.pass(from, to);
    }

    /// Makes all disks slow: to save takes this long.
    pub fn slow_disks_down(&self, time: Duration) {
        self.all().for_each(|server| self.slow_disk_down(server, time));
    }

    /// Makes a server's disk slow: saves that begin from now on take this long.
    pub fn slow_disk_down(&self, server: usize, time: Duration) {
        labrpc::set_save_time(&self.servers.storage(server).persister, time);
    }

    /// Cuts both links between two servers.
    pub fn separate(&self, a: usize, b: usize) {
        self.cut(a, b);
        self.cut(b, a);
    }

    /// Mends both links between two servers.
    pub fn reunite(&self, a: usize, b: usize) {
        self.mend(a, b);
        self.mend(b, a);
    }

    /// Splits the cluster into sides that cannot reach each other.
    pub fn partition(&self, sides: &[&[usize]]) {
        self.servers.partition(sides);
    }

    /// Splits the cluster into two sides at random, one of which may be empty.
    pub fn split_at_random(&self) {
        self.servers.partition_at_random();
    }

    /// Mends all links that were cut.
    pub fn heal(&self) {
        self.servers.heal();
    }

    /// Crashes a server or shuts it down, as the seed wants.
    #[track_caller]
    pub fn bring_down(&self, server: usize) {
        let now = Instant::now();
        if self.is_up(server) {
            self.ledger.lock().end_life(server, now);
        }
        self.servers.bring_down(server);
    }

    /// Starts a server if it is down, and connects it.
    pub fn bring_up(&self, server: usize) {
        if !self.is_up(server) {
            self.servers.start(server);
        }
        self.connect(server);
    }

    /// Brings a server down and starts it again. It is disconnected afterwards.
    #[track_caller]
    pub fn restart(&self, server: usize) {
        self.bring_down(server);
        self.servers.start(server);
    }

    /// Starts every server that is down, and connects all.
    pub fn bring_all_up(&self) {
        self.servers.start_all();
    }

    /// Whether a server runs.
    pub fn is_up(&self, server: usize) -> bool {
        self.servers.is_up(server)
    }

    /// Whether a server is connected.
    pub fn is_connected(&self, server: usize) -> bool {
        self.servers.is_connected(server)
    }
}

/// Elections.
impl RaftCluster {
    /// What a server says of itself; `None` if it is down.
    pub fn state(&self, server: usize) -> Option<RaftState> {
        self.servers.call(server, Raft::state)
    }

    /// Whether a server says that it leads.
    pub fn leads(&self, server: usize) -> bool {
        self.state(server).is_some_and(|state| state.is_leader)
    }

    /// The servers that are connected and running.
    pub fn connected(&self) -> Vec<usize> {
        let servers = &self.servers;
        (0..self.len()).filter(|&i| servers.is_connected(i) && servers.is_up(i)).collect()
    }

    /// Waits until a connected server leads, for about five election timeouts; returns the leader
    /// of the highest term. The ledger sees to it that there is one per term.
    pub fn check_one_leader(&self) -> usize {
        self.check_leader_and_term().0
    }

    /// As [`RaftCluster::check_one_leader`], with the term in which it leads.
    pub fn check_leader_and_term(&self) -> (usize, u64) {
        let interval = Duration::from_millis(450 + rng().random_range(0..100_u64));
        sleep(interval);
        let leader = poll(9 * interval, interval, || {
            let leaders = self.connected().into_iter().filter_map(|server| {
                let state = self.state(server).filter(|state| state.is_leader)?;
                Some((state.term, server))
            });
            leaders.max().map(|(term, leader)| (leader, term))
        });
        leader.unwrap_or_else(|| {
            let property =
                "a majority that is connected elects a leader within five election timeouts";
            self.sim().violated(property, "expected one leader, got none")
        })
    }

    /// Waits until no connected server but `leader` claims to lead, for about five election
    /// timeouts.
    pub fn check_nobody_else_leads(&self, leader: usize) {
        let is_other = |server: &usize| *server != leader;
        let is_alone =
            || !self.connected().into_iter().filter(is_other).any(|server| self.leads(server));
        if !wait_until(5 * ELECTION_TIMEOUT, ELECTION_TIMEOUT / 10, is_alone) {
            let actual = format!("S{leader} leads, but an older leader still claims to");
            let mut others = self.connected().into_iter().filter(is_other);
            let old = others.find(|&server| self.leads(server));
            let culprit = Culprit {
                server: old.map(|server| format!("S{server}")),
                others: vec![format!("S{leader}")],
                ..Culprit::default()
            };
            let property = "a leader that hears of a later term steps down";
            self.sim().violated_by(culprit, property, actual);
        }
    }

    /// Asks these servers once in each `interval` until one of them leads in a later term than
    /// `before`; returns the leader and its term. For about ten election timeouts.
    ///
    /// `before` is the term of the leader from which they were cut off. If they were asked for it
    /// here, a new leader could be elected first, and would be taken for the old one.
    pub fn wait_for_leader_among(
        &self,
        servers: &[usize],
        before: u64,
        interval: Duration,
    ) -> (usize, u64) {
        let elected = |&server: &usize| match self.state(server)? {
            RaftState { term, is_leader: true } if term > before => Some((server, term)),
            _ => None,
        };
        let leader = poll(10 * ELECTION_TIMEOUT, interval, || servers.iter().find_map(elected));
        leader.unwrap_or_else(|| {
            let property = "a majority that is connected elects a leader";
            let actual = format!("expected one leader in a term later than {before}, got none");
            self.sim().violated(property, actual)
        })
    }

    /// Waits until a server is in `term` or a later one; false if it is not within ten election
    /// timeouts. A server to which nobody answers need not raise its term: one that asks first
    /// whether it could win (Ongaro's thesis, 9.6) does not.
    #[must_use]
    pub fn wait_for_term(&self, server: usize, term: u64) -> bool {
        wait_until(10 * ELECTION_TIMEOUT, ELECTION_TIMEOUT / 200, || {
            self.ledger(|ledger| ledger.term(server)) >= term
        })
    }

    /// Waits until what a server says of itself satisfies a condition; false if it does not within
    /// two election timeouts.
    #[must_use]
    pub fn wait_for_state(&self, server: usize, is_so: impl Fn(RaftState) -> bool) -> bool {
        wait_until(2 * ELECTION_TIMEOUT, ELECTION_TIMEOUT / 1000, || {
            self.state(server).is_some_and(&is_so)
        })
    }

    /// The term that all connected servers agree on. They are asked one after the other, so an
    /// election that begins meanwhile is no fault: they get an election timeout to agree.
    pub fn check_terms(&self) -> u64 {
        let mut states: Vec<(usize, RaftState)> = Vec::new();
        let term = poll(ELECTION_TIMEOUT, ELECTION_TIMEOUT / 10, || {
            let connected = self.connected().into_iter();
            states = connected.filter_map(|server| Some((server, self.state(server)?))).collect();
            let first = states.first().map_or(0, |(_, state)| state.term);
            states.iter().all(|(_, state)| state.term == first).then_some(first)
        });
        term.unwrap_or_else(|| {
            let terms: Vec<String> =
                states.iter().map(|(i, state)| format!("S{i}@{}", state.term)).collect();
            let actual = format!("servers disagree on term: {}", terms.join(" "));
            self.sim().violated("without failures all servers are in the same term", actual)
        })
    }

    /// None of these servers, which cannot reach a majority, claims to lead.
    pub fn check_no_leader_among(&self, servers: &[usize]) {
        for &server in servers {
            if self.leads(server) {
                let actual = format!(
                    "expected no leader among connected servers, but S{server} claims to be leader"
                );
                let culprit = Culprit::of(format!("S{server}"));
                self.sim().violated_by(culprit, "no server leads without a majority", actual);
            }
        }
    }
}
