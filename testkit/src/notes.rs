//! What the harness notes about a run while it goes on, and the report shows afterwards.
//!
//! Everything here is plain data behind an ordinary lock that is never held across a call of the
//! runtime. No student code runs while a report is made from it.

use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use contract::recording::{Culprit, State};

use crate::kv_calls::OpenCalls;
use crate::poison::unpoisoned;
use crate::violation::Violation;

/// How long a server may go on calling others after it was asked to stop: a task that sleeps
/// through an election timeout of 1.5 s and only then looks is fine.
pub const SILENCE_AFTER: Duration = Duration::from_secs(2);

/// The notes of one run, as all its tasks see them.
#[derive(Debug, Default)]
pub(crate) struct SharedNotes(Mutex<Notes>);

/// The notes of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    /// One line for each server.
    pub(crate) servers: Vec<ServerLine>,
    /// The property that the test found broken before it panicked.
    pub(crate) violation: Option<Violation>,
    /// Why the run proves nothing, if a checker gave up.
    pub(crate) unknown: Option<String>,
    /// Commands that were agreed on, or operations that clients completed.
    pub(crate) commits: u64,
    /// The calls of the clients of a key/value service.
    pub(crate) calls: Option<OpenCalls>,
    /// Names of servers that take the calls of servers which should have stopped long ago, each
    /// with the name of the latter.
    pub(crate) traps: Vec<(String, String)>,
}

impl Notes {
    /// If a run failed with this message because of a call by a server that should have stopped
    /// long ago, says so.
    pub(crate) fn call_of_zombie(&self, message: &str) -> Option<Violation> {
        let (_, server) = self
            .traps
            .iter()
            .find(|(trap, _)| message.starts_with(&format!("server {trap} has no handler")))?;
        let method = message.split('\'').nth(1).unwrap_or_default();
        let late = SILENCE_AFTER.as_secs();
        let actual = format!("{server} still calls {method} more than {late} s after kill()");
        let violation = Violation::new("a server that was killed falls silent", actual);
        Some(violation.culprit(Culprit::of(server)))
    }
}

/// What the harness last saw of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerLine {
    /// Its name: `S0`.
    pub name: String,
    /// The term that it was last seen in; `None` if it was never asked.
    pub term: Option<u64>,
    /// Whether it then believed to lead.
    pub is_leader: bool,
    /// The last index that it applied in this incarnation.
    pub applied: Option<u64>,
    /// Whether its links are open.
    pub connected: bool,
    /// Whether it runs.
    pub up: bool,
}

impl ServerLine {
    /// The same for the recording.
    pub(crate) fn state(&self) -> State {
        let role = if self.is_leader { "leader" } else { "follower" };
        State {
            server: self.name.clone(),
            term: self.term,
            role: (self.is_leader || self.term.is_some()).then(|| role.to_string()),
            applied: self.applied,
            up: self.up,
            connected: self.connected,
        }
    }
}

impl fmt::Display for ServerLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let term = self.term.map_or_else(String::new, |term| format!("@{term}"));
        let role = if self.is_leader { "leader" } else { "" };
        let name = format!("{}{term} {role}", self.name);
        write!(f, "{name:<14}")?;
        if let Some(applied) = self.applied {
            write!(f, "  applied {applied:<4}")?;
        }
        f.write_str(match (self.up, self.connected) {
            (false, _) => "  down",
            (true, false) => "  disconnected",
            (true, true) => "  connected",
        })
    }
}

impl SharedNotes {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Notes> {
        unpoisoned(self.0.lock())
    }

    /// Adds a line for a server; returns its number.
    pub(crate) fn add_server(&self, name: &str) -> usize {
        let mut notes = self.lock();
        notes.servers.push(ServerLine { name: name.to_string(), ..ServerLine::default() });
        notes.servers.len() - 1
    }
}
