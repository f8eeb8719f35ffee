//! The vocabulary in which the tests of lab 3 tell their stories.

use std::time::Duration;

use kvraft::{Clerk, KvServer};
use labrpc::{JoinHandle, rng, sleep, spawn};
use rand::RngExt as _;
use testkit::{
    Boot, Client, Cluster, ELECTION_TIMEOUT, KvClerk, KvHistory, Sim, Started, check_appends,
    compare_values, wait_until,
};

/// Servers of the key/value service, all connected with each other in the beginning, and what their
/// clients saw. Clones are the same cluster.
#[derive(Clone)]
pub struct KvCluster {
    servers: Cluster<KvServer>,
    history: KvHistory,
}

impl KvCluster {
    /// Starts so many servers on a reliable network. They take snapshots when the Raft state comes
    /// near `max_raft_state` bytes.
    pub fn start(sim: &Sim, servers: usize, max_raft_state: Option<usize>) -> Self {
        let start = move |boot: Boot| {
            let Boot { me, ends, storage, .. } = boot;
            let server = KvServer::new(ends, me, storage.persister, max_raft_state);
            Started { services: server.services(), handle: server }
        };
        let servers = Cluster::new(sim, "S", servers, start, KvServer::kill);
        servers.start_all();
        let history = KvHistory::new(sim);
        Self { servers, history }
    }

    /// The run that the cluster is part of.
    pub fn sim(&self) -> &Sim {
        self.servers.sim()
    }

    /// The numbers of all servers.
    pub fn all(&self) -> std::ops::Range<usize> {
        0..self.servers.len()
    }

    /// What the clients saw.
    pub fn history(&self) -> &KvHistory {
        &self.history
    }

    /// A new client that reaches all servers.
    pub fn client(&self) -> KvClerk {
        self.client_of(&self.all().collect::<Vec<_>>()).0
    }

    /// A new client that reaches only these servers.
    pub fn client_of(&self, servers: &[usize]) -> (KvClerk, Client) {
        let client = self.servers.client();
        client.reach_only(servers);
        let clerk = Clerk::new(client.shuffled_ends());
        let (get, put, append) = (Clerk::get, Clerk::put, Clerk::append);
        (self.history.clerk(&client, clerk, get, put, append), client)
    }

    /// A key has this value.
    #[track_caller]
    pub fn check_value(&self, clerk: &mut KvClerk, key: &str, expected: &str) {
        self.sim().check(compare_values(&format!("Get({key})"), expected, &clerk.get(key)));
    }

    /// A value holds the items of some clients, `(client, how many)`.
    #[track_caller]
    pub fn check_appends(&self, value: &str, clients: &[(u64, u64)]) {
        self.sim().check(check_appends(value, clients));
    }
}

/// Faults.
impl KvCluster {
    /// Splits the servers in two. Clients are not affected.
    pub fn partition(&self, one: &[usize], other: &[usize]) {
        self.servers.partition(&[one, other]);
    }

    /// Splits the servers so that the leader, if there is one, is in the minority, as the last:
    /// returns the majority and the minority.
    pub fn partition_with_leader_in_minority(&self) -> (Vec<usize>, Vec<usize>) {
        let leader = self.leader();
        let followers: Vec<usize> = self.all().filter(|&server| server != leader).collect();
        let (majority, minority) = followers.split_at(self.servers.len() / 2 + 1);
        let minority = [minority, &[leader]].concat();
        self.partition(majority, &minority);
        (majority.to_vec(), minority)
    }

    /// Cuts two servers off from each other, but not from the rest.
    pub fn cut(&self, one: usize, other: usize) {
        self.servers.cut(one, other);
        self.servers.cut(other, one);
    }

    /// Connects everyone with everyone, and starts those that are down.
    pub fn connect_all(&self) {
        self.servers.heal();
        self.servers.start_all();
    }

    /// Crashes every server or shuts it down, as the seed wants.
    pub fn bring_all_down(&self) {
        self.all().for_each(|server| self.servers.bring_down(server));
    }

    /// Waits until a server says that it leads, and returns the first that does.
    pub fn leader(&self) -> usize {
        self.servers.leader(KvServer::is_leader)
    }

    /// The servers that say that they lead.
    pub fn leaders(&self) -> Vec<usize> {
        let leads = |&server: &usize| self.servers.call(server, KvServer::is_leader) == Some(true);
        self.all().filter(leads).collect()
    }

    /// A task that splits the servers at random, about once in a second, until `stop` says so.
    pub fn keep_partitioning(&self, stop: impl Fn() -> bool + Send + 'static) -> JoinHandle<()> {
        let cluster = self.clone();
        spawn(move || {
            while !stop() {
                cluster.servers.partition_at_random();
                sleep(ELECTION_TIMEOUT + Duration::from_millis(rng().random_range(0..200)));
            }
        })
    }
}

/// What the servers have saved.
impl KvCluster {
    /// See [`check_log_size`].
    #[track_caller]
    pub fn check_log_size(&self, limit: usize) {
        check_log_size(&self.servers, limit);
    }

    /// No server has a snapshot: there is no limit that would ask for one.
    #[track_caller]
    pub fn check_no_snapshots(&self) {
        let size = |server: usize| self.servers.storage(server).persister.snapshot_size();
        if let Some(server) = self.all().find(|&server| size(server) > 0) {
            let actual = format!("S{server} has a snapshot of {} bytes", size(server));
            let culprit = self.servers.culprit(server);
            self.sim().violated_by(culprit, "no snapshot is taken without a limit", actual);
        }
    }

    /// No server's snapshot is larger than this.
    #[track_caller]
    pub fn check_snapshot_size(&self, limit: usize) {
        let size = |server: usize| self.servers.storage(server).persister.snapshot_size();
        let (largest, server) =
            self.all().map(|server| (size(server), server)).max().unwrap_or_default();
        if largest > limit {
            let actual =
                format!("snapshot too large: S{server} has {largest} bytes, limit {limit}");
            let culprit = self.servers.culprit(server);
            let property = "a snapshot holds the state, and not how it came about";
            self.sim().violated_by(culprit, property, actual);
        }
    }
}

/// No server's Raft state is larger than this; one that lags has a second to catch up.
#[track_caller]
pub fn check_log_size<S: Send + Sync + 'static>(servers: &Cluster<S>, limit: usize) {
    let size = |server| servers.storage(server).persister.raft_state_size();
    let largest =
        || (0..servers.len()).map(|server| (size(server), server)).max().unwrap_or_default();
    if !wait_until(ELECTION_TIMEOUT, ELECTION_TIMEOUT / 10, || largest().0 <= limit) {
        let (largest, server) = largest();
        let actual = format!("logs were not trimmed: S{server} has {largest} bytes, limit {limit}");
        let property = "a server takes a snapshot when its log grows";
        servers.sim().violated_by(servers.culprit(server), property, actual);
    }
}
