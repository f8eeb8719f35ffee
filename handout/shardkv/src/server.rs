//! A server of a group: what clients can call, and the task that follows the controller.

use std::{fmt, sync::Arc, time::Duration};

use kvraft::{Op, WrongLeader, rsm::Request, rsm::Rsm};
use labrpc::{ClientEnd, Persister, Service, sleep, spawn, your_code_here};
use shardctrler::Gid;

use crate::MakeEnd;
use crate::machine::{Answer, Shards};

/// A server of a group. A clone is the same server.
#[derive(Clone)]
pub struct ShardKv {
    gid: Gid,
    rsm: Rsm<Shards>,
    /// `(self.make_end)("server-100-0")` is an end to the server of that name.
    make_end: MakeEnd,
}

/// How often a server asks the controller for a new configuration.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

impl ShardKv {
    /// Starts server `me` of group `gid`, whose servers `peers` reach. It reaches the controller
    /// through `ctrler_ends`, and makes an end to a server of another group from its name. It knows
    /// what it saved in `persister` before. Its Raft state should stay smaller than
    /// `max_raft_state` bytes; without that limit it takes no snapshots.
    pub fn new(
        peers: Vec<ClientEnd>,
        me: usize,
        persister: Persister,
        max_raft_state: Option<usize>,
        gid: Gid,
        ctrler_ends: Vec<ClientEnd>,
        make_end: impl Fn(&str) -> ClientEnd + Send + Sync + 'static,
    ) -> Self {
        let rsm = Rsm::new(peers, me, persister, max_raft_state, Shards::new(gid));
        let server = ShardKv { gid, rsm, make_end: Arc::new(make_end) };
        let (follower, ctrler) = (server.clone(), shardctrler::Clerk::new(ctrler_ends));
        spawn(move || follower.run_migration(ctrler));
        server
    }

    /// The RPC handlers, for clients and for the other servers of this group.
    ///
    /// 4B: and for other groups. The method "Execute" shows how to add one.
    pub fn services(&self) -> Vec<Service> {
        let mut service = Service::new("ShardKv");
        let server = self.clone();
        service = service.method("Execute", move |args| server.serve(args));
        vec![service, self.rsm.service()]
    }

    /// 4B. A client's request. A server that does not lead cannot know whether the group serves the
    /// key.
    fn serve(&self, args: Request<Op>) -> Result<Answer, WrongLeader> {
        your_code_here("ShardKv::serve", (self, args))
    }

    /// The task that sees to it that the group does what the controller says, while this server
    /// leads.
    fn run_migration(&self, mut ctrler: shardctrler::Clerk) {
        let rsm = &self.rsm;
        while !rsm.is_killed() {
            if rsm.raft().state().is_leader {
                self.follow_controller(&mut ctrler);
            }
            sleep(POLL_INTERVAL);
        }
    }

    /// 4B. Does what is to be done at the moment: begins the next configuration, hands over shards.
    /// Everything that must survive a crash of this server is in the log, so another server can go
    /// on from there.
    fn follow_controller(&self, ctrler: &mut shardctrler::Clerk) {
        your_code_here("ShardKv::follow_controller", (self.gid, &self.make_end, ctrler))
    }

    /// Stops this server.
    pub fn kill(&self) {
        self.rsm.kill();
    }
}

impl fmt::Debug for ShardKv {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "a server of group {}", self.gid)
    }
}
