//! The vocabulary in which the tests of lab 4A tell their stories.

use labrpc::{JoinHandle, spawn};
use shardctrler::{Config, Gid, ShardCtrler};
use testkit::{Boot, Client, Cluster, Sim, Started};

use crate::clerk::{CheckedClerk, Seen};
use crate::step::{Step, check_balanced, check_step, picture};

/// Servers of the controller, all connected with each other in the beginning, and what their
/// clients saw. Clones are the same cluster.
#[derive(Clone)]
pub struct CtrlCluster {
    servers: Cluster<ShardCtrler>,
    seen: Seen,
}

impl CtrlCluster {
    /// Starts three servers on a reliable network.
    pub fn start(sim: &Sim) -> Self {
        let start = |boot: Boot| {
            let server = ShardCtrler::new(boot.ends, boot.me, boot.storage.persister);
            Started { services: server.services(), handle: server }
        };
        let servers = Cluster::new(sim, "S", 3, start, ShardCtrler::kill);
        servers.start_all();
        Self { servers, seen: Seen::default() }
    }

    /// The run that the cluster is part of.
    pub fn sim(&self) -> &Sim {
        self.servers.sim()
    }

    /// The numbers of all servers.
    pub fn all(&self) -> std::ops::Range<usize> {
        0..self.servers.len()
    }

    /// A new client that reaches all servers.
    pub fn client(&self) -> CheckedClerk {
        self.client_of(&self.all().collect::<Vec<_>>()).0
    }

    /// A new client that reaches only these servers.
    pub fn client_of(&self, servers: &[usize]) -> (CheckedClerk, Client) {
        let client = self.servers.client();
        client.reach_only(servers);
        (CheckedClerk::new(self.sim(), &client, &self.seen), client)
    }

    /// Has clients at work at the same time, one for each item, and waits until all have ended.
    pub fn at_once<T: Send + 'static>(
        &self,
        items: impl IntoIterator<Item = T>,
        work: impl Fn(CheckedClerk, T) + Clone + Send + 'static,
    ) {
        let start = |item| {
            let (clerk, work) = (self.client(), work.clone());
            spawn(move || work(clerk, item))
        };
        let clients: Vec<JoinHandle<()>> = items.into_iter().map(start).collect();
        clients.into_iter().for_each(|client| client.join().expect("nobody crashes the test"));
    }
}

/// What is checked.
impl CtrlCluster {
    /// The latest configuration is balanced, and has just these groups, in ascending order.
    #[track_caller]
    pub fn check_groups(&self, clerk: &mut CheckedClerk, expected: &[Gid]) -> Config {
        let config = clerk.latest();
        if !config.groups.keys().eq(expected) {
            let actual = format!("{}, expected {expected:?}", picture(&config));
            self.sim()
                .violated("groups that have joined and not left are there, and no others", actual);
        }
        self.sim().check(check_balanced(&config));
        config
    }

    /// A group has these servers, in this order.
    #[track_caller]
    pub fn check_servers(&self, config: &Config, (gid, servers): &(Gid, Vec<String>)) {
        let actual = config.groups.get(gid);
        if actual != Some(servers) {
            let actual = format!("group {gid} has {actual:?}, joined with {servers:?}");
            self.sim().violated("a group has the servers with which it joined", actual);
        }
    }

    /// Reads all configurations. Each is what it was when it was read before, and follows from the
    /// one before it by one request. Returns what these have done.
    #[track_caller]
    pub fn check_history(&self, clerk: &mut CheckedClerk) -> Vec<Step> {
        let latest = clerk.latest().num;
        let mut before = clerk.at(0);
        if before != Config::default() {
            self.sim().violated("configuration 0 has no groups", picture(&before));
        }
        let mut steps = Vec::new();
        for num in 1..=latest {
            // At once: the query is the last operation before a violation.
            let config = clerk.at(num);
            steps.push(self.sim().check(check_step(&before, &config)));
            before = config;
        }
        steps
    }
}

/// Faults.
impl CtrlCluster {
    /// Splits the servers in two. Clients are not affected.
    pub fn partition(&self, one: &[usize], other: &[usize]) {
        self.servers.partition(&[one, other]);
    }

    /// Splits the servers at random.
    pub fn partition_at_random(&self) {
        self.servers.partition_at_random();
    }

    /// Connects everyone with everyone, and starts those that are down.
    pub fn connect_all(&self) {
        self.servers.heal();
        self.servers.start_all();
    }

    /// Crashes a server or shuts it down, as the seed wants.
    pub fn bring_down(&self, server: usize) {
        self.servers.bring_down(server);
    }

    /// The same with all servers, and starts them again.
    pub fn restart_all(&self) {
        self.all().for_each(|server| self.bring_down(server));
        self.connect_all();
    }

    /// Waits until a server that is up says that it leads, and returns the first that does.
    pub fn leader(&self) -> usize {
        self.servers.leader(|server| server.raft().state().is_leader)
    }
}
