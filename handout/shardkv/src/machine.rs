//! The shards of a group: the state machine of this lab.

use kvraft::{Op, rsm::Request, rsm::StateMachine};
use labrpc::your_code_here;
use serde::{Deserialize, Serialize};
use shardctrler::{Gid, SHARDS};

/// The shard of a key.
pub fn key_to_shard(key: &str) -> usize {
    match key.as_bytes() {
        [first, ..] => *first as usize % SHARDS,
        [] => 0,
    }
}

/// An entry of the group's log.
#[derive(Debug, Serialize, Deserialize, Clone)]
pub enum Command {
    /// A client's request.
    Client(Request<Op>),
    // 4B: your variants here. Each change of what this group serves must happen on all its servers
    // between the same two requests, so it is an entry of the log.
}

/// The key is in a shard that this group does not serve.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, Clone, Copy)]
pub struct WrongGroup;

/// What a group says to a client's request: the value for a `Get`, and "" for the others.
pub type Answer = Result<String, WrongGroup>;

/// What a group knows: the same on all its servers.
pub struct Shards {
    gid: Gid,
    // 4B: your fields here. In which configuration is the group? What has it of each shard: the
    // values, and what it takes to execute each request once, in whichever group? How do both get
    // to the next group, and when may this one forget them?
}

impl Shards {
    /// What group `gid` knows before the first configuration.
    pub fn new(gid: Gid) -> Self {
        Shards { gid }
    }
}

impl StateMachine for Shards {
    type Reply = Answer;
    type Command = Command;

    /// The duplicate table of lab 3 does not know what other groups have executed. `Rsm::propose`
    /// goes past it.
    fn apply(&mut self, entry: Command) -> Answer {
        your_code_here("Shards::apply", (self.gid, entry))
    }

    fn snapshot(&self) -> Vec<u8> {
        your_code_here("Shards::snapshot", self)
    }

    fn restore(&mut self, snapshot: &[u8]) {
        your_code_here("Shards::restore", (self, snapshot))
    }
}
