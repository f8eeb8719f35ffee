//! What makes configurations happen: one task on each server, which works while the server leads.

use std::time::Duration;

use kvraft::LeaderFinder;
use kvraft::rsm::Rsm;
use labrpc::{JoinHandle, sleep, spawn};
use raft::{RaftState, Term};
use shardctrler::Clerk;

use crate::groups::Groups;
use crate::rpc::Handover;
use crate::store::{Command, ShardStore};

/// Pause when there was nothing to do, or it failed: how old a configuration may become before a
/// group hears of it. The handout asks for ten times a second.
const PAUSE: Duration = Duration::from_millis(100);

/// The task that sees to it that its group follows the controller.
///
/// It keeps no record of what it has begun. In each round it looks at the replicated state and does
/// what that asks for; doing it twice does no harm. So whoever leads next can go on from any point.
pub(crate) struct Migration {
    rsm: Rsm<ShardStore>,
    ctrler: Clerk,
    groups: Groups,
    /// The last term in which this server knew all that earlier leaders had decided.
    informed: Option<Term>,
}

impl Migration {
    /// The task of a server that has just started.
    pub(crate) fn new(rsm: Rsm<ShardStore>, ctrler: Clerk, groups: Groups) -> Self {
        Self { rsm, ctrler, groups, informed: None }
    }

    /// Works until the server is killed.
    pub(crate) fn run(mut self) {
        while !self.rsm.is_killed() {
            let progress = self.leads() && (self.hand_over_all() || self.begin_next());
            if !progress {
                sleep(PAUSE);
            }
        }
    }

    /// Whether this server leads, and knows all that was decided before its term.
    ///
    /// A new leader has entries of older terms that it may not commit before one of its own
    /// (§5.4.2): without a client it would never learn that a shard has come. So it begins with one
    /// (§8).
    fn leads(&mut self) -> bool {
        let RaftState { term, is_leader } = self.rsm.raft().state();
        if is_leader && self.informed != Some(term) && self.rsm.propose(Command::Nothing).is_ok() {
            self.informed = Some(term);
        }
        is_leader && self.informed == Some(term)
    }

    /// Hands over what is leaving, each shard by itself: one group that is down must not hold up
    /// the others. Returns whether any shard arrived.
    fn hand_over_all(&mut self) -> bool {
        let mut tasks: Vec<JoinHandle<bool>> = Vec::new();
        for (servers, handover) in self.rsm.peek(ShardStore::handovers) {
            let (rsm, group) = (self.rsm.clone(), self.groups.of_servers(&servers).clone());
            tasks.push(spawn(move || hand_over(&rsm, group, &handover)));
        }
        // Not `any`, which stops at the first: all must be over before the next round.
        tasks.into_iter().filter_map(|task| task.join().ok()).filter(|arrived| *arrived).count() > 0
    }

    /// Begins the next configuration, if there is one and its time has come.
    fn begin_next(&mut self) -> bool {
        let Some(num) = self.rsm.peek(ShardStore::next_num) else { return false };
        match self.ctrler.try_query(Some(num)) {
            Some(config) if config.num == num => {
                self.rsm.propose(Command::Configure(config)).is_ok()
            }
            _ => false, // There is none yet, or no controller was found.
        }
    }
}

/// Tries to hand over a shard, and lets go of it once its next owner has agreed that it has it:
/// only then is there no crash, of whole groups even, in which it could be lost.
fn hand_over(rsm: &Rsm<ShardStore>, mut group: LeaderFinder, handover: &Handover) -> bool {
    let Handover { num, shard, .. } = *handover;
    let arrived = group.ask_everyone::<_, ()>("ShardKv.Receive", handover).is_some();
    arrived && rsm.propose(Command::Discard { num, shard }).is_ok()
}
