//! The recording of a simulated run: everything that happened, for a picture of it.
//!
//! A recording is a file of JSON lines, see `docs/recording.md`: one [`Run`], then the [`Event`]s in
//! the order in which they happened, then one [`End`]. labrpc and testkit make the events, testkit
//! writes the file, and the command line reads it.

use std::collections::BTreeMap;

#[cfg(feature = "record")]
use serde::{Deserialize, Serialize};

use crate::accidents::{AccidentId, AccidentKind};

/// Incremented when a field changes its meaning or is removed.
pub const VERSION: u32 = 1;

/// The first line: which run it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "record", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "record", serde(tag = "kind", rename = "run"))]
pub struct Run {
    /// [`VERSION`].
    pub version: u32,
    /// The package and the test's full name: `raft log_2b::backup_2b`.
    pub test: String,
    /// The package: `raft`.
    pub lab: String,
    /// The seed.
    pub seed: u64,
    /// The name of the policy.
    pub policy: String,
    /// The setting of the accidents that might happen; `None` for an ordinary run.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Option::is_none"))]
    pub only: Option<String>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "record", derive(Serialize, Deserialize))]
pub struct Event {
    /// Virtual time in microseconds since the start. It never decreases.
    pub at: u64,
    /// The serial number of the task that did it; 0 for the scheduler, which carries messages.
    pub task: u32,
    /// The node of that task; `test` for the test and its clients, empty for the scheduler.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "String::is_empty"))]
    pub node: String,
    /// What happened.
    #[cfg_attr(feature = "record", serde(flatten))]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "record", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "record", serde(tag = "kind", rename_all = "lowercase"))]
pub enum What {
    /// The task has started another one.
    Spawn {
        /// The other task's serial number.
        child: u32,
        /// Its node.
        on: String,
    },
    /// A request has entered the network.
    Request {
        /// The number of the call, counted from 1.
        call: u64,
        /// The name of the caller's end: `S0.1>S2`.
        end: String,
        /// The server or client that owns the end; empty if the end has no owner.
        from: String,
        /// The server that the end leads to; empty if it leads nowhere.
        to: String,
        /// `Service.Method`.
        method: String,
        /// The length of the encoded arguments.
        bytes: u64,
        /// The arguments in words.
        args: String,
    },
    /// A handler begins.
    Arrive {
        /// The number of the call.
        call: u64,
    },
    /// A handler has returned.
    Return {
        /// The number of the call.
        call: u64,
        /// The length of the encoded reply.
        bytes: u64,
        /// The reply in words.
        reply: String,
    },
    /// A reply is held back for long.
    Held {
        /// The number of the call.
        call: u64,
        /// For how long, in microseconds.
        micros: u64,
    },
    /// The caller has the reply.
    Reply {
        /// The number of the call.
        call: u64,
    },
    /// The caller is told that no reply comes.
    Lost {
        /// The number of the call.
        call: u64,
        /// Why.
        why: Loss,
    },
    /// A line of the log.
    Log {
        /// Four capital letters or digits.
        topic: String,
        /// The message.
        text: String,
    },
    /// A server has saved something.
    Save {
        /// `persister`, or an operation of the disk: `append log`, `sync log`.
        what: String,
        /// Bytes of the Raft state, or of what was appended.
        state: u64,
        /// Bytes of the snapshot.
        #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "is_zero"))]
        snapshot: u64,
    },
    /// The harness sees a server in another state than before. Harnesses look now and then, so this
    /// comes late.
    State(State),
    /// The test or the policy interferes.
    Fault(Fault),
    /// An accident happens, in a run whose accidents can be chosen.
    Accident {
        /// Its identity.
        id: AccidentId,
        /// Its kind.
        what: AccidentKind,
        /// The call whose request or reply it happens to.
        #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Option::is_none"))]
        call: Option<u64>,
        /// What happens, as a sentence.
        text: String,
    },
    /// The network's switches have changed.
    Network {
        /// `unreliable`, `reliable`, `long delays` and the like.
        text: String,
    },
    /// A client begins an operation.
    Begin {
        /// The number of the operation, counted from 0.
        operation: u64,
        /// The client's name, as in [`What::Request`].
        client: String,
        /// `Append("k", "x")`.
        text: String,
        /// The key.
        #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Option::is_none"))]
        key: Option<String>,
    },
    /// An operation has returned.
    Complete {
        /// The number of the operation.
        operation: u64,
        /// The result.
        text: String,
    },
    /// A server or group serves a shard from now on.
    Shard {
        /// The shard's number.
        shard: u64,
        /// Who serves it.
        owner: String,
    },
    /// A remark of the test.
    Note {
        /// The remark.
        text: String,
    },
    /// The test has found a broken property.
    Violation {
        /// What should hold.
        property: String,
        /// What was seen instead.
        actual: String,
        /// Where and when the mistake was made, as far as the test knows.
        #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Option::is_none"))]
        culprit: Option<Culprit>,
    },
}

/// Why a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "record", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "record", serde(rename_all = "lowercase"))]
pub enum Loss {
    /// The server could not be reached when the request was sent.
    Unreachable,
    /// The network lost the request.
    Request,
    /// The server was gone, or the path cut, when the request arrived.
    Gone,
    /// The handler was killed.
    #[cfg_attr(feature = "record", serde(rename = "handler died"))]
    HandlerDied,
    /// The path was cut, or the server replaced, while the handler ran or the reply travelled.
    Cut,
    /// The network lost the reply.
    Reply,
}

/// What the harness sees of a server. A field that the harness does not know is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "record", derive(Serialize, Deserialize))]
pub struct State {
    /// The server.
    pub server: String,
    /// Its term.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Option::is_none"))]
    pub term: Option<u64>,
    /// `leader` or `follower`.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Option::is_none"))]
    pub role: Option<String>,
    /// The last index that it applied in this incarnation.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Option::is_none"))]
    pub applied: Option<u64>,
    /// Whether it runs.
    pub up: bool,
    /// Whether its links are open; cuts and partitions do not count.
    pub connected: bool,
}

impl State {
    /// Whether it leads, runs, and is connected.
    pub fn leads(&self) -> bool {
        self.role.as_deref() == Some("leader") && self.up && self.connected
    }
}

/// An interference of the test or the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "record", derive(Serialize, Deserialize))]
pub struct Fault {
    /// `start`, `crash`, `kill`, `shutdown`, `connect`, `disconnect`, `cut`, `mend`,
    /// `hold requests`, `hold replies`, `pass`, `release`, `partition`, `heal`, `reach`, `reach all`
    /// or `stall`.
    pub verb: String,
    /// The servers that it is done to; of those that are done to a link the caller and
    /// the called.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub servers: Vec<String>,
    /// The sides of a partition.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub sides: Vec<Vec<String>>,
    /// For how long, in microseconds; of a stall.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Option::is_none"))]
    pub micros: Option<u64>,
}

/// Where and when a mistake was made, as far as a test knows. It is often earlier than the moment
/// at which the test notices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "record", derive(Serialize, Deserialize))]
pub struct Culprit {
    /// The server or group that made it.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Option::is_none"))]
    pub server: Option<String>,
    /// The servers or groups that it is at odds with.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub others: Vec<String>,
    /// Virtual time in microseconds.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Option::is_none"))]
    pub at: Option<u64>,
    /// The term.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Option::is_none"))]
    pub term: Option<u64>,
    /// The index in the log.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Option::is_none"))]
    pub index: Option<u64>,
    /// The numbers of the operations that together are illegal.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub operations: Vec<u64>,
    /// The shard.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Option::is_none"))]
    pub shard: Option<u64>,
}

impl Culprit {
    /// The server or group with this name, now.
    pub fn of(server: impl Into<String>) -> Self {
        Self { server: Some(server.into()), ..Self::default() }
    }
}

/// The last line: how the run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "record", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "record", serde(tag = "kind", rename = "end"))]
pub struct End {
    /// Virtual time in microseconds.
    pub at: u64,
    /// `passed`, `failed` or `unknown`.
    pub result: String,
    /// The report of a failing run.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Option::is_none"))]
    pub report: Option<String>,
    /// The hash of the trace: 16 hexadecimal digits.
    pub hash: String,
    /// What the recording does not have, and how often: see `docs/recording.md`.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "BTreeMap::is_empty"))]
    pub left_out: BTreeMap<String, u64>,
    /// The stretches of time, in microseconds, of which no more than repetitions is left out; empty
    /// if that is so for the whole run.
    #[cfg_attr(feature = "record", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub whole: Vec<[u64; 2]>,
}

/// Appends a line of the file, with its newline, to a text.
#[cfg(feature = "record")]
pub fn push_line(text: &mut Vec<u8>, line: &impl Serialize) {
    serde_json::to_writer(&mut *text, line).expect("a line has only plain fields");
    text.push(b'\n');
}

/// Whether a number is left out of the JSON.
#[cfg(feature = "record")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(all(test, feature = "record"))]
mod tests;
