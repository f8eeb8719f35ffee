//! All shards of a group: the pure state machine that its servers replicate.

use kvraft::Op;
use kvraft::rsm::{Request, StateMachine};
use labrpc::{decode, encode};
use log::info;
use serde::{Deserialize, Serialize};
use shardctrler::{Config, Gid, NO_GROUP, SHARDS};

use crate::rpc::{Handover, WrongGroup};
use crate::shard::{Shard, key_to_shard};

/// What a group's log consists of. Whatever changes what the group serves is in it, so all its
/// servers make the change at the same place between the same requests.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Command {
    /// Nothing happens. Once a new leader has had this applied, it knows all that was agreed on
    /// before.
    Nothing,
    /// A client's request is executed, if the group serves its shard.
    Execute(Request<Op>),
    /// The next configuration begins.
    Configure(Config),
    /// An awaited shard has come.
    Install(Handover),
    /// A leaving shard has arrived at its next owner.
    Discard {
        /// In which configuration it was given away.
        num: u64,
        /// Which shard.
        shard: usize,
    },
}

/// The shards of one group, in its current configuration.
///
/// Invariants:
/// * configurations follow each other without a gap, and the next begins only when this one is
///   [settled](ShardStore::is_settled);
/// * a shard that is `Serving` here is `Serving` nowhere else: copies elsewhere are `Leaving`, and
///   will only be dropped.
#[derive(Clone, Debug)]
pub(crate) struct ShardStore {
    gid: Gid,
    state: State,
}

/// What goes into snapshots.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    config: Config,
    /// Whose each shard is in the current configuration or, if it is nobody's, was before.
    last_owners: [Gid; SHARDS],
    shards: [Shard; SHARDS],
}

impl ShardStore {
    /// The shards of group `gid` before the first configuration: none.
    pub(crate) fn new(gid: Gid) -> Self {
        Self { gid, state: State::default() }
    }

    /// The number of the configuration that comes next, once this one is settled.
    pub(crate) fn next_num(&self) -> Option<u64> {
        self.is_settled().then_some(self.state.config.num + 1)
    }

    /// Whether every shard is where the configuration wants it, as far as this group is concerned.
    fn is_settled(&self) -> bool {
        (0..SHARDS).all(|shard| match self.state.shards[shard] {
            Shard::Absent | Shard::Serving(_) => true,
            Shard::Awaited => false,
            Shard::Leaving(_) => self.state.config.shards[shard] == NO_GROUP,
        })
    }

    /// What is to be handed over, and to which servers.
    pub(crate) fn handovers(&self) -> Vec<(Vec<String>, Handover)> {
        let State { config, shards, .. } = &self.state;
        let handover = |(shard, state): (usize, &Shard)| {
            let Shard::Leaving(contents) = state else { return None };
            let servers = config.groups.get(&config.shards[shard])?; // None: it is nobody's.
            let handover = Handover { num: config.num, shard, contents: contents.clone() };
            Some((servers.clone(), handover))
        };
        shards.iter().enumerate().filter_map(handover).collect()
    }

    /// Whether this shard is to come, in just this configuration.
    pub(crate) fn awaits(&self, num: u64, shard: usize) -> bool {
        num == self.state.config.num && self.state.shards[shard] == Shard::Awaited
    }

    /// Whether this shard, which a configuration gave to this group, has come.
    pub(crate) fn has_received(&self, num: u64, shard: usize) -> bool {
        // A later configuration has begun only because the shard had come.
        num <= self.state.config.num && !self.awaits(num, shard)
    }

    /// Executes a client's request.
    fn execute(&mut self, request: Request<Op>) -> Result<String, WrongGroup> {
        match &mut self.state.shards[key_to_shard(request.command.key())] {
            Shard::Serving(contents) => Ok(contents.execute(request)),
            Shard::Absent | Shard::Awaited | Shard::Leaving(_) => Err(WrongGroup),
        }
    }

    /// Begins a configuration, if it is the next and its time has come.
    fn configure(&mut self, config: Config) {
        if self.next_num() != Some(config.num) {
            return; // Two leaders may have had the same idea.
        }
        info!(target: "CONF", "G{} begins configuration {}", self.gid, config.num);
        let State { last_owners, shards, .. } = &mut self.state;
        for (shard, &owner) in config.shards.iter().enumerate() {
            shards[shard].reassign(self.gid, last_owners[shard], owner);
            if owner != NO_GROUP {
                last_owners[shard] = owner;
            }
        }
        self.state.config = config;
    }

    /// Takes a shard in, if it is awaited.
    fn install(&mut self, Handover { num, shard, contents }: Handover) {
        if num == self.state.config.num {
            info!(target: "MOVE", "G{} has shard {shard} of configuration {num}", self.gid);
            self.state.shards[shard].install(contents);
        }
    }

    /// Lets go of a shard, if it was on its way since this configuration.
    fn discard(&mut self, num: u64, shard: usize) {
        if num == self.state.config.num {
            info!(target: "MOVE", "G{} lets go of shard {shard} of configuration {num}", self.gid);
            self.state.shards[shard].discard();
        }
    }
}

impl StateMachine for ShardStore {
    type Command = Command;
    /// To a client's request, what the client is told; "" to the others.
    type Reply = Result<String, WrongGroup>;

    fn apply(&mut self, command: Command) -> Self::Reply {
        match command {
            Command::Nothing => {}
            Command::Execute(request) => return self.execute(request),
            Command::Configure(config) => self.configure(config),
            Command::Install(handover) => self.install(handover),
            Command::Discard { num, shard } => self.discard(num, shard),
        }
        Ok(String::new())
    }

    fn snapshot(&self) -> Vec<u8> {
        encode(&self.state)
    }

    fn restore(&mut self, snapshot: &[u8]) {
        self.state = decode(snapshot).expect("a snapshot is what some server's store has made");
    }
}

#[cfg(test)]
mod tests;
