//! The client's side: sends each request until it is executed.

use std::collections::BTreeMap;

use kvraft::LeaderFinder;
use kvraft::rsm::{ClientId, Request};
use labrpc::{ClientEnd, rng};
use rand::Rng;

use crate::config::{Config, Gid};
use crate::rpc::Op;

/// A client of the controller. Its calls wait until they succeed, however long that takes, and each
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
        Self { servers: LeaderFinder::new(servers), id: rng().next_u64(), sequence: 0 }
    }

    /// Adds groups, with the names of their servers, and balances. A group that is in already keeps
    /// its servers; nothing happens if all are. [`NO_GROUP`](crate::NO_GROUP) cannot join.
    pub fn join(&mut self, groups: BTreeMap<Gid, Vec<String>>) {
        self.execute(Op::Join { groups });
    }

    /// Removes groups, and shares their shards out among the others. Nothing happens if none of
    /// them is in.
    pub fn leave(&mut self, gids: &[Gid]) {
        self.execute(Op::Leave { gids: gids.to_vec() });
    }

    /// Moves one shard to a group, and balances nothing: the next join or leave may undo it.
    /// Nothing happens if there is no such shard or group. Makes a new configuration even if the
    /// group had the shard already.
    pub fn move_shard(&mut self, shard: usize, gid: Gid) {
        self.execute(Op::Move { shard, gid });
    }

    /// The configuration with a number; the latest, if that is `None` or does not exist yet. The
    /// latest has all in it that was done before this call.
    pub fn query(&mut self, num: Option<u64>) -> Config {
        self.execute(Op::Query { num })
    }

    /// As [`Clerk::query`], but asks each server only once: `None` if none of them answers as
    /// leader.
    pub fn try_query(&mut self, num: Option<u64>) -> Option<Config> {
        let request = self.request(Op::Query { num });
        self.servers.ask_everyone("ShardCtrler.Execute", &request)
    }

    /// Has a request executed, once.
    fn execute(&mut self, command: Op) -> Config {
        let request = self.request(command);
        self.servers.call("ShardCtrler.Execute", &request)
    }

    /// The next request.
    fn request(&mut self, command: Op) -> Request<Op> {
        self.sequence += 1;
        Request { client: self.id, sequence: self.sequence, command }
    }
}
