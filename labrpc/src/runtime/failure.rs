//! Why a run failed, with all that can be said about it.

use std::any::Any;
use std::fmt;
use std::time::Duration;

use contract::settings::{ONLY, POLICY, RUNTIME, SEED};

use super::policy::Policy;
use super::seconds::seconds;
use crate::your_code_here::unwritten;

/// What kind of failure ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// A task panicked, the test's own or any other.
    Panic,
    /// Every task waits, and no timer will wake one.
    Deadlock,
    /// Tasks wait for each other's locks in a circle.
    LockCycle,
    /// More virtual time passed than the test may take.
    TimeLimit,
    /// Tasks are spawned faster than they end.
    TooManyTasks,
    /// A task used the processor for seconds without one operation of the runtime.
    Spinning,
    /// The thread of the simulation waits for something that the simulation does not know.
    Blocked,
    /// A thread that does not belong to the simulation has used a part of it.
    Escape,
    /// The run used more processor time than a run may.
    CpuLimit,
    /// The run passed, but a second run of the same seed in the same process went another way.
    Leak,
}

/// Why a run failed. Its `Display` is the report that a failing test prints.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What kind of failure it was.
    pub kind: FailureKind,
    /// What went wrong.
    pub message: String,
    /// The line that panicked.
    pub location: Option<String>,
    /// Virtual time since the start.
    pub at: Duration,
    /// The seed of the run.
    pub seed: u64,
    /// The policy of the run; `None` on real threads.
    pub policy: Option<Policy>,
    /// The setting of the accidents that might happen; `None` for an ordinary run.
    pub only: Option<String>,
    /// The task that failed, and where it was spawned.
    pub task: Option<String>,
    /// Tasks that had waited for long, or everyone after a deadlock or at the time limit; one line
    /// each.
    pub waits: Vec<String>,
    /// The lines that call one server most often, if they do so very often; one line each.
    pub busy_calls: Vec<String>,
    /// Locks that were held while their owner waited for something else; one line each.
    pub held_locks: Vec<String>,
    /// The last lines of the log.
    pub log: Vec<String>,
    /// The last events of the trace, down to every message.
    pub events: Vec<String>,
    /// How a replay of the same seed went otherwise, if it did.
    pub divergence: Option<String>,
    /// The functions of the labs' own sources that the task was in that failed, innermost first.
    pub frames: Vec<String>,
    /// All functions that this task was in, if `RUST_BACKTRACE` is `full`.
    pub backtrace: Option<String>,
}

impl Failure {
    /// A failure of which no more is known than this, on real threads unless the caller says otherwise.
    pub(crate) fn new(kind: FailureKind, message: String, at: Duration, seed: u64) -> Self {
        Self {
            kind,
            message,
            location: None,
            at,
            seed,
            policy: None,
            only: None,
            task: None,
            waits: Vec::new(),
            busy_calls: Vec::new(),
            held_locks: Vec::new(),
            log: Vec::new(),
            events: Vec::new(),
            divergence: None,
            frames: Vec::new(),
            backtrace: None,
        }
    }

    /// Whether a replay of the same seed must show the same failure.
    pub(crate) fn is_replayable(&self) -> bool {
        use FailureKind::{Blocked, CpuLimit, Escape, Spinning};
        !matches!(self.kind, Spinning | Blocked | CpuLimit | Escape)
    }

    /// The function that the run called although it is [to be written](crate::your_code_here()).
    pub fn unwritten(&self) -> Option<&str> {
        unwritten(&self.message)
    }

    /// The settings that replay the run.
    pub fn replay_settings(&self) -> String {
        match self.policy {
            Some(policy) => {
                let only = self.only.as_ref().map_or(String::new(), |it| format!(" {ONLY}={it}"));
                format!("{SEED}={} {POLICY}={policy}{only}", self.seed)
            }
            None => format!("{SEED}={} {RUNTIME}=real", self.seed),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.message)?;
        if let Some(location) = &self.location {
            writeln!(f, "  panic at  {location}")?;
        }
        if let Some(task) = &self.task {
            writeln!(f, "  task      {task}")?;
        }
        writeln!(f, "  at        {} s", seconds(self.at.as_nanos() as u64))?;
        section(f, "in", &self.frames)?;
        section(f, "locks held while waiting", &self.held_locks)?;
        section(f, "waiting", &self.waits)?;
        section(f, "busy with calls", &self.busy_calls)?;
        section(f, "last log lines", &self.log)?;
        if let Some(divergence) = &self.divergence {
            writeln!(f, "  not deterministic: {divergence}")?;
        }
        if let Some(backtrace) = &self.backtrace {
            writeln!(f, "  backtrace\n{backtrace}")?;
        }
        write!(f, "  replay    {}", self.replay_settings())
    }
}

/// A headline with lines below it, or nothing if there are none.
fn section(f: &mut fmt::Formatter<'_>, title: &str, lines: &[String]) -> fmt::Result {
    if !lines.is_empty() {
        writeln!(f, "  {title}")?;
    }
    lines.iter().try_for_each(|line| writeln!(f, "    {line}"))
}

/// The text of a panic.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a task panicked".to_string())
}
