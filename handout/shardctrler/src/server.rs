//! The server: what clients can call.

use kvraft::WrongLeader;
use kvraft::rsm::{Request, Rsm};
use labrpc::{ClientEnd, Persister, Service, your_code_here};
use raft::Raft;

use crate::{Config, machine::Configs, rpc::Op};

/// How many bytes of Raft state a server should not exceed.
const MAX_RAFT_STATE: Option<usize> = Some(8_000);

/// A server of the controller. A clone is the same server.
#[derive(Debug, Clone)]
pub struct ShardCtrler {
    rsm: Rsm<Configs>,
}

impl ShardCtrler {
    /// Starts server `me` of the cluster that `peers` reach. It knows what it saved in `persister`
    /// before.
    pub fn new(peers: Vec<ClientEnd>, me: usize, persister: Persister) -> Self {
        let machine = Configs::new();
        ShardCtrler { rsm: Rsm::new(peers, me, persister, MAX_RAFT_STATE, machine) }
    }

    /// The RPC handlers: for clients, and those of Raft.
    pub fn services(&self) -> Vec<Service> {
        let mut service = Service::new("ShardCtrler");
        let server = self.clone();
        service = service.method("Execute", move |args| server.serve(args));
        vec![service, self.rsm.service()]
    }

    /// 4A. A client's request.
    fn serve(&self, args: Request<Op>) -> Result<Config, WrongLeader> {
        your_code_here("ShardCtrler::serve", (self, args))
    }

    /// The Raft server of this server.
    pub fn raft(&self) -> &Raft {
        self.rsm.raft()
    }

    /// Stops this server.
    pub fn kill(&self) {
        self.rsm.kill();
    }
}
