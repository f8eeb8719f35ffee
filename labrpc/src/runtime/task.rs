//! What the scheduler knows of one task.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::sys::fiber::Fiber;

/// A server's incarnation, or the test itself: tasks that live and die together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(crate) u32);

impl NodeId {
    /// The test: it is never crashed and never stalled.
    pub(crate) const TEST: NodeId = NodeId(0);
}

/// Stands for one wait of one task. Once that wait has ended the waiter is stale, and waking it
/// does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiter {
    /// The task's slot.
    pub(crate) index: u32,
    /// The slot's token during this wait.
    pub(crate) token: u64,
}

/// What a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The end of a stall (see `Policy::Stall`).
    Stall,
    /// The end of a sleep.
    Sleep,
    /// A lock, by its number.
    Lock(u32),
    /// A condition variable.
    Condvar,
    /// A message from a channel.
    Recv,
    /// Room in a channel, or a receiver that takes the message.
    Send,
    /// One of several channels.
    Select,
    /// The end of another task.
    Join,
    /// The reply to an RPC.
    Call,
    /// A slow disk.
    Disk,
}

impl Wait {
    /// Its number in the trace. Part of the hash: append, never renumber.
    pub(crate) fn code(self) -> u64 {
        match self {
            Wait::Stall => 1,
            Wait::Sleep => 2,
            Wait::Lock(_) => 3,
            Wait::Condvar => 4,
            Wait::Recv => 5,
            Wait::Send => 6,
            Wait::Select => 7,
            Wait::Join => 8,
            Wait::Call => 9,
            Wait::Disk => 10,
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wait::Stall => "the end of a stall that the policy chose",
            Wait::Sleep => "the end of a sleep",
            Wait::Lock(_) => "a lock",
            Wait::Condvar => "a condition variable",
            Wait::Recv => "a message",
            Wait::Send => "a receiver for its message",
            Wait::Select => "one of several channels",
            Wait::Join => "the end of a task",
            Wait::Call => "the reply to an RPC",
            Wait::Disk => "a slow disk",
        })
    }
}

/// A wait that has begun.
#[derive(Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) what: Wait,
    /// The line that waits.
    pub(crate) at: &'static Location<'static>,
    /// Virtual time at which it began.
    pub(crate) since: u64,
}

/// A lock that a task holds.
#[derive(Clone, Copy)]
pub(crate) struct Held {
    /// The lock's number.
    pub(crate) lock: u32,
    /// The line that took it.
    pub(crate) at: &'static Location<'static>,
    /// Virtual time at which it was taken.
    pub(crate) since: u64,
}

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The slot holds no task.
    Free,
    /// Can run.
    Ready,
    /// Runs, or has resumed the task that runs.
    Running,
    Waiting,
}

/// What a handler's task was started for.
pub(crate) struct Handled {
    /// The key of the request, in the keyed mode.
    pub(crate) key: Option<u64>,
    /// The method and the caller, for reports.
    pub(crate) call: Arc<str>,
}

/// A place for a task. Slots are used again, serial numbers are not.
pub(crate) struct Slot {
    /// Counts the simulation's tasks from 1.
    pub(crate) serial: u32,
    /// The node that it belongs to and dies with.
    pub(crate) node: NodeId,
    /// The method and the caller, if it handles a call.
    pub(crate) handles: Option<Arc<str>>,
    /// The line that spawned it.
    pub(crate) site: &'static Location<'static>,
    pub(crate) state: State,
    /// Changes whenever a wait ends, which makes the wait's [`Waiter`] stale.
    pub(crate) token: u64,
    /// Whether the last wait ended by its deadline.
    pub(crate) timed_out: bool,
    /// Dead: it only runs to unwind its stack, and nothing that it does takes effect.
    pub(crate) dead: bool,
    /// Dead and unwinding: it must not be told to unwind a second time.
    pub(crate) unwinding: bool,
    /// How much it has done since it is dead.
    pub(crate) dead_operations: u32,
    /// What it will run; `None` once started.
    pub(crate) body: Option<Box<dyn FnOnce()>>,
    /// Its stack; `None` before it starts and while it runs.
    pub(crate) fiber: Option<Fiber>,
    pub(crate) waiting: Option<Waiting>,
    /// The locks that it holds, oldest first.
    pub(crate) held: Vec<Held>,
    /// For `Policy::Pct`.
    pub(crate) priority: u32,
}

impl Slot {
    /// An empty slot.
    pub(crate) fn free() -> Self {
        Self {
            serial: 0,
            handles: None,
            node: NodeId::TEST,
            site: Location::caller(),
            state: State::Free,
            token: 0,
            timed_out: false,
            dead: false,
            unwinding: false,
            dead_operations: 0,
            body: None,
            fiber: None,
            waiting: None,
            held: Vec::new(),
            priority: 0,
        }
    }
}
