//! The terms in which a server was seen, and when.

use std::time::Duration;

use labrpc::Instant;
use raft::RaftState;

/// An answer of a server that was asked for its state. It was in that state at some time between
/// the question and the answer: a server that stands still answers late.
pub struct Sighting {
    pub state: RaftState,
    pub asked: Instant,
    pub answered: Instant,
}

/// The terms in which a server was seen in one life, in their order.
#[derive(Clone, Default)]
pub struct Terms(Vec<Seen>);

/// What was seen of a server in one term.
#[derive(Clone)]
struct Seen {
    term: u64,
    /// When the first answer came that named this term: it began before.
    by: Instant,
    /// When the last question was asked whose answer named this term: it ended afterwards.
    until: Instant,
}

impl Terms {
    /// Notes a sighting, whose term is not earlier than the last one.
    pub fn note(&mut self, sighting: &Sighting) {
        let &Sighting { state: RaftState { term, .. }, asked, answered } = sighting;
        match self.0.last_mut().filter(|seen| seen.term == term) {
            Some(seen) => seen.until = asked,
            None => self.0.push(Seen { term, by: answered, until: asked }),
        }
    }

    /// The last term.
    pub fn last(&self) -> Option<u64> {
        self.0.last().map(|seen| seen.term)
    }

    /// The last term that was seen this long before `now`, or earlier.
    pub fn last_before(&self, now: Instant, age: Duration) -> Option<u64> {
        let old = self.0.iter().filter(|seen| now - seen.by >= age);
        old.map(|seen| seen.term).max()
    }

    /// A time by which the server was in `term` or a later one: the first that is known.
    pub fn reached_by(&self, term: u64) -> Option<Instant> {
        self.0.iter().find(|seen| seen.term >= term).map(|seen| seen.by)
    }

    /// A time until which the server was in an earlier term than `term`: the last that is known.
    pub fn below_until(&self, term: u64) -> Option<Instant> {
        self.0.iter().take_while(|seen| seen.term < term).last().map(|seen| seen.until)
    }
}
