//! The choice of a primary: check, choose, promise.

use std::cmp::Reverse;
use std::net::SocketAddr;

use labrpc::Instant;
use log::info;

use crate::rpc::{CheckArgs, CheckReply, PromiseArgs, PromiseReply, Rumour};
use crate::state::{Epoch, Heard, Role, State};
use crate::timing::{CHECK_PAUSE, CHECK_ROUND, DEAD_AFTER};
use crate::version::Version;

/// The rule: the server with the highest version, and among those with the same version the one with
/// the lowest address. `None` if there are no servers. Used by the grading tests.
///
/// Addresses are compared as numbers, IP first, then port: 10.0.0.9 is lower than 10.0.0.10.
pub fn choose(servers: impl IntoIterator<Item = (SocketAddr, Version)>) -> Option<SocketAddr> {
    let best = servers.into_iter().max_by_key(|&(address, version)| (version, Reverse(address)));
    best.map(|(address, _)| address)
}

/// What follows from the answers to a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// A primary is alive, as far as others know.
    Alive(Rumour),
    /// Too few servers have answered, or miss a primary.
    Unclear,
    /// The primary is dead, and the rule names another server.
    Choose(SocketAddr),
    /// The primary is dead, and the rule names this server, in this epoch.
    ChooseMe(Epoch),
}

impl State {
    /// Whether it is time to check: there is no primary, or it was silent for too long.
    pub(crate) fn wants_to_check(&mut self, now: Instant) -> bool {
        match &mut self.role {
            Role::Backup { primary: Some(heard), .. } if now - heard.at >= DEAD_AFTER => {
                let dead = heard.address;
                info!(target: "PING", "{self} takes {dead} for dead");
                self.become_backup(None, now);
                true
            }
            Role::Backup { primary: Some(_), .. } | Role::Primary(_) => false,
            Role::Backup { primary: None, next_check } => *next_check <= now,
            Role::Candidate { .. } => false,
        }
    }

    /// Answers a check.
    pub(crate) fn handle_check(&self, args: &CheckArgs, now: Instant) -> CheckReply {
        let CheckArgs { address, version } = args;
        log::debug!(target: "CHCK", "{self} is checked by {address}, whose log ends at {version}");
        self.own_check_reply(now)
    }

    /// What this server itself knows.
    fn own_check_reply(&self, now: Instant) -> CheckReply {
        let heard = match &self.role {
            Role::Backup { primary, .. } => *primary,
            Role::Candidate { .. } => None,
            Role::Primary(_) => Some(Heard { address: self.me, at: now }),
        };
        let rumour = |Heard { address, at }| Rumour { address, silent_for: now - at };
        let primary = heard.map(rumour).filter(|rumour| rumour.silent_for < DEAD_AFTER);
        CheckReply { address: self.me, version: self.version(), promised: self.promised, primary }
    }

    /// What follows from the answers of other servers to a check by this one.
    pub(crate) fn evaluate_check(&self, answers: &[CheckReply], now: Instant) -> Finding {
        let mut all = vec![self.own_check_reply(now)];
        all.extend_from_slice(answers);
        let rumours = all.iter().filter_map(|answer| answer.primary);
        let missing = all.len() - rumours.clone().count();
        if let Some(freshest) = rumours.min_by_key(|rumour| rumour.silent_for) {
            // Whoever says that it is primary itself is alive. Otherwise a majority must miss it.
            if freshest.silent_for.is_zero() || missing < self.majority() {
                return Finding::Alive(freshest);
            }
        }
        if missing < self.majority() {
            return Finding::Unclear;
        }
        // A server whose log is damaged does not count: it may have forgotten what it acknowledged.
        let sound = all.iter().filter_map(|answer| Some((answer.address, answer.version?)));
        let sound: Vec<_> = sound.collect();
        if sound.len() < self.majority() {
            return Finding::Unclear;
        }
        let highest = all.iter().map(|answer| answer.promised).max().unwrap_or_default();
        match choose(sound) {
            Some(chosen) if chosen == self.me => Finding::ChooseMe(highest + 1),
            Some(chosen) => Finding::Choose(chosen),
            None => Finding::Unclear,
        }
    }

    /// Acts on the answers to a check that began at `asked`. Returns what to ask of the others if this
    /// server is to become primary. `next_check` is when it will check again, if need be.
    pub(crate) fn conclude_check(
        &mut self,
        answers: &[CheckReply],
        asked: Instant,
        now: Instant,
        next_check: Instant,
    ) -> Option<PromiseArgs> {
        // While the answers came in, a primary may have been heard of.
        let Role::Backup { primary: None, .. } = self.role else { return None };
        match self.evaluate_check(answers, now) {
            Finding::Alive(Rumour { address, silent_for }) if address != self.me => {
                // The answer came later than this: the rumour may get older, but never fresher.
                let at = asked - silent_for;
                self.become_backup(Some(Heard { address, at }), next_check);
            }
            Finding::Alive(_) | Finding::Unclear => self.become_backup(None, next_check),
            Finding::Choose(chosen) => {
                info!(target: "CHCK", "{self} finds that {chosen} shall be primary");
                self.become_backup(None, next_check);
            }
            Finding::ChooseMe(epoch) => {
                self.become_candidate(epoch);
                let version = self.tail.version();
                return Some(PromiseArgs { epoch, candidate: self.me, version });
            }
        }
        None
    }

    /// Answers the request for a promise.
    ///
    /// An epoch is promised once, so it has one primary at most; and only to a server whose log is not
    /// behind. What is done is on a majority, and every majority that promises has a server of that
    /// one: so the new primary has everything that was ever acknowledged.
    pub(crate) fn handle_promise(&mut self, args: &PromiseArgs, now: Instant) -> PromiseReply {
        let is_repeated = args.epoch == self.promised && self.promised_to == Some(args.candidate);
        let granted = args.epoch > self.promised
            && self.version().is_some_and(|version| version <= args.version);
        if granted {
            self.promise(args.epoch);
            self.promised_to = Some(args.candidate);
            self.become_backup(None, now + CHECK_ROUND + CHECK_PAUSE);
            info!(target: "VOTE", "{self} is promised to {}", args.candidate);
        }
        PromiseReply { granted: granted || is_repeated }
    }

    /// Whether this server still asks for promises of this epoch.
    pub(crate) fn is_candidate(&self, epoch: Epoch) -> bool {
        self.promised == epoch && matches!(self.role, Role::Candidate { .. })
    }

    /// Stops to ask for promises of this epoch.
    pub(crate) fn give_up(&mut self, epoch: Epoch, now: Instant) {
        if self.is_candidate(epoch) {
            self.step_down("too few have promised", now);
        }
    }

    /// Counts a promise. One of another epoch counts for nothing.
    pub(crate) fn handle_promise_reply(
        &mut self,
        from: SocketAddr,
        sent: &PromiseArgs,
        reply: &PromiseReply,
        now: Instant,
    ) {
        if let Role::Candidate { promises } = &mut self.role
            && sent.epoch == self.promised
            && reply.granted
        {
            promises.insert(from);
            self.maybe_take_office(now);
        }
    }

    /// A candidate to whom a majority has promised becomes primary.
    pub(crate) fn maybe_take_office(&mut self, now: Instant) {
        if let Role::Candidate { promises } = &self.role
            && promises.len() >= self.majority()
        {
            self.become_primary(now);
        }
    }
}
