//! The server: RPC handlers over a replicated [`ShardStore`].

use std::sync::Arc;

use kvraft::rsm::{Request, Rsm};
use kvraft::{Op, WrongLeader};
use labrpc::{ClientEnd, Persister, Service, spawn};
use shardctrler::Gid;

use crate::groups::Groups;
use crate::migration::Migration;
use crate::rpc::{Handover, WrongGroup};
use crate::store::{Command, ShardStore};

/// A server of a group. Clones are the same server. Used by the grading tests.
#[derive(Clone, Debug)]
pub struct ShardKv(Rsm<ShardStore>);

impl ShardKv {
    /// Starts server `me` of group `gid`; `peers[i]` reaches server i of the group, `ctrler_ends`
    /// the shard controller, and `make_end` makes an end to any server by its name. The server goes
    /// on from what `persister` holds. It takes a snapshot whenever the persisted Raft state comes
    /// near `max_raft_state` bytes, and never without such a limit.
    pub fn new(
        peers: Vec<ClientEnd>,
        me: usize,
        persister: Persister,
        max_raft_state: Option<usize>,
        gid: Gid,
        ctrler_ends: Vec<ClientEnd>,
        make_end: impl Fn(&str) -> ClientEnd + Send + Sync + 'static,
    ) -> Self {
        let rsm = Rsm::new(peers, me, persister, max_raft_state, ShardStore::new(gid));
        let ctrler = shardctrler::Clerk::new(ctrler_ends);
        let migration = Migration::new(rsm.clone(), ctrler, Groups::new(Arc::new(make_end)));
        spawn(move || migration.run());
        Self(rsm)
    }

    /// The RPC handlers: those for clerks and other groups, and those for the servers of this one.
    pub fn services(&self) -> Vec<Service> {
        let (clients, groups) = (self.clone(), self.clone());
        let service = Service::new("ShardKv")
            .method("Execute", move |request| clients.execute(request))
            .method("Receive", move |handover| groups.receive(handover));
        vec![service, self.0.service()]
    }

    /// A client's request. Whether the group serves the shard is decided where the request stands
    /// in the log: it may lose the shard while the request waits.
    fn execute(&self, request: Request<Op>) -> Result<Result<String, WrongGroup>, WrongLeader> {
        self.0.propose(Command::Execute(request)).map_err(WrongLeader::from)
    }

    /// A shard from the group that had it before. An answer without an error means that this group
    /// will never lose it again, so that the other may.
    ///
    /// It comes again until it is answered: before this group has come to the configuration, and
    /// after it has left that behind.
    fn receive(&self, handover: Handover) -> Result<(), WrongLeader> {
        let Handover { num, shard, .. } = handover;
        if self.0.peek(|store| store.awaits(num, shard)) {
            self.0.propose(Command::Install(handover))?.ok(); // Says nothing: the state does.
        }
        // What a server has applied was agreed on, so any server's yes is good.
        self.0.peek(|store| store.has_received(num, shard)).then_some(()).ok_or(WrongLeader)
    }

    /// Stops this server.
    pub fn kill(&self) {
        self.0.kill();
    }
}
