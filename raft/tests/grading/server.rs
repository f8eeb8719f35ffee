//! One server as the harness runs it: Raft, the service above it, and a probe.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use labrpc::{ClientEnd, Instant, Persister, Receiver, rendezvous, sleep, spawn};
use raft::{ApplyMsg, Raft};
use testkit::{Boot, Cluster, Reach, Sim, Started};

use crate::ledger::{Applied, Ledger, Sighting};

/// How often a probe asks its server for term and leadership.
const PROBE_INTERVAL: Duration = Duration::from_millis(10);

/// Whether the service takes snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Snapshots {
    /// The log grows for ever.
    Never,
    /// After every tenth command.
    EveryTenth,
}

/// The ledger, shared by all tasks of the harness. Its lock is an ordinary one: it is never held
/// across a call of the runtime.
#[derive(Clone)]
pub struct SharedLedger(Arc<Mutex<Ledger>>);

impl SharedLedger {
    /// A ledger for so many servers.
    pub fn new(servers: usize) -> Self {
        Self(Arc::new(Mutex::new(Ledger::new(servers))))
    }

    /// Locks the ledger.
    pub fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cluster of Raft servers, none of which runs yet, each with a service above it that `ledger`
/// watches.
pub fn raft_servers(
    sim: &Sim,
    servers: usize,
    ledger: &SharedLedger,
    snapshots: Snapshots,
) -> Cluster<Raft> {
    let (run, ledger) = (sim.clone(), ledger.clone());
    let start = move |boot: Boot| {
        let (life, ends, persister) = Life::begin(&run, &ledger, snapshots, boot);
        let (apply, messages) = rendezvous();
        let raft = Raft::new(ends, life.me, persister, apply);
        let (service, above) = (life.clone(), raft.clone());
        spawn(move || service.drain(&messages, &above));
        let probed = raft.clone();
        spawn(move || life.probe(&probed));
        Started { services: vec![raft.service()], handle: raft }
    };
    Cluster::new(sim, "S", servers, start, Raft::kill)
}

/// One incarnation of a server, as the tasks around it know it.
#[derive(Clone)]
struct Life {
    sim: Sim,
    ledger: SharedLedger,
    snapshots: Snapshots,
    me: usize,
    incarnation: u64,
    line: usize,
    reach: Reach,
}

impl Life {
    /// Begins a life: the service restores itself from the snapshot that was saved.
    fn begin(
        sim: &Sim,
        ledger: &SharedLedger,
        snapshots: Snapshots,
        boot: Boot,
    ) -> (Self, Vec<ClientEnd>, Persister) {
        let Boot { me, incarnation, ends, storage, line, reach, .. } = boot;
        let life = Self {
            sim: sim.clone(),
            ledger: ledger.clone(),
            snapshots,
            me,
            incarnation,
            line,
            reach,
        };
        // Before the ledger is locked: reading is an operation at which others may run.
        let snapshot = storage.persister.snapshot();
        let begun = ledger.lock().begin_life(me, incarnation, &snapshot);
        sim.check(begun);
        life.show_applied();
        (life, ends, storage.persister)
    }

    /// The service: takes what Raft delivers, and snapshots itself now and then, from this same
    /// task.
    fn drain(&self, messages: &Receiver<ApplyMsg>, raft: &Raft) {
        for message in messages {
            let isolated_since = self.reach.isolated_since();
            let applied =
                self.ledger.lock().deliver(self.me, self.incarnation, message, isolated_since);
            self.show_applied();
            match self.sim.check(applied) {
                Applied::SnapshotDue(index, snapshot)
                    if self.snapshots == Snapshots::EveryTenth =>
                {
                    raft.snapshot(index, snapshot);
                }
                _ => {}
            }
        }
    }

    /// The probe: asks for term and leadership as long as this life lasts.
    fn probe(&self, raft: &Raft) {
        loop {
            let asked = Instant::now();
            let state = raft.state();
            let sighting = Sighting { state, asked, answered: Instant::now() };
            let observed = self.ledger.lock().observe(self.me, self.incarnation, &sighting);
            if !self.sim.check(observed) {
                return;
            }
            self.sim.update_server(self.line, |line| {
                line.term = Some(state.term);
                line.is_leader = state.is_leader;
            });
            sleep(PROBE_INTERVAL);
        }
    }

    /// Shows in the report how far the server is.
    fn show_applied(&self) {
        let ledger = self.ledger.lock();
        let (applied, commits) = (ledger.applied(self.me), ledger.max_index());
        drop(ledger);
        self.sim.set_commits(commits);
        self.sim.update_server(self.line, |line| line.applied = Some(applied));
    }
}
