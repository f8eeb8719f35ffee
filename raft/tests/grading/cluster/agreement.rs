//! How tests propose commands and wait for agreement on them.

use std::time::Duration;

use labrpc::{Instant, sleep};
use raft::LogPos;
use testkit::{Culprit, ELECTION_TIMEOUT, Violation, poll, wait_until};

use super::RaftCluster;
use crate::command::Command;
use crate::ledger::Ledger;

/// How long [`RaftCluster::one`] goes on to propose before it gives up.
const ONE_BUDGET: Duration = Duration::from_secs(10);
/// How long it then waits for one proposal to be applied before it proposes again.
const ONE_PATIENCE: Duration = Duration::from_secs(2);
/// How often it looks.
const ONE_INTERVAL: Duration = Duration::from_millis(20);
/// How long it waits when nobody claims to lead.
const ONE_PAUSE: Duration = Duration::from_millis(50);

/// How long [`RaftCluster::wait`] waits.
const WAIT_BUDGET: Duration = Duration::from_secs(30);
/// How often it looks.
const WAIT_INTERVAL: Duration = Duration::from_millis(10);

/// A server was seen in a later term than the one in which a test began to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewTerm;

/// What to do when a leader took a command but nothing came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retry {
    /// Give up. Without a later term it fails the run: nothing can have stood in the way.
    Never,
    /// Propose it again if there is a later term, else fail. It may end up in the log twice.
    InNewTerm,
    /// Propose it again whatever the reason. It may end up in the log twice.
    Always,
}

impl RaftCluster {
    /// Proposes a command to one server. `None` if it is down or does not lead.
    pub fn propose(&self, server: usize, command: &Command) -> Option<LogPos> {
        let now = Instant::now();
        self.ledger.lock().propose(command, now);
        let bytes = command.bytes().to_vec();
        self.servers.call(server, move |raft| raft.start(bytes))?.ok()
    }

    /// Proposes a command to all servers, connected or not; returns those who took it.
    pub fn propose_to_all(&self, command: &Command) -> Vec<(usize, LogPos)> {
        self.all().filter_map(|server| Some((server, self.propose(server, command)?))).collect()
    }

    /// Proposes a command to connected servers in turn until one takes it, and waits until so many
    /// servers have applied it; returns its index. A leader that takes it and stays leader must
    /// succeed; if its term ends, the command is proposed again.
    pub fn one(&self, command: impl Into<Command>, servers: usize) -> u64 {
        let agreed = self.agree(&command.into(), servers, Retry::InNewTerm);
        agreed.expect("it is proposed again in a new term")
    }

    /// As [`RaftCluster::one`], but does not propose again: if the leader's term ends, the caller
    /// learns that instead of an index.
    pub fn one_in_term(&self, command: impl Into<Command>, servers: usize) -> Result<u64, NewTerm> {
        self.agree(&command.into(), servers, Retry::Never)
    }

    /// As [`RaftCluster::one`], but proposes again if a leader fails.
    pub fn one_retrying(&self, command: impl Into<Command>, servers: usize) -> u64 {
        let agreed = self.agree(&command.into(), servers, Retry::Always);
        agreed.expect("it is proposed again in a new term")
    }

    /// Makes an attempt that an election would disturb, which a server that stands still for a
    /// moment may cause; repeats it if one does. The fifth must succeed.
    pub fn undisturbed<T>(&self, mut attempt: impl FnMut() -> Result<T, NewTerm>) -> T {
        for number in 0..5 {
            if number > 0 {
                sleep(3 * ELECTION_TIMEOUT); // Give the leader time to settle.
                self.one_retrying(self.command(), self.len()); // Nothing stays undecided.
            }
            if let Ok(result) = attempt() {
                return result;
            }
        }
        self.sim().violated("a leader stays leader without failures", "term changed too often")
    }

    /// What all ways to agree on one command have in common.
    fn agree(&self, command: &Command, servers: usize, retry: Retry) -> Result<u64, NewTerm> {
        let mut cursor = 0;
        let (before, term_before) = (self.standing(), self.highest_connected_term());
        let mut taken = None;
        let failed = |property: &str, taken: Option<(usize, LogPos)>| {
            let actual = match taken {
                Some(taken) => self.fate(command, servers, taken) + &self.stuck_since(&before),
                None => self.leaderless_since(term_before),
            };
            // Who is to blame is not known: a server that lacks the command may be the victim.
            let place = taken.map(|(_, place)| place);
            let (term, index) = (place.map(|place| place.term), place.map(|place| place.index));
            Violation::new(property, actual)
                .expected(format!("the command {command:?} is applied on {servers} servers"))
                .culprit(Culprit { term, index, ..Culprit::default() })
        };
        let attempt = || {
            let place = self.propose_to_any(command, &mut cursor)?;
            let LogPos { index, term } = place;
            taken = Some((cursor, place));
            if self.is_agreed(command, index, servers) {
                return Some(Ok(Ok(index)));
            }
            let is_over = self.highest_connected_term() > term;
            match retry {
                Retry::Never if is_over => Some(Ok(Err(NewTerm))),
                Retry::InNewTerm if is_over => None,
                Retry::Never | Retry::InNewTerm => {
                    let property = "a leader that stays gets a command agreed on within 2 s";
                    Some(Err(failed(property, taken)))
                }
                Retry::Always => None,
            }
        };
        let agreed = self.sim().operation(
            "test",
            || format!("agree on {command:?}"),
            || poll(ONE_BUDGET, ONE_PAUSE, attempt),
            |agreed| match agreed {
                Some(Ok(Ok(index))) => format!("at index {index}"),
                Some(Ok(Err(NewTerm))) => "a new term".to_string(),
                Some(Err(_)) | None => "no agreement".to_string(),
            },
        );
        let property = "a majority that is connected agrees on a command within 10 s";
        self.sim().check(agreed.unwrap_or_else(|| Err(failed(property, taken))))
    }

    /// Why no server took a command: without a leader, terms show whether there were elections.
    fn leaderless_since(&self, term_before: u64) -> String {
        let elections = match self.highest_connected_term() {
            term if term > term_before => format!("the term rose from {term_before} to {term}"),
            term => format!("the term stays {term}"),
        };
        format!("no connected server took it: none says that it leads, and {elections}")
    }

    /// What has become of a command that a server took last at this place.
    fn fate(&self, command: &Command, servers: usize, taken: (usize, LogPos)) -> String {
        let (server, LogPos { index, term }) = taken;
        let (count, chosen) =
            self.ledger(|ledger| (ledger.n_committed(index), ledger.chosen(index).cloned()));
        let outcome = match chosen {
            Some(other) if other != *command => format!("the command applied there is {other:?}"),
            _ => format!("it was applied on {count} of {servers} servers"),
        };
        format!("S{server}@{term} took it as index {index}, and {outcome}")
    }

    /// For each server, the last index that it has applied and the number of requests that it has
    /// received, both in its current life.
    fn standing(&self) -> Vec<(u64, u64)> {
        let applied = |server| self.ledger(|ledger| ledger.applied(server));
        self.all().map(|server| (applied(server), self.servers.rpcs(server))).collect()
    }

    /// The connected servers that lack what others have applied, and have applied nothing since
    /// `before`.
    fn stuck_since(&self, before: &[(u64, u64)]) -> String {
        let (now, last) = (self.standing(), self.ledger(Ledger::max_index));
        let stuck = self.connected().into_iter().filter_map(|server| {
            let ((was, received), (applied, received_now)) = (before[server], now[server]);
            let requests = received_now.saturating_sub(received);
            (applied == was && applied < last).then(|| {
                format!("S{server} stays at index {applied} while it receives {requests} requests")
            })
        });
        let stuck: Vec<String> = stuck.collect();
        if stuck.is_empty() { String::new() } else { format!(": {}", stuck.join(", ")) }
    }

    /// Proposes to connected servers in turn, beginning after `cursor`; returns the place.
    fn propose_to_any(&self, command: &Command, cursor: &mut usize) -> Option<LogPos> {
        self.all().find_map(|_| {
            *cursor = self.after(*cursor, 1);
            if !self.is_connected(*cursor) {
                return None;
            }
            self.propose(*cursor, command)
        })
    }

    /// The highest term in which a server that is connected was last seen.
    fn highest_connected_term(&self) -> u64 {
        let terms = self.connected().into_iter();
        terms.map(|server| self.ledger(|ledger| ledger.term(server))).max().unwrap_or(0)
    }

    /// Waits for a while until so many servers have applied this command at this index.
    fn is_agreed(&self, command: &Command, index: u64, servers: usize) -> bool {
        wait_until(ONE_PATIENCE, ONE_INTERVAL, || {
            self.ledger(|ledger| {
                ledger.n_committed(index) >= servers && ledger.chosen(index) == Some(command)
            })
        })
    }

    /// Nobody has applied this index.
    pub fn check_not_committed(&self, index: u64) {
        if let Some(command) = self.ledger(|ledger| ledger.chosen(index).cloned()) {
            let actual = format!("index {index} is committed with {command:?}, but should not be");
            // Not a server: the one that applied it may have been told so.
            let culprit = Culprit { index: Some(index), ..Culprit::default() };
            self.sim().violated_by(culprit, "without a majority nothing is committed", actual);
        }
    }

    /// Waits until a server has applied something in its current life that it had not when this was
    /// called, for about ten election timeouts.
    pub fn wait_until_applied(&self, server: usize) {
        let applied = || self.ledger(|ledger| ledger.applied(server));
        let before = applied();
        if !wait_until(10 * ELECTION_TIMEOUT, ELECTION_TIMEOUT / 200, || applied() > before) {
            let actual = format!("S{server} applies nothing after index {before}");
            // The server itself may be the victim.
            let culprit = Culprit { index: Some(before + 1), ..Culprit::default() };
            self.sim().violated_by(culprit, "a server that is connected again catches up", actual);
        }
    }

    /// Waits until so many servers have applied `index` in their current lives; returns what they
    /// applied.
    pub fn wait(&self, index: u64, servers: usize) -> Command {
        self.wait_in_term(index, servers, u64::MAX).expect("there is no later term than the last")
    }

    /// As [`RaftCluster::wait`], as long as no server is seen in a later term than `term`.
    pub fn wait_in_term(&self, index: u64, servers: usize, term: u64) -> Result<Command, NewTerm> {
        let decided = poll(WAIT_BUDGET, WAIT_INTERVAL, || {
            self.ledger(|ledger| {
                if ledger.n_committed(index) >= servers {
                    return ledger.chosen(index).cloned().map(Ok);
                }
                (ledger.max_term() > term).then_some(Err(NewTerm))
            })
        });
        decided.unwrap_or_else(|| {
            let applied = self.ledger(|ledger| ledger.n_committed(index));
            let actual = format!("it was applied on {applied} servers within 30 s");
            let property = "what is committed reaches every server";
            let violation = Violation::new(property, actual)
                .expected(format!("index {index} is applied on {servers} servers"))
                .culprit(Culprit { index: Some(index), ..Culprit::default() });
            self.sim().check(Err(violation))
        })
    }
}
