//! What happens at which virtual time: wake-ups of tasks, and closures such as a message's arrival.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::task::Waiter;

/// What a timer does when its time has come.
pub(crate) enum Action {
    /// Ends a wait, unless something else has ended it before.
    Wake(Waiter),
    /// Runs on the scheduler's own stack, and so must not wait.
    Call(Box<dyn FnOnce()>),
}

/// One entry of the heap; ordered by time, then by the order of registration.
struct Timer {
    at: u64,
    seq: u64,
    action: Action,
}

impl Timer {
    /// Time and order of registration as one number, which compares without a branch.
    fn key(&self) -> u128 {
        u128::from(self.at) << 64 | u128::from(self.seq)
    }
}

/// All timers that have not struck yet.
#[derive(Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<Timer>>,
    next_seq: u64,
}

impl Timers {
    /// Registers `action` for virtual time `at`, in nanoseconds.
    pub(crate) fn push(&mut self, at: u64, action: Action) {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.heap.push(Reverse(Timer { at, seq, action }));
    }

    /// The time of the earliest timer, stale ones included.
    pub(crate) fn next_at(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse(timer)| timer.at)
    }

    /// Takes the earliest timer if its time has come by `now`.
    pub(crate) fn pop_due(&mut self, now: u64) -> Option<Action> {
        let earliest = self.heap.peek_mut()?;
        if earliest.0.at > now {
            return None;
        }
        Some(PeekMut::pop(earliest).0.action)
    }

    /// Drops timers at the front for which `is_stale` holds, so that the clock never jumps to one.
    pub(crate) fn drop_stale(&mut self, is_stale: impl Fn(Waiter) -> bool) {
        while let Some(earliest) = self.heap.peek_mut() {
            match &earliest.0.action {
                Action::Wake(waiter) if is_stale(*waiter) => drop(PeekMut::pop(earliest)),
                _ => return,
            }
        }
    }

    /// Takes all timers, for the caller to drop once it no longer borrows them from here.
    pub(crate) fn take_all(&mut self) -> Vec<Action> {
        self.heap.drain().map(|Reverse(timer)| timer.action).collect()
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The waiter whose token tells the tests' timers apart.
    fn waiter(token: u64) -> Waiter {
        Waiter { index: 0, token }
    }

    /// Tokens of the wake-ups due by `now`, in the order in which they strike.
    fn due(timers: &mut Timers, now: u64) -> Vec<u64> {
        std::iter::from_fn(|| match timers.pop_due(now)? {
            Action::Wake(waiter) => Some(waiter.token),
            Action::Call(_) => None,
        })
        .collect()
    }

    #[test]
    fn strike_in_order_of_time_then_of_registration() {
        let mut timers = Timers::default();
        for (at, token) in [(30, 1), (10, 2), (10, 3), (20, 4)] {
            timers.push(at, Action::Wake(waiter(token)));
        }
        assert_eq!(timers.next_at(), Some(10));
        assert_eq!(due(&mut timers, 20), [2, 3, 4]);
        assert_eq!(due(&mut timers, 29), [] as [u64; 0]);
        assert_eq!(due(&mut timers, 30), [1]);
    }

    #[test]
    fn stale_ones_at_the_front_are_dropped() {
        let mut timers = Timers::default();
        for (at, token) in [(10, 1), (20, 2), (30, 3)] {
            timers.push(at, Action::Wake(waiter(token)));
        }
        timers.drop_stale(|waiter| waiter.token != 2);
        assert_eq!(timers.next_at(), Some(20));
    }
}
