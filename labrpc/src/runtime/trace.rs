//! The record of a simulation: the last events in a ring, and a running hash over all of them.
//!
//! Two runs are the same run exactly if their hashes are equal. So whatever decides what happens
//! next must end up in an event, and nothing else may: no address, no real time, no log line.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::activity::Activity;
use super::seconds::seconds;

/// How many events the ring keeps for the failure report.
const RING: usize = 4096;

/// Events are compared in blocks of this size when two replays run in lockstep.
pub(crate) const BLOCK: usize = 1024;

/// What an event records. The numbers are part of the hash: append, never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// A task was created: its serial number, its node.
    Spawn = 1,
    /// The scheduler handed control to the task.
    Run = 2,
    /// The task waits: why, until when.
    Wait = 3,
    /// The task ended.
    Exit = 4,
    /// The task was killed by a crash of its node.
    Kill = 5,
    /// The task was stalled: for how many nanoseconds.
    Stall = 6,
    /// A request entered the network: which end, a digest of its bytes.
    Send = 7,
    /// A request reached its server.
    Deliver = 8,
    /// The network ate a request or a reply.
    Drop = 9,
    /// A reply reached its caller: which end, a digest of its bytes.
    Reply = 10,
    /// The test changed the network: which verb, its operand.
    Fault = 11,
    /// A note of the test: a digest of its text.
    Note = 12,
    /// The task waits for a lock: which one.
    LockWait = 13,
}

/// One event; 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    /// Virtual time in nanoseconds.
    pub(crate) at: u64,
    /// Serial number of the task that caused it, 0 for the scheduler.
    pub(crate) task: u32,
    /// What happened.
    pub(crate) kind: Kind,
    /// First operand, see [`Kind`].
    pub(crate) a: u64,
    /// Second operand.
    pub(crate) b: u64,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, task, kind, a, b } = self;
        write!(f, "{} s, task {task}: {kind:?} {a} {b:x}", seconds(*at))
    }
}

/// The end of a channel to the comparison of two runs.
struct Listener {
    events: SyncSender<Vec<Event>>,
    /// Events that have not been sent yet.
    block: Vec<Event>,
    /// Of the run: the watchdog must not suspect the faster of two runs while it waits for the
    /// slower one.
    activity: Arc<Activity>,
}

impl Listener {
    /// Sends the block. False if the listener has seen enough; then the run need not go on.
    fn send(&mut self) -> bool {
        let block = std::mem::take(&mut self.block);
        let sent = self.activity.excused(|| self.events.send(block)).is_ok();
        if !sent {
            self.activity.request_stop();
        }
        sent
    }
}

/// The record of one simulation.
pub(crate) struct Trace {
    ring: Vec<Event>,
    count: u64,
    hash: u64,
    recording: bool,
    /// Where a lockstep comparison wants the events, and the block being filled for it.
    listener: Option<Listener>,
}

impl Trace {
    /// An empty record. Without `recording` events are neither kept nor hashed; only benchmarks
    /// that measure the cost of recording do that.
    pub(crate) fn new(recording: bool) -> Self {
        Self { ring: Vec::new(), count: 0, hash: 0x6824, recording, listener: None }
    }

    /// Sends every event to `listener` too, in blocks.
    pub(crate) fn listen(&mut self, events: SyncSender<Vec<Event>>, activity: Arc<Activity>) {
        self.listener = Some(Listener { events, activity, block: Vec::with_capacity(BLOCK) });
    }

    /// Records one event.
    pub(crate) fn push(&mut self, event: Event) {
        if !self.recording {
            return;
        }
        let head = u64::from(event.task) << 8 | event.kind as u64;
        self.hash = fold(self.hash ^ event.at, head ^ 0x9e37_79b9_7f4a_7c15);
        self.hash = fold(self.hash ^ event.a, event.b ^ 0xd1b5_4a32_d192_ed03);
        if self.ring.len() < RING {
            self.ring.push(event);
        } else {
            self.ring[self.count as usize % RING] = event;
        }
        self.count += 1;
        if let Some(listener) = &mut self.listener {
            listener.block.push(event);
            if listener.block.len() == BLOCK && !listener.send() {
                self.listener = None;
            }
        }
    }

    /// Sends the events of a last, unfinished block to the listener.
    pub(crate) fn finish(&mut self) {
        if let Some(mut listener) = self.listener.take() {
            listener.send();
        }
    }

    /// The hash over all events so far.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// How many events there were so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The events that the ring still holds, oldest first.
    pub(crate) fn recent(&self) -> impl Iterator<Item = &Event> {
        let start = if self.ring.len() < RING { 0 } else { self.count as usize % RING };
        self.ring[start..].iter().chain(&self.ring[..start])
    }
}

/// A digest of some bytes, equal on every platform.
pub(crate) fn digest(bytes: &[u8]) -> u64 {
    let mut hash = fold(bytes.len() as u64 ^ 0x6824, 0x9e37_79b9_7f4a_7c15);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = u64::from_le_bytes(chunk.try_into().expect("chunks of eight bytes"));
        hash = fold(hash ^ word, 0xd1b5_4a32_d192_ed03);
    }
    let mut last = [0; 8];
    last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    fold(hash ^ u64::from_le_bytes(last), 0xd1b5_4a32_d192_ed03)
}

/// Multiplies to 128 bits and folds the halves: every input bit reaches every output bit.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64 ^ (product >> 64) as u64).rotate_left(29) ^ a
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event at time `at`.
    fn event(at: u64) -> Event {
        Event { at, task: 1, kind: Kind::Run, a: 0, b: 0 }
    }

    #[test]
    fn ring_keeps_the_last_events_in_order() {
        let mut trace = Trace::new(true);
        for at in 0..RING as u64 + 10 {
            trace.push(event(at));
        }
        let kept: Vec<u64> = trace.recent().map(|event| event.at).collect();
        assert_eq!(kept.len(), RING);
        assert_eq!((kept[0], kept[RING - 1]), (10, RING as u64 + 9));
        assert_eq!(trace.count(), RING as u64 + 10);
    }

    #[test]
    fn hash_depends_on_order_and_on_every_field() {
        let hash = |events: &[Event]| {
            let mut trace = Trace::new(true);
            events.iter().for_each(|event| trace.push(*event));
            trace.hash()
        };
        let base = [event(1), event(2)];
        assert_eq!(hash(&base), hash(&base));
        assert_ne!(hash(&base), hash(&[event(2), event(1)]));
        for changed in [
            Event { task: 2, ..event(2) },
            Event { kind: Kind::Wait, ..event(2) },
            Event { a: 1, ..event(2) },
            Event { b: 1, ..event(2) },
        ] {
            assert_ne!(hash(&base), hash(&[event(1), changed]));
        }
    }

    #[test]
    fn digest_depends_on_length_and_on_every_byte() {
        assert_ne!(digest(b""), digest(b"\0"));
        assert_ne!(digest(b"\0"), digest(b"\0\0"));
        let text = *b"twenty bytes of text";
        for i in 0..text.len() {
            let mut changed = text;
            changed[i] ^= 1;
            assert_ne!(digest(&text), digest(&changed), "byte {i}");
        }
    }
}
