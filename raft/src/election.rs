//! Leader election (§5.2) and its restriction (§5.4.1).

use ::log::info;
use labrpc::Instant;

use crate::PeerId;
use crate::rpc::{Message, RequestVoteArgs, RequestVoteReply};
use crate::state::{Role, State};

impl State {
    /// A follower that has not heard of a leader until its deadline stands for election, and a
    /// candidate that has not won until then stands again. Figure 2, rules for both: election
    /// timeout elapses (§5.2). In a cluster of one the server has won at once.
    pub(crate) fn maybe_start_election(&mut self, now: Instant, fresh_deadline: Instant) {
        if self.election_deadline().is_some_and(|deadline| now >= deadline) {
            self.become_candidate(fresh_deadline);
            self.maybe_win_election();
        }
    }

    /// RequestVote RPC, receiver implementation (Figure 2).
    pub(crate) fn handle_request_vote(
        &mut self,
        args: &RequestVoteArgs,
        fresh_deadline: Instant,
    ) -> RequestVoteReply {
        self.observe_term(args.term, fresh_deadline);
        let vote_granted = args.term == self.current_term // step 1
            && self.voted_for.is_none_or(|id| id == args.candidate_id) // step 2, §5.2
            && args.last_log >= self.log.last(); // step 2, §5.4.1
        if vote_granted {
            self.voted_for = Some(args.candidate_id);
            // Only a granted vote postpones this server's own election: otherwise a candidate with
            // an old log, which cannot win, could keep the others from standing.
            self.postpone_election(fresh_deadline);
            info!(target: "VOTE", "{self} granted to S{}", args.candidate_id);
        }
        RequestVoteReply { term: self.current_term, vote_granted }
    }

    /// Counts a vote. One that was cast in an older term counts for nothing. Figure 2, rules for
    /// candidates: votes received from a majority.
    pub(crate) fn handle_vote_reply(
        &mut self,
        from: PeerId,
        sent: &RequestVoteArgs,
        reply: &RequestVoteReply,
        fresh_deadline: Instant,
    ) {
        self.observe_term(reply.term, fresh_deadline);
        if sent.term != self.current_term || !reply.vote_granted {
            return;
        }
        if let Role::Candidate { votes, .. } = &mut self.role {
            votes.insert(from);
            self.maybe_win_election();
        }
    }

    /// §5.2: a candidate with the votes of a majority becomes leader.
    fn maybe_win_election(&mut self) {
        if let Role::Candidate { votes, .. } = &self.role
            && votes.len() >= self.majority()
        {
            self.become_leader();
        }
    }

    /// A candidate asks all others for their votes, once. Figure 2, rules for candidates: send
    /// RequestVote RPCs to all other servers.
    pub(crate) fn take_vote_requests(&mut self) -> Vec<(PeerId, Message)> {
        let Role::Candidate { asked: asked @ false, .. } = &mut self.role else {
            return Vec::new();
        };
        *asked = true;
        let args = RequestVoteArgs {
            term: self.current_term,
            candidate_id: self.me,
            last_log: self.log.last(),
        };
        self.others().map(|peer| (peer, Message::RequestVote(args.clone()))).collect()
    }
}

#[cfg(test)]
mod tests;
