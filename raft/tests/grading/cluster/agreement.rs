//! How tests propose commands and wait for agreement on them.

use std::time::Duration;

use labrpc::{Instant, sleep};
use raft::LogPos;

use super::RaftCluster;
use crate::command::Command;

/// How long [`RaftCluster::one`] tries before it gives up.
const ONE_BUDGET: Duration = Duration::from_secs(10);
/// How long it then waits for one proposal to be applied before it proposes again.
const ONE_PATIENCE: Duration = Duration::from_secs(2);
/// How often it looks.
const ONE_POLL: Duration = Duration::from_millis(20);
/// How long it waits when nobody claims to lead.
const ONE_PAUSE: Duration = Duration::from_millis(50);

/// How often [`RaftCluster::wait`] looks; it waits 10 ms after the first look, then twice as long
/// each time until that is more than a second: about 30 s in all.
const WAIT_POLLS: u32 = 30;

/// A server was seen in a later term than the one in which a test began to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewTerm;

/// What to do when a leader took a command but nothing came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retry {
    /// Fail: nothing can have stood in the way.
    Never,
    /// Propose it again; it may end up in the log twice.
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
    /// servers have applied it; returns its index. The first leader that takes it must succeed.
    pub fn one(&self, command: impl Into<Command>, servers: usize) -> u64 {
        self.agree(&command.into(), servers, Retry::Never)
    }

    /// As [`RaftCluster::one`], but proposes again if a leader fails.
    pub fn one_retrying(&self, command: impl Into<Command>, servers: usize) -> u64 {
        self.agree(&command.into(), servers, Retry::Always)
    }

    /// [`RaftCluster::one`] and [`RaftCluster::one_retrying`].
    fn agree(&self, command: &Command, servers: usize, retry: Retry) -> u64 {
        let began = Instant::now();
        let mut cursor = 0;
        while began.elapsed() < ONE_BUDGET {
            let Some(index) = self.propose_to_any(command, &mut cursor) else {
                sleep(ONE_PAUSE);
                continue;
            };
            if self.is_agreed(command, index, servers) {
                return index;
            }
            if retry == Retry::Never {
                break;
            }
        }
        let property = "a majority that is connected agrees on a command within 10 s";
        self.sim().violated(property, format!("one({command:?}) failed to reach agreement"));
    }

    /// Proposes to connected servers in turn, beginning after `cursor`; returns the index.
    fn propose_to_any(&self, command: &Command, cursor: &mut usize) -> Option<u64> {
        self.all().find_map(|_| {
            *cursor = self.after(*cursor, 1);
            if !self.is_connected(*cursor) {
                return None;
            }
            self.propose(*cursor, command).map(|pos| pos.index)
        })
    }

    /// Waits for a while until so many servers have applied this command at this index.
    fn is_agreed(&self, command: &Command, index: u64, servers: usize) -> bool {
        let proposed = Instant::now();
        while proposed.elapsed() < ONE_PATIENCE {
            let agreed = self.ledger(|ledger| {
                ledger.n_committed(index) >= servers && ledger.chosen(index) == Some(command)
            });
            if agreed {
                return true;
            }
            sleep(ONE_POLL);
        }
        false
    }

    /// Nobody has applied this index.
    pub fn check_not_committed(&self, index: u64) {
        if let Some(command) = self.ledger(|ledger| ledger.chosen(index).cloned()) {
            let actual = format!("index {index} is committed with {command:?}, but should not be");
            self.sim().violated("without a majority nothing is committed", actual);
        }
    }

    /// Waits until a server has applied something in its current life that it had not when this was
    /// called, for about ten election timeouts.
    pub fn wait_until_applied(&self, server: usize) {
        let applied = || self.ledger(|ledger| ledger.applied(server));
        let before = applied();
        for _ in 0..2000 {
            if applied() > before {
                return;
            }
            sleep(Duration::from_millis(5));
        }
        let actual = format!("S{server} applies nothing after index {before}");
        self.sim().violated("a server that is connected again catches up", actual);
    }

    /// Waits until so many servers have applied `index` in their current lives; returns what they
    /// applied.
    pub fn wait(&self, index: u64, servers: usize) -> Command {
        self.wait_in_term(index, servers, u64::MAX).expect("there is no later term than the last")
    }

    /// As [`RaftCluster::wait`], as long as no server is seen in a later term than `term`.
    pub fn wait_in_term(&self, index: u64, servers: usize, term: u64) -> Result<Command, NewTerm> {
        let mut pause = Duration::from_millis(10);
        for _ in 0..WAIT_POLLS {
            if self.ledger(|ledger| ledger.n_committed(index)) >= servers {
                break;
            }
            sleep(pause);
            if pause < Duration::from_secs(1) {
                pause *= 2;
            }
            if self.ledger(|ledger| ledger.max_term()) > term {
                return Err(NewTerm);
            }
        }
        let applied = self.ledger(|ledger| ledger.n_committed(index));
        match self.ledger(|ledger| ledger.chosen(index).cloned()) {
            Some(command) if applied >= servers => Ok(command),
            _ => {
                let actual = format!("only {applied} decided for index {index}; wanted {servers}");
                self.sim().violated("what is committed reaches every server", actual)
            }
        }
    }
}
