//! The vocabulary in which the tests of lab 4B tell their stories.

use std::time::Duration;

use labrpc::{Instant, JoinHandle, channel, sleep, spawn};
use shardctrler::{Config, Gid, ShardCtrler};
use shardkv::{Clerk, ShardKv};
use testkit::{Boot, Cluster, Culprit, KvClerk, KvHistory, OpenCall, Sim, Started, wait_until};

/// Servers of the controller.
const CTRLERS: usize = 3;
/// Servers of a group.
pub const GROUP_SIZE: usize = 3;
/// The number of the first group; the others follow.
const FIRST_GID: Gid = 100;
/// How large a server's Raft state may become, in units of the size at which it should take a
/// snapshot. The course grants 8, which in our codec no log reaches that is never cut short: it
/// takes 4 to
/// 6. Who does cut it needs hardly more than 1, as there is one client and nobody is cut off.
const LOG_FACTOR: usize = 3;

/// A controller and groups of servers on one network, all of which run, joined or not; and what
/// clients of the groups saw.
pub struct ShardCluster {
    sim: Sim,
    ctrlers: Cluster<ShardCtrler>,
    groups: Vec<Cluster<ShardKv>>,
    admin: shardctrler::Clerk,
    admin_name: String,
    max_raft_state: Option<usize>,
    history: KvHistory,
}

/// The number of a group, by its place among the groups of a test.
pub fn gid(group: usize) -> Gid {
    FIRST_GID + group as Gid
}

impl ShardCluster {
    /// Starts three groups of three servers on a reliable network. They take snapshots when the
    /// Raft state comes near `max_raft_state` bytes.
    pub fn start(sim: &Sim, max_raft_state: Option<usize>) -> Self {
        Self::with_groups(sim, 3, max_raft_state)
    }

    /// Starts so many groups.
    pub fn with_groups(sim: &Sim, groups: usize, max_raft_state: Option<usize>) -> Self {
        let start = |Boot { me, ends, storage, .. }| {
            let server = ShardCtrler::new(ends, me, storage.persister);
            Started { services: server.services(), handle: server }
        };
        let ctrlers = Cluster::new(sim, "ctrler", CTRLERS, start, ShardCtrler::kill);
        ctrlers.start_all();
        let client = ctrlers.client();
        let admin = shardctrler::Clerk::new(client.shuffled_ends());
        let group = |group| {
            let cluster = group_cluster(sim, gid(group), &ctrlers.names(), max_raft_state);
            cluster.start_all();
            cluster
        };
        Self {
            sim: sim.clone(),
            groups: (0..groups).map(group).collect(),
            ctrlers,
            admin,
            admin_name: client.name().to_string(),
            max_raft_state,
            history: KvHistory::new(sim),
        }
    }

    /// The run that the cluster is part of.
    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// The names of a group's servers.
    pub fn server_names(&self, group: usize) -> Vec<&str> {
        self.groups[group].names()
    }

    /// The places of all groups.
    pub fn all_groups(&self) -> std::ops::Range<usize> {
        0..self.groups.len()
    }

    /// A new client.
    pub fn client(&self) -> KvClerk {
        let client = self.ctrlers.client();
        let (ctrler_ends, maker) = (client.shuffled_ends(), client.clone());
        let clerk = Clerk::new(ctrler_ends, move |server: &str| maker.end(server));
        let (get, put, append) = (Clerk::get, Clerk::put, Clerk::append);
        self.history.clerk(&client, clerk, get, put, append)
    }

    /// All calls of all clients together are linearizable.
    #[track_caller]
    pub fn check_history(&self) {
        self.history.check();
    }

    /// Lets a client do something that must be done in time.
    #[track_caller]
    pub fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        property: &str,
        clerk: KvClerk,
        action: impl FnOnce(KvClerk) -> T + Send + 'static,
    ) -> T {
        let client = clerk.client().clone();
        let (sender, done) = channel();
        spawn(move || sender.send(action(clerk)).ok()); // The receiver may have given up.
        done.recv_timeout(limit).unwrap_or_else(|_| {
            let open = self.history.open_call(&client);
            let (open, culprit) = match open {
                Some(OpenCall { text, culprit }) => (format!(": {text}"), culprit),
                None => (String::new(), Culprit::default()),
            };
            let actual = format!("a client's calls did not return within {limit:?}{open}");
            let property = format!("every call returns in time: {property}");
            self.sim.violated_by(culprit, property, actual)
        })
    }
}

/// The servers of a group, none of which runs.
fn group_cluster(
    sim: &Sim,
    gid: Gid,
    ctrlers: &[&str],
    max_raft_state: Option<usize>,
) -> Cluster<ShardKv> {
    let ctrlers: Vec<String> = ctrlers.iter().map(ToString::to_string).collect();
    let start = move |boot: Boot| {
        let Boot { me, ends, storage, outside, .. } = boot;
        let ctrler_ends = ctrlers.iter().map(|ctrler| outside.make(ctrler)).collect();
        let make_end = move |server: &str| outside.make(server);
        let server =
            ShardKv::new(ends, me, storage.persister, max_raft_state, gid, ctrler_ends, make_end);
        Started { services: server.services(), handle: server }
    };
    Cluster::new(sim, &format!("server-{gid}-"), GROUP_SIZE, start, ShardKv::kill)
}

/// What the administrator does. It is done when the controller has agreed: shards move later.
impl ShardCluster {
    /// These groups join, in one configuration.
    pub fn join(&mut self, groups: &[usize]) {
        let servers = |&group: &usize| {
            let servers = self.server_names(group).into_iter().map(String::from).collect();
            (gid(group), servers)
        };
        let joining = groups.iter().map(servers).collect();
        self.administer("join", groups, |admin| admin.join(joining));
    }

    /// These groups leave, in one configuration.
    pub fn leave(&mut self, groups: &[usize]) {
        let gids: Vec<Gid> = groups.iter().map(|&group| gid(group)).collect();
        self.administer("leave", groups, |admin| admin.leave(&gids));
    }

    /// Lets the administrator do something to groups, and records it.
    fn administer(
        &mut self,
        verb: &str,
        groups: &[usize],
        act: impl FnOnce(&mut shardctrler::Clerk),
    ) {
        let gids = || groups.iter().map(|&group| gid(group)).collect::<Vec<Gid>>();
        let text = || format!("{verb}({:?})", gids());
        let done = |&(): &()| "done".to_string();
        self.sim.operation(&self.admin_name, text, || act(&mut self.admin), done);
    }

    /// A group gets a shard.
    pub fn move_shard(&mut self, shard: usize, group: usize) {
        self.administer(&format!("move shard {shard} to "), &[group], |admin| {
            admin.move_shard(shard, gid(group));
        });
    }

    /// A task that moves a shard to and fro between the first two groups for some time.
    pub fn keep_moving(&self, shard: usize, time: Duration) -> JoinHandle<()> {
        let mut clerk = shardctrler::Clerk::new(self.ctrlers.client().shuffled_ends());
        spawn(move || {
            let began = Instant::now();
            for group in (0..2).cycle().take_while(|_| began.elapsed() < time) {
                clerk.move_shard(shard, gid(group));
                sleep(Duration::from_millis(150));
            }
        })
    }

    /// All configurations that there were.
    pub fn all_configs(&mut self) -> Vec<Config> {
        let latest = self.config().num;
        (0..=latest).map(|num| self.admin.query(Some(num))).collect()
    }

    /// The latest configuration.
    pub fn config(&mut self) -> Config {
        self.admin.query(None)
    }
}

/// Faults.
impl ShardCluster {
    /// Crashes all servers of these groups or shuts them down, as the seed wants.
    pub fn bring_down(&self, groups: &[usize]) {
        for &group in groups {
            (0..GROUP_SIZE).for_each(|server| self.groups[group].bring_down(server));
        }
    }

    /// Asks all servers of these groups to stop.
    pub fn shut_down(&self, groups: &[usize]) {
        for &group in groups {
            (0..GROUP_SIZE).for_each(|server| self.groups[group].shutdown(server));
        }
    }

    /// Starts those servers of these groups that are down.
    pub fn bring_up(&self, groups: &[usize]) {
        groups.iter().for_each(|&group| self.groups[group].start_all());
    }

    /// Crashes one server of each group or shuts it down, as the seed wants.
    pub fn bring_one_down(&self, server: usize) {
        self.groups.iter().for_each(|group| group.bring_down(server));
    }

    /// Crashes a server or shuts it down, as the seed wants.
    pub fn bring_server_down(&self, group: usize, server: usize) {
        self.groups[group].bring_down(server);
    }

    /// Starts a server that is down.
    pub fn bring_server_up(&self, group: usize, server: usize) {
        self.groups[group].start(server);
        self.groups[group].connect(server);
    }

    /// Cuts groups off from others. Everybody still reaches the controller, and clients everybody.
    pub fn partition_groups(&self, one: &[usize], other: &[usize]) {
        let servers = |groups: &[usize]| -> Vec<&str> {
            groups.iter().flat_map(|&group| self.server_names(group)).collect()
        };
        self.sim.partition(&[&servers(one), &servers(other)]);
    }

    /// Mends all links.
    pub fn heal(&self) {
        self.sim.heal();
    }
}

/// What servers have saved.
impl ShardCluster {
    /// Logs are kept short; without a limit, no snapshot is taken. Who lags has a second to catch
    /// up.
    #[track_caller]
    pub fn check_log_size(&self) {
        let mut problem = None;
        let is_short = || {
            problem = self.size_problem();
            problem.is_none()
        };
        if !wait_until(Duration::from_secs(1), Duration::from_millis(100), is_short) {
            let property = "a server takes a snapshot when its log grows, and only then";
            let (server, actual) = problem.unwrap_or_default();
            self.sim.violated_by(Culprit::of(server), property, actual);
        }
    }

    /// Which server has saved too much, and what.
    fn size_problem(&self) -> Option<(String, String)> {
        for group in &self.groups {
            for server in 0..GROUP_SIZE {
                let (persister, name) = (group.storage(server).persister, group.name(server));
                let (log, snapshot) = (persister.raft_state_size(), persister.snapshot_size());
                match self.max_raft_state.map(|size| LOG_FACTOR * size) {
                    Some(limit) if log > limit => {
                        let actual = format!("{name}'s Raft state: {log} bytes, limit {limit}");
                        return Some((name.to_string(), actual));
                    }
                    None if snapshot > 0 => {
                        let actual = format!("{name} took a snapshot of {snapshot} bytes");
                        return Some((name.to_string(), actual));
                    }
                    _ => {}
                }
            }
        }
        None
    }

    /// Bytes that all servers of all groups have saved: Raft states and snapshots.
    pub fn saved_bytes(&self) -> usize {
        let servers = self.groups.iter().flat_map(|group| (0..GROUP_SIZE).map(move |s| (group, s)));
        let persisters = servers.map(|(group, server)| group.storage(server).persister);
        persisters.map(|saved| saved.raft_state_size() + saved.snapshot_size()).sum()
    }
}
