//! How a primary is chosen.

use std::{net::SocketAddr, sync::Arc};

use labrpc::your_code_here;
#[allow(unused_imports, reason = "for rounds of questions: see Peers::ask_all and take_until")]
use labrpc::{Instant, channel};

use crate::rpc::{CheckArgs, CheckReply};
use crate::rpc::{PingArgs, PingReply, PromiseArgs, PromiseReply};
use crate::{Version, server::Server, state::State};

/// PB2. The lecture's rule. Which of two versions is higher, and which of two addresses is lower?
/// `None` if there is no server.
pub fn choose(servers: impl IntoIterator<Item = (SocketAddr, Version)>) -> Option<SocketAddr> {
    your_code_here("choose", servers.into_iter())
}

impl Server {
    /// PB1. Whether this server is a backup that has heard of no primary lately. This is called at
    /// each tick.
    pub fn misses_primary(&self) -> bool {
        your_code_here("Server::misses_primary", self)
    }

    /// PB1. A backup calls `Pb.Ping` on its primary. The call may take seconds to fail, and the
    /// next tick must not wait for it: see `labrpc::spawn`.
    ///
    /// A primary has something to look at here, too: does it still reach enough backups?
    pub fn ping(self: &Arc<Self>) {
        your_code_here("Server::ping", self)
    }

    /// PB1. Asks all others with `Pb.Check` for their versions, for a while. If the rule names this
    /// server, it asks with `Pb.Promise` whether the others will follow it in a new epoch.
    ///
    /// PB2: How many answers does it take before the rule can be applied, and how many promises?
    /// What if the server that is named does not become primary?
    pub fn look_for_primary(self: &Arc<Self>) {
        your_code_here("Server::look_for_primary", self)
    }
}

#[allow(dead_code, reason = "the handlers in server.rs will call these")]
impl State {
    /// PB1. A backup pings this server, which may not be primary.
    pub fn answer_ping(&mut self, args: PingArgs) -> PingReply {
        your_code_here("State::answer_ping", (self, args))
    }

    /// PB1. Another server misses the primary and asks what this one knows.
    pub fn answer_check(&mut self, args: CheckArgs) -> CheckReply {
        your_code_here("State::answer_check", (self, args))
    }

    /// PB2. Another server wants to be primary of an epoch. When must this one refuse? Compare
    /// RequestVote in Figure 2 of the extended Raft paper.
    pub fn answer_promise(&mut self, args: PromiseArgs) -> PromiseReply {
        your_code_here("State::answer_promise", (self, args))
    }
}
