//! The client (4A).

use std::collections::BTreeMap;

use kvraft::LeaderFinder;
use labrpc::{ClientEnd, your_code_here};

use crate::{Config, Gid, rpc::Op};

/// A client of the controller: an administrator, or a group of lab 4B. Its calls return when they
/// have succeeded. It makes one call at a time.
#[derive(Debug)]
pub struct Clerk {
    servers: LeaderFinder,
    // 4A: what tells this client's requests from all others, as in lab 3.
}

impl Clerk {
    /// A client of the servers that these ends reach. They come in any order.
    pub fn new(servers: Vec<ClientEnd>) -> Self {
        Clerk { servers: LeaderFinder::new(servers) }
    }

    /// Adds groups with these servers. A group that is there already keeps its servers, and
    /// `NO_GROUP` cannot join. If no group is added, no new configuration is needed.
    pub fn join(&mut self, groups: BTreeMap<Gid, Vec<String>>) {
        self.request(Op::Join(groups));
    }

    /// Removes groups. If none of them is there, no new configuration is needed.
    pub fn leave(&mut self, gids: &[Gid]) {
        self.request(Op::Leave(gids.into()));
    }

    /// Gives a shard to a group, and moves no other. No new configuration is needed if the group has
    /// the shard already, or if there is no such shard or group.
    pub fn move_shard(&mut self, shard: usize, gid: Gid) {
        self.request(Op::Move(shard, gid));
    }

    /// The configuration with this number; the latest for `None`, and for a number that there is
    /// not yet.
    pub fn query(&mut self, num: Option<u64>) -> Config {
        self.request(Op::Query(num))
    }

    /// As `query`, but asks each server at most once: `None` if none of them replies as leader.
    /// Lab 4B needs it, this lab does not.
    pub fn try_query(&mut self, num: Option<u64>) -> Option<Config> {
        your_code_here("Clerk::try_query", (self, num))
    }

    /// 4A. Has an operation executed once.
    fn request(&mut self, operation: Op) -> Config {
        your_code_here("Clerk::request", (&mut self.servers, operation))
    }
}
