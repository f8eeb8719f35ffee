//! All that a server knows, and how its role changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;

use labrpc::Instant;
use log::info;

use crate::given::record::{ClientId, Operation, Record};
use crate::given::room::Room;
use crate::given::status::Status;
use crate::given::storage::Recovered;
use crate::given::table::Table;
use crate::given::tail::Tail;
use crate::given::version::{Epoch, Order, Prefix, Version};
use crate::given::waiting::Round;
use crate::given::writes::{Write, Writes};
use crate::repair::{DamageId, Repair};
use crate::timing::CHECK_PAUSE;

/// What one server knows.
///
/// Invariants:
/// * the promised epoch never falls, and a primary's epoch is the one that it has promised;
/// * `committed <= tail.version().order`, `committed` never falls, and `table` is the state after
///   it;
/// * a server whose log is damaged is a backup;
/// * what is committed is the same on all servers.
///
/// Its methods decide, and nothing else: they know no lock, clock, randomness, network or disk.
/// What has to be written they add to [`State::writes`]; the shell sees to it that it is on disk
/// before anybody hears of the decision.
pub(crate) struct State {
    /// This server.
    pub(crate) me: SocketAddr,
    /// All servers, this one included.
    pub(crate) servers: BTreeSet<SocketAddr>,
    /// A snapshot is taken after so many records.
    pub(crate) snapshot_every: u64,

    // On disk too.
    /// The highest epoch that this server has promised. It follows no primary of an older one.
    pub(crate) promised: Epoch,
    /// The end of the log.
    pub(crate) tail: Tail,
    /// The last record that the snapshot on disk contains.
    pub(crate) snapshot: Order,
    /// That the log on disk was found corrupt, or all of the directory lost, and has not been
    /// replaced yet. Until then this server promises nothing, does not count, and does not serve.
    pub(crate) damage: Option<DamageId>,

    // In memory only.
    /// To whom that epoch is promised, if it was promised on request and since the start: asked
    /// again, this server answers the same.
    pub(crate) promised_to: Option<SocketAddr>,
    /// How often each server was chosen since there was a primary: in vain, so far.
    pub(crate) in_vain: BTreeMap<SocketAddr, u32>,
    /// Candidates that were found to have other records under the same version.
    pub(crate) forks: BTreeSet<SocketAddr>,
    /// How often this server, whose directory was empty, has asked without success whether all
    /// servers are new.
    pub(crate) fruitless_checks: u32,
    /// The last record known to be committed: on the disks of a majority, forever.
    pub(crate) committed: Order,
    /// The table, after all that is committed.
    pub(crate) table: Table,
    /// How much more a primary may write.
    pub(crate) room: Room,
    /// What this server is at present, and what only this role has.
    pub(crate) role: Role,
    /// What has to be written to disk.
    pub(crate) writes: Writes,
}

/// A role owns the state that only it needs.
#[derive(Debug)]
pub(crate) enum Role {
    /// Follows a primary, or waits for one.
    Backup {
        /// The primary, if there is one.
        primary: Option<Heard>,
        /// When it will check, if there is none.
        next_check: Instant,
    },
    /// Was chosen, and asks for promises.
    Candidate {
        /// Who has promised the epoch, itself included.
        promises: BTreeSet<SocketAddr>,
    },
    /// Serves clients and copies its log to all others.
    Primary(Office),
}

/// The primary that a backup follows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    /// The primary.
    pub(crate) address: SocketAddr,
    /// When it will be taken for dead, unless it is heard of.
    pub(crate) dead_at: Instant,
}

/// What a primary knows.
#[derive(Debug)]
pub(crate) struct Office {
    /// The no-op with which its epoch began. Nothing is served, and nothing older acknowledged,
    /// before it is committed.
    pub(crate) no_op: Order,
    /// The last record on its own disk.
    pub(crate) synced: Order,
    /// The last round of questions "do you still follow me?". All requests belong to the round in
    /// which they are sent.
    pub(crate) round: Round,
    /// What it knows of each other server.
    pub(crate) backups: BTreeMap<SocketAddr, Progress>,
}

/// What a primary knows of a backup.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    pub(crate) next: Next,
    /// All records up to this one are on its disk.
    pub(crate) matched: Order,
    /// The last round in which it said that it follows.
    pub(crate) confirmed: Round,
    /// When it was surely alive.
    pub(crate) heard: Instant,
    /// The request that it has not answered, if the answer counts.
    pub(crate) unanswered: Option<Sent>,
    /// Since when it has answered nothing, if it owes an answer.
    pub(crate) owes_since: Option<Instant>,
}

/// What a primary remembers of a request until it is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    /// When it was sent.
    pub(crate) at: Instant,
    /// The round that it belongs to.
    pub(crate) round: Round,
    /// The last record that the backup has if it says that all is stored.
    pub(crate) last: Order,
}

/// What to send a backup next, ordered by how much it already has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Next {
    /// Everything: its log is damaged.
    Everything(Repair),
    /// The records behind this one.
    After(Order),
}

impl State {
    /// A server that starts, with what its disk holds. If its log is damaged, that is given this
    /// number.
    pub(crate) fn new(
        me: SocketAddr,
        servers: BTreeSet<SocketAddr>,
        snapshot_every: u64,
        found: Recovered,
        number: u64,
        now: Instant,
    ) -> Self {
        let damage = DamageId { number, forgot_promise: found.forgot_promise };
        let base = Prefix { last: found.before, chain: found.chain };
        Self {
            me,
            servers,
            snapshot_every,
            room: Room::default(),
            promised: found.promise,
            tail: Tail::new(base, [found.kept, found.records].concat()),
            snapshot: found.snapshot.last.order,
            damage: found.damage.is_some().then_some(damage),
            promised_to: None,
            in_vain: BTreeMap::new(),
            forks: BTreeSet::new(),
            fruitless_checks: 0,
            committed: found.snapshot.last.order,
            table: found.snapshot.table,
            role: Role::Backup { primary: None, next_check: now },
            writes: Writes::default(),
        }
    }

    /// How many servers are more than half of them.
    pub(crate) fn majority(&self) -> usize {
        self.servers.len() / 2 + 1
    }

    /// The other servers.
    pub(crate) fn others(&self) -> impl Iterator<Item = SocketAddr> {
        self.servers.iter().copied().filter(|&server| server != self.me)
    }

    /// The version of the log; `None` if it is damaged.
    pub(crate) fn version(&self) -> Option<Version> {
        self.damage.is_none().then(|| self.tail.version())
    }

    /// The last record that is committed.
    pub(crate) fn committed_version(&self) -> Version {
        self.committed_log().last
    }

    /// The log up to what is committed.
    pub(crate) fn committed_log(&self) -> Prefix {
        self.tail
            .prefix_at(self.committed)
            .expect("the log reaches from its base to what is committed")
    }

    /// Whether this server is primary.
    pub(crate) fn is_primary(&self) -> bool {
        matches!(self.role, Role::Primary(_))
    }

    /// The primary, as far as this server knows.
    pub(crate) fn primary(&self) -> Option<SocketAddr> {
        match &self.role {
            Role::Backup { primary, .. } => primary.map(|primary| primary.address),
            Role::Candidate { .. } => None,
            Role::Primary(_) => Some(self.me),
        }
    }

    /// What it says of itself.
    pub(crate) fn status(&self) -> Status {
        Status {
            address: self.me,
            epoch: self.promised,
            version: self.version(),
            primary: self.primary(),
            is_primary: self.is_primary(),
            committed: self.committed_version(),
        }
    }

    /// Promises an epoch.
    pub(crate) fn promise(&mut self, epoch: Epoch) {
        assert!(epoch > self.promised, "{self} cannot promise {epoch}");
        self.promised = epoch;
        self.promised_to = None;
        self.writes.push(Write::Promise(epoch));
    }

    /// Becomes a backup of `primary`, or one that waits for a primary and does not check before
    /// `next_check`.
    pub(crate) fn become_backup(&mut self, primary: Option<Heard>, next_check: Instant) {
        if self.primary() != primary.map(|heard| heard.address) {
            match primary {
                Some(Heard { address, .. }) => info!(target: "ROLE", "{self} follows {address}"),
                None => info!(target: "ROLE", "{self} has no primary"),
            }
        }
        if primary.is_some() {
            self.in_vain.clear();
        }
        self.role = Role::Backup { primary, next_check };
    }

    /// Begins a new epoch and asks for the others' promises.
    pub(crate) fn become_candidate(&mut self, epoch: Epoch) {
        assert!(self.damage.is_none(), "{self} is damaged and cannot become primary");
        self.promise(epoch);
        self.role = Role::Candidate { promises: BTreeSet::from([self.me]) };
        info!(target: "ROLE", "{self} asks for promises, its log ends at {}", self.tail.version());
    }

    /// Takes office, with the no-op of its own epoch as its first record. It knows nothing of the
    /// others' logs but a first guess.
    pub(crate) fn become_primary(&mut self, now: Instant) {
        assert!(matches!(self.role, Role::Candidate { .. }), "{self} has not asked for promises");
        let last = self.tail.version().order;
        let progress = Progress {
            next: Next::After(last),
            matched: 0,
            confirmed: 0,
            heard: now,
            unanswered: None,
            owes_since: None,
        };
        let backups = self.others().map(|other| (other, progress.clone())).collect();
        self.in_vain.clear();
        self.role = Role::Primary(Office { no_op: last + 1, synced: 0, round: 0, backups });
        info!(target: "ROLE", "{self} is primary, its log ends at {}", self.tail.version());
        self.write(0, 0, Operation::NoOp);
    }

    /// Appends a record of the own epoch to the log; returns its place.
    pub(crate) fn write(&mut self, client: ClientId, sequence: u64, operation: Operation) -> Order {
        assert!(self.is_primary(), "{self} is not primary and writes nothing");
        let order = self.tail.version().order + 1;
        let record = Record { order, epoch: self.promised, client, sequence, operation };
        self.tail.append(record.clone());
        self.writes.push(Write::Append(vec![record]));
        order
    }

    /// Stops being primary or candidate, as a later epoch has begun or a majority is out of reach.
    pub(crate) fn step_down(&mut self, why: &str, now: Instant) {
        info!(target: "ROLE", "{self} steps down: {why}");
        self.become_backup(None, now + CHECK_PAUSE);
    }
}

/// `127.0.0.1:7001@5`: the server at this address, which has promised epoch 5.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.me, self.promised)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::given::storage::Damage;
    use crate::given::tail::tests::log;

    /// The server with this number, of five.
    pub(crate) fn address(server: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, server], 7000))
    }

    /// A time, in seconds.
    pub(crate) fn at(seconds: f64) -> Instant {
        Instant::from_nanos(0) + Duration::from_secs_f64(seconds)
    }

    /// A server with a log whose records have these epochs, which has promised the last of them.
    pub(crate) fn server(number: u8, epochs: &[Epoch]) -> State {
        let records = log(epochs).after(0).to_vec();
        let promise = epochs.last().copied().unwrap_or_default();
        let found = Recovered { promise, records, ..Recovered::default() };
        State::new(address(number), (1..=5).map(address).collect(), 100, found, 0, at(0.0))
    }

    /// A server with an empty log, which is damaged, with this number.
    pub(crate) fn damaged_server(number: u8, damage: DamageId) -> State {
        let what = Damage { file: "log".into(), offset: 0, problem: "made up".into() };
        let forgot_promise = damage.forgot_promise;
        let found = Recovered { damage: Some(what), forgot_promise, ..Recovered::default() };
        let servers = (1..=5).map(address).collect();
        State::new(address(number), servers, 100, found, damage.number, at(0.0))
    }

    /// A damaged log with this number.
    pub(crate) fn damage(number: u64) -> DamageId {
        DamageId { number, forgot_promise: false }
    }

    /// The primary of epoch 3, with records of epoch 1 and 2 and its no-op, which is committed with
    /// the help of servers 2 and 3.
    pub(crate) fn primary() -> State {
        let mut state = server(1, &[1, 1, 2]);
        state.become_candidate(3);
        state.become_primary(at(1.0));
        state.writes.take();
        state.note_synced(state.tail.version());
        let Role::Primary(office) = &mut state.role else { unreachable!("it was made primary") };
        for backup in [2, 3] {
            let progress = office.backups.get_mut(&address(backup)).expect("it is a backup");
            progress.next = Next::After(4);
            progress.matched = 4;
        }
        state.maybe_commit();
        assert_eq!(state.committed, 4);
        state
    }
}
