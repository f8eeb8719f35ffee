//! The client's side: sends each request until it is executed.

use labrpc::{ClientEnd, rng};
use rand::Rng;

use crate::leader::LeaderFinder;
use crate::rpc::Op;
use crate::rsm::{ClientId, Request};

/// A client of the service. Its calls wait until they succeed, however long that takes, and each
/// takes effect exactly once. Used by the grading tests.
#[derive(Debug)]
pub struct Clerk {
    servers: LeaderFinder,
    id: ClientId,
    /// Number of the last request.
    sequence: u64,
}

impl Clerk {
    /// A client that reaches the servers through these ends, in any order.
    pub fn new(servers: Vec<ClientEnd>) -> Self {
        // A random number, as no server hands out identities: two clerks have the same one with a
        // probability of 2^-64.
        Self { servers: LeaderFinder::new(servers), id: rng().next_u64(), sequence: 0 }
    }

    /// The value of a key, "" if it was never written.
    pub fn get(&mut self, key: &str) -> String {
        self.execute(Op::Get { key: key.to_string() })
    }

    /// Replaces the value of a key.
    pub fn put(&mut self, key: &str, value: &str) {
        self.execute(Op::Put { key: key.to_string(), value: value.to_string() });
    }

    /// Extends the value of a key.
    pub fn append(&mut self, key: &str, value: &str) {
        self.execute(Op::Append { key: key.to_string(), value: value.to_string() });
    }

    /// Has an operation executed, once.
    fn execute(&mut self, command: Op) -> String {
        self.sequence += 1;
        let request = Request { client: self.id, sequence: self.sequence, command };
        self.servers.call("Kv.Execute", &request)
    }
}
