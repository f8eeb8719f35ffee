//! The vocabulary in which the tests of lab 2 tell their stories.

use std::time::Duration;

use labrpc::{Instant, sleep};
use raft::{LogPos, Raft, RaftState};
use rand::RngExt as _;
use testkit::{Cluster, Sim, Violation};

use crate::command::Command;
use crate::server::{SharedLedger, Snapshots, raft_servers};

/// How long tests wait for an election. Twice to four times what a good solution takes: tests are
/// patient, and demand no particular timeout.
pub const ELECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// How long [`RaftCluster::one`] tries before it gives up.
const ONE_BUDGET: Duration = Duration::from_secs(10);
/// How long it then waits for one proposal to be applied before it proposes again.
const ONE_PATIENCE: Duration = Duration::from_secs(2);
/// How often it looks.
const ONE_POLL: Duration = Duration::from_millis(20);
/// How long it waits when nobody claims to lead.
const ONE_PAUSE: Duration = Duration::from_millis(50);

/// A cluster of Raft servers, all connected with each other in the beginning. Clones are the same
/// cluster.
#[derive(Clone)]
pub struct RaftCluster {
    sim: Sim,
    servers: Cluster<Raft>,
    ledger: SharedLedger,
}

/// Why [`RaftCluster::wait`] found nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewTerm;

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
        Self { sim: sim.clone(), servers, ledger }
    }

    /// How many servers there are.
    pub fn len(&self) -> usize {
        self.servers.len()
    }

    /// The numbers of all servers, beginning with `first`, around the circle.
    pub fn from(&self, first: usize) -> impl Iterator<Item = usize> + use<> {
        let n = self.len();
        (0..n).map(move |i| (first + i) % n)
    }

    /// The servers as the harness starts, stops and connects them.
    pub fn servers(&self) -> &Cluster<Raft> {
        &self.servers
    }

    /// Cuts a server off from all others.
    pub fn disconnect(&self, server: usize) {
        self.servers.disconnect(server);
    }

    /// Connects a server with all others that are connected.
    pub fn connect(&self, server: usize) {
        self.servers.connect(server);
    }

    /// What a server says of itself; `None` if it is down.
    pub fn state(&self, server: usize) -> Option<RaftState> {
        self.servers.call(server, Raft::state)
    }

    /// The servers that are connected and running.
    pub fn connected(&self) -> Vec<usize> {
        let servers = &self.servers;
        (0..self.len()).filter(|&i| servers.is_connected(i) && servers.is_up(i)).collect()
    }

    /// Waits until a connected server leads, for about five election timeouts; returns the leader
    /// of the highest term. The ledger sees to it that there is one per term.
    pub fn check_one_leader(&self) -> usize {
        for _ in 0..10 {
            sleep(Duration::from_millis(450 + labrpc::rng().random_range(0..100)));
            let connected = self.connected();
            let leaders = connected.into_iter().filter_map(|server| {
                let state = self.state(server).filter(|state| state.is_leader)?;
                Some((state.term, server))
            });
            if let Some((_, leader)) = leaders.max() {
                return leader;
            }
        }
        let claim = "a majority that is connected elects a leader within five election timeouts";
        self.sim.fail(Violation::new(claim, "expected one leader, got none"));
    }

    /// The term that all connected servers agree on.
    pub fn check_terms(&self) -> u64 {
        let mut agreed = None;
        for server in self.connected() {
            let Some(RaftState { term, .. }) = self.state(server) else { continue };
            let (first, other) = *agreed.get_or_insert((server, term));
            if other != term {
                let actual = format!("servers disagree on term: S{first}@{other} S{server}@{term}");
                let claim = "without failures all servers are in the same term";
                self.sim.fail(Violation::new(claim, actual));
            }
        }
        agreed.map_or(0, |(_, term)| term)
    }

    /// No connected server claims to lead.
    pub fn check_no_leader(&self) {
        for server in self.connected() {
            if self.state(server).is_some_and(|state| state.is_leader) {
                let actual = format!(
                    "expected no leader among connected servers, but S{server} \
                                      claims to be leader"
                );
                self.sim.fail(Violation::new("nobody leads without a majority", actual));
            }
        }
    }
}
