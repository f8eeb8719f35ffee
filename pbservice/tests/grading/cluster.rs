//! The vocabulary in which the tests tell their stories.

#[path = "cluster/faults.rs"] // Also where another test target includes this file.
mod faults;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use labrpc::{Disk, JoinHandle, sleep};
use pbservice::{
    Clerk, Config, Epoch, Identity, Operation, Order, PbServer, Record, Recovered, SNAPSHOT_EVERY,
    Status, Storage, Version, show_log,
};
use testkit::{
    Boot, Client, Cluster, Culprit, KvClerk, KvHistory, Sim, Started, compare_values, poll,
    wait_until,
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

    /// Servers that have not been started yet.
    pub fn not_started(sim: &Sim) -> Self {
        Self::named(sim, "S", SERVERS, SNAPSHOT_EVERY)
    }

    /// Starts servers that take snapshots after so many records.
    pub fn start_with(sim: &Sim, snapshot_every: u64) -> Self {
        let cluster = Self::named(sim, "S", SERVERS, snapshot_every);
        cluster.servers.start_all();
        cluster
    }

    /// So many servers, whose names begin like this, with empty disks. They have not been started.
    pub fn named(sim: &Sim, prefix: &str, servers: usize, snapshot_every: u64) -> Self {
        let (run, names) = (sim.clone(), prefix.to_string());
        let start = move |boot: Boot| {
            let peers: BTreeMap<_, _> = boot.ends.into_iter().enumerate().collect();
            let peers = peers.into_iter().map(|(peer, end)| (address(peer), end)).collect();
            let is_new = boot.incarnation == 1;
            let config = Config { address: address(boot.me), peers, snapshot_every, is_new };
            let server = match PbServer::start(config, boot.storage.disk) {
                Ok(server) => server,
                Err(error) => does_not_start(&run, &format!("{names}{}", boot.me), &error),
            };
            Started { services: vec![server.service()], handle: server }
        };
        let servers = Cluster::new(sim, prefix, servers, start, PbServer::kill);
        let history = KvHistory::new(sim);
        Self { servers, history }
    }

    /// A server, as the culprit of a violation.
    pub fn culprit(&self, server: usize) -> Culprit {
        self.servers.culprit(server)
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
            let property = "every call returns in time when a majority is connected";
            let (primary, lines) = (self.who_is_primary(), self.lines());
            let actual = format!("{what} did not complete, and {primary}: {lines}");
            self.sim().violated(property, actual);
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
    #[track_caller]
    pub fn open_disk(&self, server: usize) -> Recovered {
        self.open(server, self.disk(server).copy())
    }

    /// What a server would find on this disk.
    #[track_caller]
    fn open(&self, server: usize, disk: Disk) -> Recovered {
        match Storage::open(disk, &self.identity(server)) {
            Ok((_, found)) => found,
            Err(error) => does_not_start(self.sim(), self.servers.name(server), &error),
        }
    }

    /// What each server would find if the power failed now and took all that is not synced.
    pub fn after_power_failure(&self) -> Vec<Recovered> {
        // All at the same moment: to open one takes time.
        let disks: Vec<Disk> = self.all().map(|s| self.disk(s).copy().crash_keeping(0)).collect();
        disks.into_iter().enumerate().map(|(server, disk)| self.open(server, disk)).collect()
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
            let property = "a primary takes puts into its log";
            self.sim().violated_by(self.culprit(server), property, actual);
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

/// A server refuses the disk that a crash has left to it.
#[track_caller]
fn does_not_start(sim: &Sim, server: &str, error: &impl std::fmt::Debug) -> ! {
    let property = "a server starts again after a crash";
    sim.violated_by(Culprit::of(server), property, format!("{server}: {error:?}"))
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

    /// Who is primary, for messages.
    pub fn who_is_primary(&self) -> String {
        match self.statuses().iter().find(|(_, status)| status.is_primary) {
            Some((server, _)) => format!("S{server} is primary"),
            None => "no server is primary".to_string(),
        }
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
            let actual = format!("{}: {}", self.what_differs(), self.lines());
            self.sim().violated("servers that are connected come to have the same log", actual);
        }
        self.check_equal_records();
    }

    /// What keeps the servers that are up from having equal logs, in a few words.
    fn what_differs(&self) -> String {
        for (server, status) in self.statuses() {
            let Recovered { snapshot, records, .. } = self.open_disk(server);
            let on_disk = records.last().map_or(snapshot.last, Record::version);
            if status.version.is_some_and(|version| version != on_disk) {
                let snapshot = snapshot.last;
                return format!(
                    "on the disk of S{server} are a snapshot up to {snapshot} and records up to \
                     {on_disk}"
                );
            }
        }
        "the logs differ".to_string()
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
                    let others = vec![self.servers.name(*other).to_string()];
                    let culprit =
                        Culprit { others, index: Some(record.order), ..self.culprit(server) };
                    self.sim().violated_by(culprit, "all logs are equal", actual);
                }
            }
        }
    }
}
