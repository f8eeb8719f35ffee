//! The server: what clients can call.

use labrpc::{ClientEnd, Persister, Service, your_code_here};

use crate::rsm::{Request, Rsm};
use crate::{KvStore, Op, WrongLeader};

/// A server of the key/value service. A clone is the same server.
#[derive(Debug, Clone)]
pub struct KvServer {
    rsm: Rsm<KvStore>,
}

impl KvServer {
    /// Starts server `me` of the cluster that `peers` reach. It knows what it saved in `persister`
    /// before. 3B: its Raft state should stay smaller than `max_raft_state` bytes; without that
    /// limit it takes no snapshots.
    pub fn new(
        peers: Vec<ClientEnd>,
        me: usize,
        persister: Persister,
        max_raft_state: Option<usize>,
    ) -> Self {
        let store = KvStore::default();
        KvServer { rsm: Rsm::new(peers, me, persister, max_raft_state, store) }
    }

    /// The RPC handlers: for clients, and those of Raft.
    pub fn services(&self) -> Vec<Service> {
        let mut service = Service::new("Kv");
        let server = self.clone();
        service = service.method("Execute", move |args| server.serve(args));
        vec![service, self.rsm.service()]
    }

    /// 3A. A client's request. The handler may wait: each call runs in a task of its own.
    fn serve(&self, args: Request<Op>) -> Result<String, WrongLeader> {
        your_code_here("KvServer::serve", (self, args))
    }

    /// Whether this server believes that it leads.
    pub fn is_leader(&self) -> bool {
        self.rsm.raft().state().is_leader
    }

    /// Stops this server.
    pub fn kill(&self) {
        self.rsm.kill();
    }
}
