//! What Raft promises at every moment, checked at every moment: Figure 3 of the paper.
//!
//! The ledger is plain data. Probes of the servers and the tasks that drain their apply channels
//! tell it what they see, and it answers with a violation if that cannot be. It knows nothing of
//! tasks and locks, so it can be asked from anywhere.
//!
//! What it watches:
//! * at most one server leads in a term (§5.2, Election Safety);
//! * a server's term never goes back, across restarts included (§5.1);
//! * no two servers apply different commands at one index (§5.4.3, State Machine Safety);
//! * a server applies each index once in each of its lives, in order, without gaps;
//! * nothing is applied that was not proposed;
//! * a server that can reach nobody applies nothing that was proposed since;
//! * a snapshot comes back as it was handed over, and never takes a server back.

mod questions;
mod terms;

pub use self::terms::Sighting;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use labrpc::Instant;
use raft::{ApplyMsg, RaftState};
use testkit::{Culprit, Violation};

use self::terms::Terms;
use crate::command::Command;

/// How long a term may be known to a server before it must have been saved. The rule is to save it
/// before any message is sent; a server that stands still between two steps gets this long.
const TERM_IS_SAVED_AFTER: Duration = Duration::from_millis(500);

/// Indices between two snapshots: 9, 19, 29 and so on, as in the course.
pub const SNAPSHOT_INTERVAL: u64 = 10;

/// All that was seen in a run.
pub struct Ledger {
    servers: Vec<ServerLog>,
    /// Who was first seen to lead in a term.
    leaders: BTreeMap<u64, usize>,
    /// When each command was first proposed.
    proposals: BTreeMap<Command, Instant>,
    /// What was applied at each index from 1 on.
    chosen: Vec<Chosen>,
    /// The servers whose lives have ended, in that order.
    ended: Vec<usize>,
    /// Hash of all commands up to each index.
    digests: Vec<u64>,
}

/// What was applied at an index.
struct Chosen {
    command: Command,
    /// The server that applied it first.
    by: usize,
    /// The highest term that had a leader by then.
    term: u64,
    /// The number of lives that had ended by then.
    ended: usize,
}

/// What was seen of one server.
#[derive(Clone, Default)]
struct ServerLog {
    /// Which of its lives is the current one; 0 while it is down.
    incarnation: u64,
    /// Last index applied in this life.
    applied: u64,
    /// Terms seen in this life.
    terms: Terms,
    /// A restarted server must not be in an earlier term.
    least_term: u64,
}

/// What a task that drains an apply channel has to do after a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Applied {
    /// Nothing.
    Done,
    /// Hand this snapshot to Raft.
    SnapshotDue(u64, Vec<u8>),
}

impl Ledger {
    /// Nothing was seen of so many servers.
    pub fn new(servers: usize) -> Self {
        Self {
            servers: vec![ServerLog::default(); servers],
            leaders: BTreeMap::new(),
            proposals: BTreeMap::new(),
            chosen: Vec::new(),
            ended: Vec::new(),
            digests: vec![0x6824],
        }
    }

    /// A server begins a new life with the snapshot that it saved in the last one.
    pub fn begin_life(
        &mut self,
        server: usize,
        incarnation: u64,
        snapshot: &[u8],
    ) -> Result<(), Violation> {
        let index = if snapshot.is_empty() { 0 } else { self.check_snapshot(server, snapshot)? };
        let log = &mut self.servers[server];
        log.incarnation = incarnation;
        log.applied = index;
        Ok(())
    }

    /// A server's life ends now.
    pub fn end_life(&mut self, server: usize, now: Instant) {
        self.ended.push(server);
        let log = &mut self.servers[server];
        let saved = log.terms.last_before(now, TERM_IS_SAVED_AFTER).unwrap_or(0);
        *log = ServerLog { least_term: saved.max(log.least_term), ..ServerLog::default() };
    }

    /// A server says in which term it is and whether it leads. False if it is not its current life
    /// that speaks.
    pub fn observe(
        &mut self,
        server: usize,
        incarnation: u64,
        sighting: &Sighting,
    ) -> Result<bool, Violation> {
        let RaftState { term, is_leader } = sighting.state;
        let log = &mut self.servers[server];
        if log.incarnation != incarnation {
            return Ok(false);
        }
        let last = log.terms.last();
        if term < last.unwrap_or(0) {
            let actual = format!("S{server} went from term {} to {term}", last.unwrap_or(0));
            return Err(Violation::new("a server's term never goes back", actual)
                .culprit(in_term(server, term)));
        }
        if last.is_none() && term < log.least_term {
            let least = log.least_term;
            let actual = format!("S{server} restarts in term {term}, but was in term {least}");
            return Err(Violation::new("a server's term survives a restart", actual)
                .culprit(in_term(server, term)));
        }
        log.terms.note(sighting);
        if is_leader {
            let leader = *self.leaders.entry(term).or_insert(server);
            if leader != server {
                let actual =
                    format!("two leaders in term {term}: S{leader}@{term} S{server}@{term}");
                return Err(Violation::new("one leader per term", actual)
                    .expected(format!("one leader in term {term}"))
                    .culprit(Culprit {
                        others: vec![format!("S{leader}")],
                        ..in_term(server, term)
                    }));
            }
        }
        Ok(true)
    }

    /// A command is about to be proposed.
    pub fn propose(&mut self, command: &Command, now: Instant) {
        self.proposals.entry(command.clone()).or_insert(now);
    }

    /// A server delivers a message on its apply channel. `isolated_since` says since when it can
    /// reach nobody.
    pub fn deliver(
        &mut self,
        server: usize,
        incarnation: u64,
        message: ApplyMsg,
        isolated_since: Option<Instant>,
    ) -> Result<Applied, Violation> {
        let current = self.servers[server].incarnation == incarnation;
        match message {
            ApplyMsg::Command { index, command, .. } => {
                let command = Command::from_bytes(command);
                if current {
                    self.check_order(server, index)?;
                }
                self.check_command(server, index, &command)?;
                self.check_isolation(server, index, &command, isolated_since)?;
                self.choose(server, index, command);
                if current {
                    self.servers[server].applied = index;
                }
                let due = (index + 1).is_multiple_of(SNAPSHOT_INTERVAL);
                Ok(if due { self.snapshot_due(index) } else { Applied::Done })
            }
            ApplyMsg::Snapshot { index, data, .. } => {
                let inside = self.check_snapshot(server, &data)?;
                if inside != index {
                    let actual = format!(
                        "apply error: S{server} delivers the snapshot of index {inside} as that of \
                         index {index}"
                    );
                    return Err(Violation::new("a snapshot keeps its index", actual)
                        .culprit(at_index(server, index)));
                }
                if current {
                    self.check_progress(server, index)?;
                    self.servers[server].applied = index;
                }
                Ok(Applied::Done)
            }
        }
    }

    /// In one life, indices come in order.
    fn check_order(&self, server: usize, index: u64) -> Result<(), Violation> {
        let applied = self.servers[server].applied;
        if index == applied + 1 {
            return Ok(());
        }
        let actual = format!("apply error: server {server} apply out of order {index}");
        let property = "a server applies each index once, in order";
        Err(Violation::new(property, actual)
            .expected(format!("index {}", applied + 1))
            .culprit(at_index(server, index)))
    }

    /// A snapshot does not take a server back.
    fn check_progress(&self, server: usize, index: u64) -> Result<(), Violation> {
        let applied = self.servers[server].applied;
        if index >= applied {
            return Ok(());
        }
        let actual = format!(
            "apply error: S{server} delivers a snapshot of index {index} after it has applied \
             {applied}"
        );
        Err(Violation::new("a snapshot never takes a server back", actual)
            .culprit(at_index(server, index)))
    }

    /// A command was proposed, and is the one that others have applied at its index.
    fn check_command(&self, server: usize, index: u64, command: &Command) -> Result<(), Violation> {
        if let Some(chosen) = index.checked_sub(1).and_then(|i| self.chosen.get(i as usize)) {
            let Chosen { command: first, by, .. } = chosen;
            if first == command {
                return Ok(());
            }
            let actual = format!(
                "apply error: commit index={index} server={server} {command:?} != server={by} \
                 {first:?}"
            );
            let property = "no two servers apply different commands at one index";
            return Err(Violation::new(property, actual)
                .expected(format!("{first:?} at index {index}; {}", self.since(chosen)))
                .culprit(Culprit { others: vec![format!("S{by}")], ..at_index(server, index) }));
        }
        if index != self.chosen.len() as u64 + 1 {
            let actual = format!("apply error: server {server} apply out of order {index}");
            return Err(Violation::new("a server applies each index once, in order", actual)
                .culprit(at_index(server, index)));
        }
        if !self.proposals.contains_key(command) {
            let actual = format!("apply error: S{server} applies {command:?} at index {index}");
            let property = "only commands that were proposed are applied";
            return Err(Violation::new(property, actual).culprit(at_index(server, index)));
        }
        Ok(())
    }

    /// What has happened since a command was first applied, and what should have kept it.
    fn since(&self, chosen: &Chosen) -> String {
        let Chosen { by, term, ended, .. } = *chosen;
        let stopped: BTreeSet<usize> = self.ended[ended..].iter().copied().collect();
        let stopped: Vec<String> = stopped.iter().map(|server| format!("S{server}")).collect();
        let stopped = (!stopped.is_empty()).then(|| format!("{} stopped", stopped.join(", ")));
        let leader = self.leaders.range(term + 1..).next();
        let leader = leader.map(|(term, leader)| format!("S{leader} was elected in term {term}"));
        let events: Vec<&str> = leader.iter().chain(&stopped).map(String::as_str).collect();
        if events.is_empty() {
            return format!(
                "no leader was elected and no server stopped since S{by} applied it: it was \
                 committed without a majority, or entries were replaced or kept wrongly (Figure 2, \
                 AppendEntries)"
            );
        }
        let elected = leader.as_ref().map(|_| ". No candidate whose log lacks it wins (§5.4.1)");
        let saved = stopped.as_ref().map(|_| ". Entries are saved before they are acknowledged");
        let rules: String = elected.into_iter().chain(saved).collect();
        format!("since S{by} applied it, {}{rules}", events.join(" and "))
    }

    /// A server that can reach nobody cannot have learnt that a new command is committed.
    fn check_isolation(
        &self,
        server: usize,
        index: u64,
        command: &Command,
        isolated_since: Option<Instant>,
    ) -> Result<(), Violation> {
        let (Some(since), Some(proposed)) = (isolated_since, self.proposals.get(command)) else {
            return Ok(());
        };
        if *proposed <= since {
            return Ok(());
        }
        let actual = format!(
            "apply error: S{server}, cut off since {since:?}, applies {command:?} at index {index}, \
             which was first proposed at {proposed:?}"
        );
        Err(Violation::new("a server that can reach nobody commits nothing", actual)
            .culprit(at_index(server, index)))
    }

    /// Notes what is chosen at an index.
    fn choose(&mut self, server: usize, index: u64, command: Command) {
        if index == self.chosen.len() as u64 + 1 {
            let before = self.digests[self.chosen.len()];
            self.digests.push(hash(before, command.bytes()));
            let term = self.leaders.keys().next_back().copied().unwrap_or(0);
            self.chosen.push(Chosen { command, by: server, term, ended: self.ended.len() });
        }
    }

    /// The snapshot that a service takes after it has applied `index`.
    fn snapshot_due(&self, index: u64) -> Applied {
        Applied::SnapshotDue(index, self.snapshot(index))
    }

    /// The one and only snapshot of everything up to `index`: it names the index and depends on
    /// every command before.
    pub fn snapshot(&self, index: u64) -> Vec<u8> {
        let digest = self.digests[index as usize];
        labrpc::encode(&(index, [digest, hash(digest, b"1"), hash(digest, b"2")], "snapshot"))
    }

    /// A snapshot is one that the service made; returns its index.
    fn check_snapshot(&self, server: usize, data: &[u8]) -> Result<u64, Violation> {
        let decoded = labrpc::decode::<(u64, [u64; 3], String)>(data);
        if let Ok((index, ..)) = decoded
            && index <= self.chosen.len() as u64
            && self.snapshot(index) == data
        {
            return Ok(index);
        }
        let actual = format!(
            "apply error: S{server} comes with a snapshot of {} bytes that no service made",
            data.len()
        );
        Err(Violation::new("a snapshot comes back as it was handed to Raft", actual)
            .culprit(Culprit::of(format!("S{server}"))))
    }
}

/// A mistake that a server makes now, in this term.
fn in_term(server: usize, term: u64) -> Culprit {
    Culprit { term: Some(term), ..Culprit::of(format!("S{server}")) }
}

/// A mistake that a server makes now, at this index.
fn at_index(server: usize, index: u64) -> Culprit {
    Culprit { index: Some(index), ..Culprit::of(format!("S{server}")) }
}

/// FNV-1a, continued from `state`.
fn hash(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
