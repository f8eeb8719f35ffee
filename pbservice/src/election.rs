//! The choice of a primary: check, choose, promise.

use std::cmp::Reverse;
use std::net::SocketAddr;

use labrpc::Instant;
use log::{error, info};

use crate::given::version::{Epoch, FORGOTTEN, Version};
use crate::rpc::{CheckArgs, CheckReply, PromiseArgs, PromiseReply, Rumour};
use crate::state::{Heard, Role, State};
use crate::timing::{CANDIDACY, CHECK_PAUSE, CHECK_ROUND, CHOICES_IN_VAIN, DEAD_AFTER};

/// The rule: the server with the highest version, and among those with the same version the one
/// with the lowest address. `None` if there are no servers. Used by the grading tests.
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
    /// Each one that could be chosen was chosen in vain.
    Hopeless,
}

impl State {
    /// Whether it is time to check: there is no primary, or it was silent for too long.
    pub(crate) fn wants_to_check(&mut self, now: Instant) -> bool {
        match &mut self.role {
            Role::Backup { primary: Some(heard), .. } if heard.dead_at <= now => {
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
            Role::Primary(_) => Some(Heard { address: self.me, dead_at: now + DEAD_AFTER }),
        };
        let rumour = |Heard { address, dead_at }| Rumour { address, dead_in: dead_at - now };
        let primary = heard.map(rumour).filter(|rumour| !rumour.dead_in.is_zero());
        CheckReply { address: self.me, version: self.version(), promised: self.promised, primary }
    }

    /// What follows from the answers of other servers to a check by this one.
    pub(crate) fn evaluate_check(&self, answers: &[CheckReply], now: Instant) -> Finding {
        let mut all = vec![self.own_check_reply(now)];
        all.extend_from_slice(answers);
        let rumours = all.iter().filter_map(|answer| answer.primary);
        let missing = all.len() - rumours.clone().count();
        if let Some(freshest) = rumours.max_by_key(|rumour| rumour.dead_in) {
            // Whoever says that it is primary itself is alive. Otherwise a majority must miss it.
            let says_so = |answer: &CheckReply| {
                answer.primary.is_some_and(|rumour| rumour.address == answer.address)
            };
            if all.iter().any(says_so) || missing < self.majority() {
                return Finding::Alive(freshest);
            }
        }
        if self.is_beginning(&all) {
            return Finding::Unclear;
        }
        // A server whose log is damaged does not count: it may have forgotten what it acknowledged.
        let sound = all.iter().filter_map(|answer| Some((answer.address, answer.version?)));
        let sound: Vec<_> = sound.collect();
        if sound.len() < self.majority() {
            return Finding::Unclear;
        }
        let highest = all.iter().map(|answer| answer.promised).max().unwrap_or_default();
        // Whoever was chosen in vain a few times may not reach a majority itself. The next best
        // server may stand: whether its log is good enough is for those to say who promise.
        let is_hopeful = |&(address, _): &(SocketAddr, Version)| {
            self.in_vain.get(&address).is_none_or(|&times| times < CHOICES_IN_VAIN)
        };
        match choose(sound.into_iter().filter(is_hopeful)) {
            Some(chosen) if chosen == self.me => Finding::ChooseMe(highest + 1),
            Some(chosen) => Finding::Choose(chosen),
            None => Finding::Hopeless,
        }
    }

    /// Acts on the answers to a check that began at `asked`. Returns what to ask of the others if
    /// this server is to become primary. `next_check` is when it will check again, if need be.
    pub(crate) fn conclude_check(
        &mut self,
        answers: &[CheckReply],
        asked: Instant,
        now: Instant,
        next_check: Instant,
    ) -> Option<PromiseArgs> {
        // While the answers came in, a primary may have been heard of.
        let Role::Backup { primary: None, .. } = self.role else { return None };
        self.maybe_begin(answers);
        match self.evaluate_check(answers, now) {
            Finding::Alive(Rumour { address, dead_in }) if address != self.me => {
                // The answer came later than this: the rumour may get older, but never fresher.
                let dead_at = asked + dead_in.min(DEAD_AFTER);
                self.become_backup(Some(Heard { address, dead_at }), next_check);
            }
            Finding::Alive(_) | Finding::Unclear => self.become_backup(None, next_check),
            Finding::Choose(chosen) => {
                info!(target: "CHCK", "{self} finds that {chosen} shall be primary");
                *self.in_vain.entry(chosen).or_default() += 1;
                self.become_backup(None, next_check);
            }
            Finding::Hopeless => {
                self.in_vain.clear(); // From the beginning.
                self.become_backup(None, next_check);
            }
            Finding::ChooseMe(epoch) => {
                *self.in_vain.entry(self.me).or_default() += 1;
                self.become_candidate(epoch);
                let log = self.tail.whole();
                return Some(PromiseArgs { epoch, candidate: self.me, log });
            }
        }
        None
    }

    /// Answers the request for a promise.
    ///
    /// An epoch is promised once, so it has one primary at most; and only to a server whose log is
    /// not behind. What is done is on a majority, and every majority that promises has a server of
    /// that one: so the new primary has everything that was ever acknowledged.
    pub(crate) fn handle_promise(&mut self, args: &PromiseArgs, now: Instant) -> PromiseReply {
        let is_repeated = args.epoch == self.promised && self.promised_to == Some(args.candidate);
        let granted = args.epoch > self.promised
            && self.version().is_some_and(|version| version <= args.log.last)
            && !self.is_fork(args);
        if granted {
            self.promise(args.epoch);
            self.promised_to = Some(args.candidate);
            self.become_backup(None, now + CHECK_ROUND + CHECK_PAUSE);
            info!(target: "VOTE", "{self} is promised to {}", args.candidate);
        }
        PromiseReply { granted: granted || is_repeated }
    }

    /// Whether the candidate has other records under a version that this server has too. One of the
    /// two has forgotten a promise, and which one is not known here. If the candidate is elected by
    /// others, this server ends when it is sent what is committed.
    fn is_fork(&mut self, args: &PromiseArgs) -> bool {
        let ours = self.tail.prefix_at(args.log.last.order);
        let is_fork = ours.is_some_and(|ours| ours.last == args.log.last && ours != args.log);
        if is_fork && self.forks.insert(args.candidate) {
            let (candidate, version) = (args.candidate, args.log.last);
            error!(
                target: "VOTE",
                "{self} promises nothing to {candidate}, whose records up to {version} are others; \
                 {FORGOTTEN}"
            );
        }
        is_fork
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

    /// Counts a promise to a candidate that began to ask at `asked`. One of another epoch counts for
    /// nothing, and neither does one that comes too late: it may be forgotten by now.
    pub(crate) fn handle_promise_reply(
        &mut self,
        from: SocketAddr,
        sent: &PromiseArgs,
        reply: &PromiseReply,
        asked: Instant,
        now: Instant,
    ) {
        if let Role::Candidate { promises } = &mut self.role
            && sent.epoch == self.promised
            && reply.granted
            && now - asked <= CANDIDACY
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::given::tail::tests::at as version;
    use crate::given::version::Prefix;
    use crate::state::tests::{address, at, server};

    /// What a server answers to a check.
    fn answer(server: u8, log: Version, primary: Option<(u8, u64)>) -> CheckReply {
        let primary = primary.map(|(server, millis)| Rumour {
            address: address(server),
            dead_in: Duration::from_millis(millis),
        });
        CheckReply { address: address(server), version: Some(log), promised: 3, primary }
    }

    #[test]
    fn a_majority_must_miss_the_primary() {
        let state = server(1, &[1]);
        let heard = |server| answer(server, version(1, 1), Some((5, 400)));
        let missed = |server| answer(server, version(1, 1), None);
        let rumour = Rumour { address: address(5), dead_in: Duration::from_millis(400) };
        let is_alive = Finding::Alive(rumour);
        assert_eq!(state.evaluate_check(&[heard(2), heard(3), missed(4)], at(2.0)), is_alive);
        let finding = state.evaluate_check(&[heard(2), missed(3), missed(4)], at(2.0));
        assert_eq!(finding, Finding::ChooseMe(4));
        // It says so itself, though others miss it.
        let itself = answer(5, version(1, 1), Some((5, 1_000)));
        let finding = state.evaluate_check(&[itself, missed(3), missed(4)], at(2.0));
        assert!(
            matches!(finding, Finding::Alive(Rumour { address: alive, .. }) if alive == address(5))
        );
        assert_eq!(state.evaluate_check(&[missed(2)], at(2.0)), Finding::Unclear);
    }

    #[test]
    fn a_rumour_never_gets_fresher() {
        let mut state = server(1, &[1]);
        let answers: Vec<CheckReply> =
            (2..=5).map(|server| answer(server, version(1, 1), Some((5, 400)))).collect();
        state.conclude_check(&answers, at(0.1), at(0.3), at(0.5));
        assert_eq!(state.primary(), Some(address(5)));
        assert!(!state.wants_to_check(at(0.49)));
        assert!(state.wants_to_check(at(0.5)), "it was said to be dead by then");
    }

    #[test]
    fn who_is_chosen_in_vain_is_left_out() {
        let mut state = server(1, &[1]);
        let answers = [
            answer(2, version(3, 1), None),
            answer(3, version(2, 1), None),
            answer(4, version(1, 1), None),
        ];
        let mut findings = Vec::new();
        for _ in 0..=4 * CHOICES_IN_VAIN {
            findings.push(state.evaluate_check(&answers, at(1.0)));
            if state.conclude_check(&answers, at(1.0), at(1.0), at(1.0)).is_some() {
                state.step_down("nobody has promised", at(1.0));
            }
        }
        let chosen = |number| match findings[(number * CHOICES_IN_VAIN) as usize] {
            Finding::Choose(server) => Some(server),
            Finding::ChooseMe(_) => Some(address(1)),
            _ => None,
        };
        assert_eq!([0, 1, 2, 3].map(chosen), [2, 3, 1, 4].map(|server| Some(address(server))));
        assert_eq!(chosen(4), None, "then it begins again");
    }

    #[test]
    fn a_promise_that_comes_late_counts_for_nothing() {
        let mut state = server(1, &[1]);
        state.become_candidate(2);
        let args = PromiseArgs { epoch: 2, candidate: address(1), log: state.tail.whole() };
        let promise = |state: &mut State, from, now| {
            let reply = PromiseReply { granted: true };
            state.handle_promise_reply(address(from), &args, &reply, at(1.0), now);
        };
        promise(&mut state, 2, at(1.1));
        promise(&mut state, 3, at(1.0) + CANDIDACY + Duration::from_millis(1));
        assert!(!state.is_primary(), "the server that gave it may have forgotten it");
        promise(&mut state, 4, at(1.0) + CANDIDACY);
        assert!(state.is_primary());
    }

    #[test]
    fn nothing_is_promised_to_a_log_with_other_records() {
        let mut state = server(2, &[1, 1]);
        let log = state.tail.whole();
        let other = Prefix { chain: log.chain ^ 1, ..log };
        let mut ask = |epoch, log| {
            let args = PromiseArgs { epoch, candidate: address(1), log };
            state.handle_promise(&args, at(1.0)).granted
        };
        assert!(!ask(2, other));
        assert!(ask(2, log));
    }
}
