//! What a test holds of the run that it is part of.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

pub use contract::record::Statistics;
use contract::recording::{Culprit, Fault, What};
use labrpc::{Backend, Instant, Network};

use crate::kv_calls::OpenCalls;
use crate::notes::{ServerLine, SharedNotes};
use crate::violation::Violation;

/// One run of a grading test: its network, its clock, and the place where it reports what it saw.
/// Clones are the same run.
///
/// Despite its name it also stands for a run on real threads, see [`Sim::is_real`].
#[derive(Clone)]
pub struct Sim {
    notes: Arc<SharedNotes>,
    network: Network,
    backend: Backend,
    peers: Arc<AtomicUsize>,
    /// The number of clients that there were.
    clients: Arc<AtomicU64>,
    /// The number of operations that were recorded.
    operations: Arc<AtomicU64>,
}

impl Sim {
    /// A run that begins now.
    pub(crate) fn new(notes: Arc<SharedNotes>, backend: Backend) -> Self {
        Self {
            notes,
            network: Network::new(),
            backend,
            peers: Arc::default(),
            clients: Arc::default(),
            operations: Arc::default(),
        }
    }

    /// The run's network. All clusters and clients of a run share it.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Whether the run is on real threads, where servers cannot crash and time is real.
    pub fn is_real(&self) -> bool {
        self.backend == Backend::Real
    }

    /// Time since the run began.
    pub fn elapsed(&self) -> Duration {
        Instant::now() - Instant::from_nanos(0)
    }

    /// Waits.
    #[track_caller]
    pub fn sleep(&self, duration: Duration) {
        labrpc::sleep(duration);
    }

    /// Fails the run because it breaks a property, with a report that shows what was seen instead.
    /// May be called by any task of the harness.
    ///
    /// # Panics
    /// Always: that is how a run fails.
    #[track_caller]
    pub fn violated(&self, property: impl Into<String>, actual: impl Into<String>) -> ! {
        self.fail(Violation::new(property, actual));
    }

    /// As [`Sim::violated`], and says where and when the mistake was made.
    ///
    /// # Panics
    /// Always.
    #[track_caller]
    pub fn violated_by(
        &self,
        culprit: Culprit,
        property: impl Into<String>,
        actual: impl Into<String>,
    ) -> ! {
        self.fail(Violation::new(property, actual).culprit(culprit));
    }

    /// Fails the run if a rule is broken, with a report that shows the violation. May be called by
    /// any task of the harness.
    ///
    /// # Panics
    /// If the rule is broken: that is how a run fails.
    #[track_caller]
    pub fn check<T>(&self, rule: Result<T, Violation>) -> T {
        match rule {
            Ok(value) => value,
            Err(violation) => self.fail(violation),
        }
    }

    /// The clients' calls, of which a report says which has not returned.
    pub(crate) fn note_calls(&self, calls: OpenCalls) {
        self.notes.lock().calls = Some(calls);
    }

    /// Fails the run, with a report that shows `violation`.
    #[track_caller]
    pub(crate) fn fail(&self, violation: Violation) -> ! {
        let text = violation.to_string();
        labrpc::record(|| violation.recorded());
        self.notes.lock().violation.get_or_insert(violation);
        panic!("{text}");
    }

    /// Notes that the run proves nothing, because a checker gave up. The run counts neither as
    /// passed nor as failed.
    pub fn unknown(&self, why: impl Into<String>) {
        self.notes.lock().unknown.get_or_insert(why.into());
    }

    /// Sets how many commands were agreed on, or operations completed, for the "Passed" line.
    pub fn set_commits(&self, commits: u64) {
        self.notes.lock().commits = commits;
    }

    /// Counts servers, for the "Passed" line: that of the largest group is shown.
    pub(crate) fn note_peers(&self, peers: usize) {
        self.peers.fetch_max(peers, Relaxed);
    }

    /// A number for a new client.
    pub(crate) fn number_client(&self) -> u64 {
        self.clients.fetch_add(1, Relaxed)
    }

    /// Adds a line about a server to the report.
    pub(crate) fn add_server(&self, name: &str) -> usize {
        self.notes.add_server(name)
    }

    /// Changes a server's line in the report.
    pub fn update_server(&self, line: usize, update: impl FnOnce(&mut ServerLine)) {
        let mut notes = self.notes.lock();
        let server = &mut notes.servers[line];
        let before = labrpc::is_recorded().then(|| server.state());
        update(server);
        let state = before.and_then(|before| Some(server.state()).filter(|now| *now != before));
        drop(notes);
        if let Some(state) = state {
            labrpc::record(|| What::State(state));
        }
    }

    /// Fails the run when a server that was killed long ago calls on one of these ends: they lead to
    /// a server that knows no methods from now on, which the runtime takes for a mistake, and the
    /// report then says why.
    pub(crate) fn trap_calls(&self, server: &str, ends: &[String]) {
        let trap = format!("{server}, trap for {}", ends.first().map_or(server, |end| end));
        self.notes.lock().traps.push((trap.clone(), server.to_string()));
        self.network.add_server(&trap, labrpc::Server::new());
        for end in ends {
            self.network.connect(end, &trap);
            self.network.enable(end);
        }
    }

    /// What the run has cost so far.
    pub(crate) fn statistics(&self) -> Statistics {
        Statistics {
            peers: self.peers.load(Relaxed) as u64,
            rpcs: self.network.total_rpcs(),
            bytes: self.network.total_bytes(),
            commits: self.notes.lock().commits,
        }
    }
}

/// Faults that are done to names on the network; those of a cluster are methods of
/// [`Cluster`](crate::Cluster).
impl Sim {
    /// Cuts the one-way link on which `from` calls `to`. Replies travel with their calls.
    pub fn cut(&self, from: &str, to: &str) {
        self.fault("cut", [from, to]);
        self.network.cut(from, to);
    }

    /// Mends the one-way link on which `from` calls `to`.
    pub fn mend(&self, from: &str, to: &str) {
        self.fault("mend", [from, to]);
        self.network.mend(from, to);
    }

    /// Splits servers into sides that cannot reach each other, see [`Network::partition`].
    pub fn partition(&self, sides: &[&[&str]]) {
        let names = |side: &&[&str]| side.iter().map(ToString::to_string).collect();
        self.record_partition(|| sides.iter().map(names).collect());
        self.network.partition(sides);
    }

    /// Mends every link that was cut.
    pub fn heal(&self) {
        self.fault("heal", []);
        self.network.heal();
    }
}

/// What a test adds to the recording of a run; nothing, unless it is recorded.
impl Sim {
    /// Does what a client is asked for, and records it as an operation. `text` says what it is, and
    /// `result` what comes of it.
    pub fn operation<T>(
        &self,
        client: &str,
        text: impl FnOnce() -> String,
        act: impl FnOnce() -> T,
        result: impl FnOnce(&T) -> String,
    ) -> T {
        let number = self.begin_operation(client, None, text);
        let value = act();
        self.complete_operation(number, || result(&value));
        value
    }

    /// Records that an operation begins; returns its number.
    pub(crate) fn begin_operation(
        &self,
        client: &str,
        key: Option<&str>,
        text: impl FnOnce() -> String,
    ) -> u64 {
        let operation = self.operations.fetch_add(1, Relaxed);
        labrpc::record(|| What::Begin {
            operation,
            client: client.to_string(),
            text: text(),
            key: key.map(ToString::to_string),
        });
        operation
    }

    /// Records that an operation has returned.
    pub(crate) fn complete_operation(&self, operation: u64, result: impl FnOnce() -> String) {
        labrpc::record(|| What::Complete { operation, text: result() });
    }

    /// Records a fault.
    pub(crate) fn fault<'a>(&self, verb: &str, servers: impl IntoIterator<Item = &'a str>) {
        labrpc::record(|| {
            let servers = servers.into_iter().map(ToString::to_string).collect();
            What::Fault(Fault { verb: verb.to_string(), servers, ..Fault::default() })
        });
    }

    /// Records a partition into these sides.
    pub(crate) fn record_partition(&self, sides: impl FnOnce() -> Vec<Vec<String>>) {
        labrpc::record(|| {
            let verb = "partition".to_string();
            What::Fault(Fault { verb, sides: sides(), ..Fault::default() })
        });
    }

    /// Records that a client was served by the owner of a shard.
    pub fn record_owner(&self, shard: usize, owner: impl FnOnce() -> String) {
        labrpc::record(|| What::Shard { shard: shard as u64, owner: owner() });
    }
}
