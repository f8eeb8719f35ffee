//! A round of checks, and the request for promises that may follow it.

use std::net::SocketAddr;
use std::sync::Arc;

use labrpc::{Instant, channel, rng};
use rand::RngExt as _;

use crate::given::peers::take_until;
use crate::rpc::{CheckArgs, CheckReply, PromiseArgs, PromiseReply};
use crate::server::Server;
use crate::timing::{CHECK_JITTER, CHECK_PAUSE, CHECK_ROUND, PROMISE_ROUND, PROMISE_TRIES};

impl Server {
    /// Asks all servers for address and version, waits a while for the answers, and finds out who
    /// shall be primary. If that is this server, asks the others to promise.
    pub(crate) fn check_and_stand(self: &Arc<Self>) {
        let Ok(args) = self.update(|state| CheckArgs {
            address: state.me,
            version: state.version().unwrap_or_default(),
        }) else {
            return;
        };
        let asked = Instant::now();
        let mut answers: Vec<CheckReply> = Vec::new();
        let (sender, receiver) = channel();
        self.peers.ask_all("Pb.Check", &args, &sender);
        drop(sender);
        take_until(&receiver, asked + CHECK_ROUND, |(_, answer)| {
            answers.push(answer);
            true
        });
        let jitter = CHECK_JITTER.mul_f64(f64::from(rng().random_range(0..1_000_u32)) / 1_000.0);
        let stand = self.update_on_disk(|state| {
            let now = Instant::now();
            state.conclude_check(&answers, asked, now, now + CHECK_PAUSE + jitter)
        });
        if let Ok(Some(args)) = stand {
            self.ask_for_promises(&args); // The new epoch is on the own disk.
            self.copy_to_all(args.epoch);
        }
    }

    /// Asks the others to promise, a few times: answers may be lost.
    fn ask_for_promises(self: &Arc<Self>, args: &PromiseArgs) {
        // A server that is alone needs nobody else's. Whoever has ended needs nothing.
        self.update(|state| state.maybe_take_office(Instant::now())).ok();
        let asked = Instant::now();
        // One way for the answers of all tries: one that comes late counts as well.
        let (sender, receiver) = channel();
        for _ in 0..PROMISE_TRIES {
            self.peers.ask_all("Pb.Promise", args, &sender);
            let round_is_over = Instant::now() + PROMISE_ROUND;
            take_until(&receiver, round_is_over, |(from, reply): (SocketAddr, PromiseReply)| {
                let is_candidate = self.update(|state| {
                    state.handle_promise_reply(from, args, &reply, asked, Instant::now());
                    state.is_candidate(args.epoch)
                });
                is_candidate == Ok(true)
            });
            if self.update(|state| state.is_candidate(args.epoch)) != Ok(true) {
                return;
            }
        }
        self.update(|state| state.give_up(args.epoch, Instant::now())).ok(); // As above.
    }
}
