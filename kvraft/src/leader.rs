//! Finding the server that leads: ask one after the other, and remember who it was.

use std::time::Duration;

use labrpc::{ClientEnd, sleep};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::rpc::WrongLeader;

/// Pause after every server was asked in vain: an election takes several times as long, so asking
/// faster would only keep the servers busy.
const PAUSE: Duration = Duration::from_millis(20);

/// A client's way to the servers of one cluster.
#[derive(Clone, Debug)]
pub struct LeaderFinder {
    servers: Vec<ClientEnd>,
    /// Who led when last heard of.
    leader: usize,
}

impl LeaderFinder {
    /// Knows how to reach these servers, but not yet who leads them.
    pub fn new(servers: Vec<ClientEnd>) -> Self {
        Self { servers, leader: 0 }
    }

    /// Asks servers until one answers as the leader, for ever if need be. The request may be
    /// executed more than once, unless the servers see that it is the same.
    pub fn call<A: Serialize, R: DeserializeOwned>(&mut self, method: &str, args: &A) -> R {
        loop {
            if let Some(reply) = self.ask_everyone(method, args) {
                return reply;
            }
            sleep(PAUSE);
        }
    }

    /// Asks each server once, beginning with the one that led last, until one answers as the
    /// leader.
    pub fn ask_everyone<A: Serialize, R: DeserializeOwned>(
        &mut self,
        method: &str,
        args: &A,
    ) -> Option<R> {
        for _ in 0..self.servers.len() {
            // A call that got no reply is like one that asked the wrong server: the request may
            // have been executed, so it is sent again, unchanged.
            if let Ok(Ok(reply)) =
                self.servers[self.leader].call::<_, Result<R, WrongLeader>>(method, args)
            {
                return Some(reply);
            }
            self.leader = (self.leader + 1) % self.servers.len();
        }
        None
    }
}
