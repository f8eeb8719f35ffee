//! The vocabulary in which the tests tell their stories.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use labrpc::{Disk, JoinHandle, sleep};
use pbservice::{
    Clerk, Config, Epoch, Identity, Operation, Order, PbServer, Record, Recovered, SNAPSHOT_EVERY,
    Status, Storage, Version, show_log,
};
use testkit::{
    Boot, Client, Cluster, Culprit, KvClerk, KvHistory, Sim, StableStorage, Started,
    compare_values, poll, wait_until,
};

/// Servers in every cluster.
pub const SERVERS: usize = 5;

/// Within this time after a primary dies another one serves.
pub const FAILOVER: Duration = Duration::from_secs(3);

/// By then what a server has decided to write is on its disk.
pub const TIME_TO_SYNC: Duration = Duration::from_millis(100);

/// Five servers, all connected with each other in the beginning, and what their clients saw. Clones
/// are the same cluster.
#[derive(Clone)]
pub struct PbCluster {
    servers: Cluster<PbServer>,
    history: KvHistory,
}

/// The address of a server. As text, 10.0.0.10 comes before 10.0.0.8.
pub fn address(server: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 8 + server as u8], 7000))
}

impl PbCluster {
    /// Starts the servers on a reliable network.
    pub fn start(sim: &Sim) -> Self {
        Self::start_with(sim, SNAPSHOT_EVERY)
    }

    /// Starts servers that take snapshots after so many records.
    pub fn start_with(sim: &Sim, snapshot_every: u64) -> Self {
        let cluster = Self::named(sim, "S", SERVERS, snapshot_every);
        cluster.servers.start_all();
        cluster
    }

    /// So many servers, whose names begin like this, with empty disks. They have not been started.
    pub fn named(sim: &Sim, prefix: &str, servers: usize, snapshot_every: u64) -> Self {
        let start = move |boot: Boot| {
            let peers: BTreeMap<_, _> = boot.ends.into_iter().enumerate().collect();
            let peers = peers.into_iter().map(|(peer, end)| (address(peer), end)).collect();
            let is_new = boot.incarnation == 1;
            let config = Config { address: address(boot.me), peers, snapshot_every, is_new };
            let server =
                PbServer::start(config, boot.storage.disk).expect("its disk is its own and sound");
            Started { services: vec![server.service()], handle: server }
        };
        let servers = Cluster::new(sim, prefix, servers, start, PbServer::kill);
        let history = KvHistory::new(sim);
        Self { servers, history }
    }

    /// The numbers of all servers.
    pub fn all(&self) -> std::ops::Range<usize> {
        0..self.servers.len()
    }

    /// All servers but these.
    pub fn others(&self, these: &[usize]) -> Vec<usize> {
        self.all().filter(|server| !these.contains(server)).collect()
    }

    /// The run that the cluster is part of.
    pub fn sim(&self) -> &Sim {
        self.servers.sim()
    }

    /// The servers as the testkit knows them.
    pub fn servers(&self) -> &Cluster<PbServer> {
        &self.servers
    }

    /// What the clients saw.
    pub fn history(&self) -> &KvHistory {
        &self.history
    }

    /// A new client that reaches all servers.
    pub fn client(&self) -> KvClerk {
        self.client_of(&self.all().collect::<Vec<_>>()).0
    }

    /// A new client that reaches only these servers. In the history, a key that was never written
    /// has the value "".
    pub fn client_of(&self, servers: &[usize]) -> (KvClerk, Client) {
        let (clerk, client) = self.bare_client();
        client.reach_only(servers);
        let get = |clerk: &mut Clerk, key: &str| clerk.get(key).unwrap_or_default();
        let clerk = self.history.clerk(&client, clerk, get, Clerk::put, Clerk::append);
        (clerk, client)
    }

    /// Waits until a client's call that was under way has returned.
    #[track_caller]
    pub fn await_end<T>(&self, what: &str, call: JoinHandle<T>) -> T {
        self.await_end_within(2 * FAILOVER, what, call)
    }

    /// The same, with another patience.
    #[track_caller]
    pub fn await_end_within<T>(&self, limit: Duration, what: &str, call: JoinHandle<T>) -> T {
        if !wait_until(limit, Duration::from_millis(10), || call.is_finished()) {
            let property = "a call ends soon when a majority is connected";
            self.sim().violated(property, format!("{what} did not complete: {}", self.lines()));
        }
        call.join().expect("nobody crashes the test")
    }

    /// Waits until something is so.
    #[track_caller]
    pub fn wait_until(&self, is_so: impl FnMut() -> bool) {
        if !wait_until(2 * FAILOVER, Duration::from_millis(5), is_so) {
            let actual = format!("waited in vain: {}", self.lines());
            self.sim().violated("servers that can do their work soon do it", actual);
        }
    }

    /// A new client that reaches all servers, and whose calls are not recorded.
    pub fn bare_client(&self) -> (Clerk, Client) {
        let client = self.servers.client();
        (Clerk::new(self.all().map(address).zip(client.ends()).collect()), client)
    }

    /// A key has this value.
    #[track_caller]
    pub fn check_value(&self, clerk: &mut KvClerk, key: &str, expected: &str) {
        self.sim().check(compare_values(&format!("Get({key})"), expected, &clerk.get(key)));
    }
}

/// What the logs hold.
impl PbCluster {
    /// The records in a server's log on disk, behind its snapshot.
    pub fn records(&self, server: usize) -> Vec<Record> {
        self.open_disk(server).records
    }

    /// The version of a server's log on disk.
    pub fn version_on_disk(&self, server: usize) -> Version {
        last_of(&self.open_disk(server))
    }

    /// What a server would find if it were killed now and started again.
    pub fn open_disk(&self, server: usize) -> Recovered {
        let opened = Storage::open(self.disk(server).copy(), &self.identity(server));
        opened.expect("its disk is its own and sound").1
    }

    /// What each server would find if the power failed now and took all that is not synced.
    pub fn after_power_failure(&self) -> Vec<Recovered> {
        // All at the same moment: to open one takes time.
        let disks: Vec<Disk> = self.all().map(|s| self.disk(s).copy().crash_keeping(0)).collect();
        let open = |(server, disk)| Storage::open(disk, &self.identity(server));
        let opened = disks.into_iter().enumerate().map(open);
        opened.map(|opened| opened.expect("its disk is its own and sound").1).collect()
    }

    /// A server, when it starts again.
    fn identity(&self, server: usize) -> Identity {
        let servers = self.all().map(address).collect();
        Identity { address: address(server), servers, is_new: false }
    }

    /// The epochs that servers have promised, on disk.
    pub fn promises_on_disk(&self) -> Vec<Epoch> {
        self.after_power_failure().iter().map(|found| found.promise).collect()
    }

    /// The clients' operations in a server's log on disk.
    pub fn operations(&self, server: usize) -> Vec<Operation> {
        let operations = self.records(server).into_iter().map(|record| record.operation);
        operations.filter(|operation| *operation != Operation::NoOp).collect()
    }

    /// Waits until a server has the record with this number on its disk.
    #[track_caller]
    pub fn await_on_disk(&self, server: usize, order: Order) {
        let is_there = || self.version_on_disk(server).order >= order;
        if !wait_until(FAILOVER, Duration::from_millis(1), is_there) {
            let actual = format!("S{server} does not write record {order}: {}", self.lines());
            self.sim().violated_by(culprit(server), "a primary takes puts into its log", actual);
        }
        // Written, and by then synced.
        sleep(TIME_TO_SYNC);
    }

    /// How long the log on a server's disk is, in bytes. Nothing of the server runs for this: it
    /// shows at once what the server has written.
    pub fn log_len(&self, server: usize) -> u64 {
        self.disk(server).len("log").ok().flatten().unwrap_or_default()
    }

    /// How many records a server has written, synced or not. As [`PbCluster::log_len`].
    pub fn count_records(&self, server: usize) -> usize {
        let mut table = Vec::new();
        show_log(&self.disk(server), &mut table).expect("a simulated disk can be read");
        table.iter().filter(|&&byte| byte == b'\n').count()
    }

    /// The highest epoch that any server has promised.
    pub fn latest_epoch(&self) -> Epoch {
        self.statuses().values().map(|status| status.epoch).max().unwrap_or_default()
    }

    /// A value holds the items of some clients, `(client, how many)`.
    #[track_caller]
    pub fn check_appends(&self, value: &str, clients: &[(u64, u64)]) {
        self.sim().check(testkit::check_appends(value, clients));
    }
}

/// A server, as the culprit of a violation.
pub fn culprit(server: usize) -> Culprit {
    Culprit::of(format!("S{server}"))
}

/// The version of a log that was found on a disk.
pub fn last_of(found: &Recovered) -> Version {
    found.records.last().map_or(found.snapshot.last, Record::version)
}

/// Who is primary.
impl PbCluster {
    /// What a server says of itself; `None` if it is down.
    pub fn status(&self, server: usize) -> Option<Status> {
        let status = self.servers.call(server, PbServer::status)?;
        self.sim().update_server(self.servers.line(server), |line| {
            line.term = Some(status.epoch);
            line.is_leader = status.is_primary;
            line.applied = Some(status.committed.order);
        });
        Some(status)
    }

    /// What all servers that are up say of themselves.
    pub fn statuses(&self) -> BTreeMap<usize, Status> {
        self.all().filter_map(|server| Some((server, self.status(server)?))).collect()
    }

    /// Waits until one of these servers is primary in the latest epoch of them, and returns it.
    #[track_caller]
    pub fn primary_among(&self, servers: &[usize]) -> usize {
        // Where every fifth answer is lost, an election may have to be repeated.
        let patience = if self.sim().network().is_reliable() { FAILOVER } else { 3 * FAILOVER };
        let in_office = || {
            let statuses = servers.iter().filter_map(|&s| Some((s, self.status(s)?)));
            let latest = statuses.max_by_key(|(_, status)| (status.epoch, status.is_primary));
            latest.filter(|(_, status)| status.is_primary).map(|(server, _)| server)
        };
        poll(patience, Duration::from_millis(20), in_office).unwrap_or_else(|| {
            let property = "a majority that is connected has a primary within three seconds";
            self.sim().violated(property, format!("none: {}", self.lines()))
        })
    }

    /// Waits until a server is primary, and returns it.
    #[track_caller]
    pub fn primary(&self) -> usize {
        self.primary_among(&self.all().collect::<Vec<_>>())
    }

    /// What all servers say, for messages.
    pub fn lines(&self) -> String {
        let line = |(server, status): (usize, Status)| format!("\n    S{server} {status}");
        self.statuses().into_iter().map(line).collect()
    }

    /// Waits until all servers that are up know the same records to be committed, have no others,
    /// and have them on their disks. Then the logs must be equal, record by record.
    #[track_caller]
    pub fn await_equal_logs(&self) {
        if !wait_until(2 * FAILOVER, Duration::from_millis(50), || self.have_settled()) {
            let actual = format!("the logs differ: {}", self.lines());
            self.sim().violated("servers that are connected come to have the same log", actual);
        }
        self.check_equal_records();
    }

    /// Whether all servers that are up have the same version, on disk, and know it to be committed.
    fn have_settled(&self) -> bool {
        let statuses = self.statuses();
        let mut logs = statuses.values().map(|status| (status.version, status.committed));
        let Some((Some(version), committed)) = logs.next() else { return false };
        let up = || statuses.keys().copied();
        version == committed
            && logs.all(|log| log == (Some(version), committed))
            && up().all(|server| self.version_on_disk(server) == version)
    }

    /// The logs on the disks of all servers that are up are equal, as far as they have not been
    /// dropped.
    #[track_caller]
    fn check_equal_records(&self) {
        let mut by_order: BTreeMap<Order, (usize, Record)> = BTreeMap::new();
        for server in self.all().filter(|&server| self.servers.is_up(server)) {
            for record in self.records(server) {
                let (other, first) =
                    by_order.entry(record.order).or_insert_with(|| (server, record.clone()));
                if *first != record {
                    let actual = format!("S{other} has {first:?}, S{server} has {record:?}");
                    let others = vec![format!("S{other}")];
                    let culprit = Culprit { others, index: Some(record.order), ..culprit(server) };
                    self.sim().violated_by(culprit, "all logs are equal", actual);
                }
            }
        }
    }
}

/// Faults.
impl PbCluster {
    /// Cuts a server's power: it loses what is not on its disk.
    pub fn crash(&self, server: usize) {
        self.servers.crash(server);
    }

    /// Kills a server's process, as `kill -9` does: the machine stays up, and with it what was
    /// written but not synced.
    pub fn kill(&self, server: usize) {
        self.servers.kill(server);
    }

    /// Brings a server down in one of three ways, as the run's seed decides: without power, killed,
    /// or asked to stop.
    pub fn bring_down(&self, server: usize) {
        self.servers.bring_down(server);
    }

    /// Whether a server has stopped its service because its disk has failed.
    pub fn has_failed(&self, server: usize) -> bool {
        self.servers.call(server, PbServer::failure).flatten().is_some()
    }

    /// What a server writes to, or will find when it starts.
    pub fn disk(&self, server: usize) -> Disk {
        self.servers.storage(server).disk
    }

    /// What a server that is down will find when it starts.
    pub fn set_disk(&self, server: usize, disk: Disk) {
        let storage = StableStorage { disk, ..self.servers.storage(server) };
        self.servers.replace_storage(server, storage);
    }

    /// Cuts these servers off from the others. Clients are not affected.
    pub fn isolate(&self, side: &[usize]) {
        self.servers.partition(&[side, &self.others(side)]);
    }

    /// Starts a server that is down and connects it.
    pub fn restart(&self, server: usize) {
        self.servers.start(server);
        self.servers.connect(server);
    }

    /// Connects two servers with each other, whatever separates them from the rest.
    pub fn link(&self, one: usize, other: usize) {
        self.servers.mend(one, other);
        self.servers.mend(other, one);
    }

    /// Brings every server down.
    pub fn bring_all_down(&self) {
        self.all().for_each(|server| self.bring_down(server));
    }

    /// Connects everyone with everyone, and starts those that are down.
    pub fn connect_all(&self) {
        self.servers.heal();
        self.servers.start_all();
    }
}
