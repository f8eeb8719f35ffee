//! All configurations that there have been: the state machine of this lab (4A).

use kvraft::rsm::StateMachine;
use labrpc::your_code_here;

use crate::{Config, rpc::Op};

/// The configurations so far; `configs[num]` has the number `num`.
pub struct Configs {
    configs: Vec<Config>,
}

impl Configs {
    /// Only the first configuration.
    pub fn new() -> Self {
        Configs { configs: vec![Config::default()] }
    }
}

impl StateMachine for Configs {
    type Reply = Config;
    type Command = Op;

    /// Adds a configuration, if the operation makes one. A server that panics here will do so again
    /// after each restart, and all other servers with it: what about a shard or a group that does
    /// not exist?
    fn apply(&mut self, operation: Op) -> Config {
        your_code_here("Configs::apply", (&mut self.configs, operation))
    }

    fn snapshot(&self) -> Vec<u8> {
        your_code_here("Configs::snapshot", self)
    }

    fn restore(&mut self, snapshot: &[u8]) {
        your_code_here("Configs::restore", (self, snapshot))
    }
}
