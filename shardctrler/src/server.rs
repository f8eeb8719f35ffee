//! The server: RPC handlers over a replicated [`History`].

use kvraft::WrongLeader;
use kvraft::rsm::{Request, Rsm};
use labrpc::{ClientEnd, Persister, Service};
use raft::Raft;

use crate::history::History;
use crate::rpc::Op;

/// The size of the Raft state, in bytes, near which a server takes a snapshot. Queries go through
/// the log too, so clients that only query would make it grow forever.
const MAX_RAFT_STATE: usize = 8_000;

/// A server of the shard controller. Clones are the same server. Used by the grading tests.
#[derive(Clone, Debug)]
pub struct ShardCtrler(Rsm<History>);

impl ShardCtrler {
    /// Starts server `me`; `peers[i]` reaches server i. It goes on from what `persister` holds.
    pub fn new(peers: Vec<ClientEnd>, me: usize, persister: Persister) -> Self {
        Self(Rsm::new(peers, me, persister, Some(MAX_RAFT_STATE), History::default()))
    }

    /// The RPC handlers: those for clerks, and those for the other servers.
    pub fn services(&self) -> Vec<Service> {
        let rsm = self.0.clone();
        let execute = move |request: Request<Op>| rsm.submit(request).map_err(WrongLeader::from);
        vec![Service::new("ShardCtrler").method("Execute", execute), self.0.service()]
    }

    /// The Raft server below. Used by the grading tests.
    pub fn raft(&self) -> &Raft {
        self.0.raft()
    }

    /// Stops this server.
    pub fn kill(&self) {
        self.0.kill();
    }
}
