//! How clients find the server that leads (3A). The clients of lab 4 use it too.

use labrpc::{ClientEnd, your_code_here};
use serde::{Serialize, de::DeserializeOwned};

/// The servers of a cluster, as a client knows them.
#[derive(Debug, Clone)]
pub struct LeaderFinder {
    servers: Vec<ClientEnd>,
    // 3A: it is worth remembering which of them replied last.
}

impl LeaderFinder {
    /// These servers, in any order: their places say nothing about their numbers.
    pub fn new(servers: Vec<ClientEnd>) -> Self {
        LeaderFinder { servers }
    }

    /// 3A. Calls `method` on one server after the other until one returns `Ok(reply)`, forever if
    /// need be. After each round without a reply there is a pause of some milliseconds.
    ///
    /// The methods return `Result<R, WrongLeader>`, so a call has two errors to look at: no reply
    /// came, or the reply is that another server leads.
    pub fn call<A: Serialize, R: DeserializeOwned>(&mut self, method: &str, args: &A) -> R {
        your_code_here("LeaderFinder::call", (self, method, args))
    }

    /// As `call`, but gives up after one round. Lab 4B needs it, this lab does not.
    pub fn ask_everyone<A: Serialize, R: DeserializeOwned>(
        &mut self,
        method: &str,
        args: &A,
    ) -> Option<R> {
        your_code_here("LeaderFinder::ask_everyone", (&self.servers, method, args))
    }
}
