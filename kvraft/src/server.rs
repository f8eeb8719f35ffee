//! The server: RPC handlers over a replicated [`KvStore`].

use labrpc::{ClientEnd, Persister, Service};

use crate::rpc::{Op, WrongLeader};
use crate::rsm::{Request, Rsm};
use crate::store::KvStore;

/// A server of the key/value service. Clones are the same server. Used by the grading tests.
#[derive(Clone, Debug)]
pub struct KvServer(Rsm<KvStore>);

impl KvServer {
    /// Starts server `me`; `peers[i]` reaches server i. It goes on from what `persister` holds. It
    /// takes a snapshot whenever the persisted Raft state comes near `max_raft_state` bytes, and
    /// never without such a limit.
    pub fn new(
        peers: Vec<ClientEnd>,
        me: usize,
        persister: Persister,
        max_raft_state: Option<usize>,
    ) -> Self {
        Self(Rsm::new(peers, me, persister, max_raft_state, KvStore::default()))
    }

    /// The RPC handlers: those for clerks, and those for the other servers.
    pub fn services(&self) -> Vec<Service> {
        let rsm = self.0.clone();
        let execute = move |request: Request<Op>| rsm.submit(request).map_err(WrongLeader::from);
        vec![Service::new("Kv").method("Execute", execute), self.0.service()]
    }

    /// Whether this server believes that it leads.
    pub fn is_leader(&self) -> bool {
        self.0.raft().state().is_leader
    }

    /// Stops this server.
    pub fn kill(&self) {
        self.0.kill();
    }
}
