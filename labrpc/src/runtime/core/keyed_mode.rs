//! The keyed mode at work: what the accidents of tasks and tests are, and how they are told.

use std::panic::Location;

use contract::accidents::{Accident, AccidentKind};
use contract::recording::What;
use rand::RngExt as _;

use super::Core;
use crate::runtime::frames::own_frames;
use crate::runtime::keyed::{Draw, Keyed};

impl Core {
    /// For how long the current task stands still before its next operation, if it does.
    pub(super) fn keyed_stall(&self, keyed: &Keyed, on_server: bool) -> Option<u64> {
        let slot = self.current_slot();
        let (subject, nanos) = keyed.stall(slot).filter(|_| on_server)?;
        let text = || self.stall_in_words(keyed, nanos);
        self.happens(keyed, (subject, AccidentKind::Stall), None, text).then_some(nanos)
    }

    /// Decides whether an accident of this kind that the seed has drawn happens to a subject, which
    /// may be a message of a call; notes and records it.
    pub(crate) fn happens(
        &self,
        keyed: &Keyed,
        (subject, kind): (u64, AccidentKind),
        call: Option<u64>,
        text: impl FnOnce() -> String,
    ) -> bool {
        let accident = keyed.happens(subject, kind, self.now(), text);
        let happens = accident.is_some();
        if let Some(Accident { id, kind: what, text, .. }) = accident {
            self.draw(|| What::Accident { id, what, call, text });
        }
        happens
    }

    /// Which task stands still, where, and what it holds meanwhile.
    fn stall_in_words(&self, keyed: &Keyed, nanos: u64) -> String {
        let node = self.node_name(self.current_node());
        let (spawned, held) =
            self.with_current(|slot| (slot.site, slot.held.last().map(|held| held.at)));
        let time = millis(nanos);
        let frames = if keyed.tells_details() { own_frames() } else { Vec::new() };
        let Some(place) = frames.first() else {
            return format!("a task of {node}, spawned at {spawned}, stands still for {time}");
        };
        let lock = held.map_or(String::new(), |at| format!(", with the lock that it took at {at}"));
        format!("a task of {node} stands still for {time} in {place}{lock}")
    }

    /// Tosses the coin of `chance` for the test: yes is an accident.
    pub(crate) fn keyed_chance(
        &self,
        keyed: &Keyed,
        (n, d): (u32, u32),
        site: &'static Location<'static>,
    ) -> bool {
        let subject = keyed.toss(self.current_slot(), site);
        let is_drawn = keyed.generator(subject, Draw::User).random_ratio(n, d);
        is_drawn && self.coin_falls(keyed, subject, site)
    }

    /// Decides whether what the test has drawn happens.
    pub(crate) fn keyed_mishap(&self, keyed: &Keyed, site: &'static Location<'static>) -> bool {
        let subject = keyed.toss(self.current_slot(), site);
        self.coin_falls(keyed, subject, site)
    }

    /// Whether a coin may fall on its side that is not mild.
    fn coin_falls(&self, keyed: &Keyed, subject: u64, site: &'static Location<'static>) -> bool {
        let text = || format!("the test's coin at {}:{} falls", site.file(), site.line());
        let falls = self.happens(keyed, (subject, AccidentKind::Coin), None, text);
        if falls {
            keyed.await_effect(self.current_slot(), self.now());
        }
        falls
    }
}

/// A time in milliseconds or, if it is short, in microseconds.
pub(crate) fn millis(nanos: u64) -> String {
    match nanos {
        0..1_000_000 => format!("{} us", nanos / 1_000),
        _ => format!("{} ms", nanos / 1_000_000),
    }
}
