//! Finding the server that leads: asks one after the other, and remembers which one led.

use std::time::Duration;

use labrpc::{ClientEnd, sleep};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::rpc::WrongLeader;

/// Pause after a whole round without success: an election takes several times as long, so asking
/// faster would only keep the servers busy.
const PAUSE: Duration = Duration::from_millis(20);

/// A client's way to the servers of one cluster.
#[derive(Clone, Debug)]
pub struct LeaderFinder {
    servers: Vec<ClientEnd>,
    /// The server that answered last as leader, or the next to ask.
    leader: usize,
}

impl LeaderFinder {
    /// Knows how to reach these servers, but not yet which of them leads.
    pub fn new(servers: Vec<ClientEnd>) -> Self {
        Self { servers, leader: 0 }
    }

    /// Asks servers until one answers as the leader, forever if need be. The request may be
    /// executed more than once, unless the servers recognise that it is the same.
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
