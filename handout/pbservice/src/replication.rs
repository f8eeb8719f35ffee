//! How backups get the primary's log.

use std::{net::SocketAddr, sync::Arc};

use labrpc::{spawn, your_code_here};

use crate::rpc::{CopyArgs, CopyReply, InstallArgs, InstallReply};
use crate::{Epoch, server::Server, state::State};

/// The primary.
impl Server {
    /// Starts a task for each backup. Call this when the server has become primary.
    #[allow(dead_code, reason = "nothing calls it before there is a primary")]
    pub fn start_copying(self: &Arc<Self>, in_epoch: Epoch) {
        let peers = Arc::clone(&self.peers);
        for backup in peers.others() {
            let server = self.clone();
            spawn(move || server.keep_up_to_date(backup, in_epoch));
        }
    }

    /// PB1. The task for one backup, until the server's time as primary of `epoch` is over.
    ///
    /// `self.shell.wait_for` waits until there is something to send. `self.peers.call_within` sends
    /// it. How long to wait for the reply depends on the link: `Patience` keeps account of that. A
    /// call that failed at once must not be repeated at once.
    ///
    /// PB2: a read needs to know that a majority still follows this server. The same message can
    /// ask that. PB3: a backup that lacks records which are in no log any more needs a snapshot.
    fn keep_up_to_date(self: &Arc<Self>, peer: SocketAddr, epoch: Epoch) {
        your_code_here("Server::keep_up_to_date", (self, peer, epoch))
    }
}

/// The backup.
#[allow(dead_code, reason = "the handlers in server.rs will call these")]
impl State {
    /// PB1. The primary of some epoch sends records. Does this server follow it? PB2: does its log
    /// agree with the primary's before these records? Which of its own records have to go? Compare
    /// AppendEntries in Figure 2 of the extended Raft paper.
    ///
    /// Change `tail` and push the same change to `writes`.
    pub fn store(&mut self, args: CopyArgs) -> CopyReply {
        your_code_here("State::store", (self, args))
    }

    /// PB3. The primary sends a snapshot, as this server's log is too far behind or was found to be
    /// damaged. It may come late, and twice. See `Write::Install` and `Write::Repair`.
    pub fn install(&mut self, args: InstallArgs) -> InstallReply {
        your_code_here("State::install", (self, args))
    }
}
