//! What a failure report says of the tasks: which waits for what, since when, and which is in the
//! way.

use std::collections::BTreeMap;
use std::panic::Location;
use std::time::Duration;

use super::Core;
use crate::runtime::failure::{Failure, FailureKind};
use crate::runtime::frames::{all_frames, own_frames};
use crate::runtime::seconds::seconds;
use crate::runtime::task::{Slot, State, Wait};

/// A wait for a lock or a receiver that lasts longer than this, in virtual nanoseconds, is
/// reported.
const LONG_WAIT: u64 = 1_000_000_000;

/// A list in the report ends after this number of lines.
const MOST_LINES: usize = 50;

impl Core {
    /// A failure, as far as it can be seen at this moment.
    pub(super) fn observe(&self, kind: FailureKind, message: String) -> Failure {
        let everyone = matches!(kind, FailureKind::Deadlock | FailureKind::TimeLimit);
        Failure {
            kind,
            message,
            location: None,
            at: Duration::from_nanos(self.now()),
            seed: self.seed,
            policy: Some(self.policy),
            only: self.keyed.as_ref().map(|keyed| keyed.setting()),
            task: self.in_task().then(|| self.current_task()),
            waits: self.waits(everyone),
            busy_calls: Vec::new(),
            held_locks: self.held_locks(),
            log: Vec::new(),
            events: Vec::new(),
            divergence: None,
            frames: Vec::new(),
            backtrace: None,
        }
    }

    /// Adds to the failure which functions the current task is in.
    pub(crate) fn note_frames(&self) {
        // They take time to find, so only the run whose log is kept looks for them.
        if self.recent_lines.wanted() {
            let (frames, backtrace) = (own_frames(), all_frames());
            self.amend_failure(|failure| {
                failure.frames = frames;
                failure.backtrace = backtrace;
            });
        }
    }

    /// The current task in one line.
    pub(crate) fn current_task(&self) -> String {
        self.with_current(|slot| self.describe(slot))
    }

    /// A task in a few words.
    pub(super) fn describe(&self, slot: &Slot) -> String {
        let (node, serial) = (self.node_name(slot.node), slot.serial);
        match &slot.handles {
            Some(call) => format!("{node}: task {serial}, which handles {call},"),
            None => format!("{node}: task {serial} spawned at {}", slot.site),
        }
    }

    /// One line for each task that holds or awaits a lock, or waits for a receiver, for long; with
    /// `everyone` set, one for each task that waits at all. Tasks of one server that were spawned at
    /// the same place and wait at the same place share a line.
    fn waits(&self, everyone: bool) -> Vec<String> {
        let is_long = |since: u64| self.now() - since > LONG_WAIT;
        self.with_slots(|slots| {
            let mut lines: Vec<(String, usize)> = Vec::new();
            let mut groups = BTreeMap::new();
            for slot in oldest_first(slots).into_iter().filter(|slot| slot.state != State::Free) {
                if let Some(waiting) = slot.waiting {
                    let telling = matches!(waiting.what, Wait::Lock(_) | Wait::Send);
                    if everyone || (telling && is_long(waiting.since)) {
                        let like_it = (slot.node.0, slot.site, waiting.at);
                        let line = *groups.entry(like_it).or_insert(lines.len());
                        match lines.get_mut(line) {
                            Some((_, tasks)) => *tasks += 1,
                            None => lines.push((self.wait_line(slots, slot), 1)),
                        }
                    }
                }
                for held in slot.held.iter().filter(|held| everyone || is_long(held.since)) {
                    let task = self.describe(slot);
                    let since = seconds(held.since);
                    let line =
                        format!("{task} holds the lock it took at {} since {since} s", held.at);
                    lines.push((line, 1));
                }
            }
            let line = |(line, tasks): (String, usize)| match tasks {
                1 => line,
                _ => format!("{line} (and {} more like it)", tasks - 1),
            };
            cut(lines.into_iter().map(line).collect())
        })
    }

    /// What a waiting task waits for.
    fn wait_line(&self, slots: &[Slot], slot: &Slot) -> String {
        let Some(waiting) = slot.waiting else { return self.describe(slot) };
        let task = self.describe(slot);
        let mut line = format!(
            "{task} waits for {} at {} since {} s",
            waiting.what,
            waiting.at,
            seconds(waiting.since)
        );
        if let Wait::Lock(lock) = waiting.what
            && let Some(owner) =
                slots.iter().find(|other| other.held.iter().any(|h| h.lock == lock))
            && let Some(held) = owner.held.iter().find(|held| held.lock == lock)
        {
            line += &format!(", held by {}, which took it at {}", self.describe(owner), held.at);
        }
        line
    }

    /// Locks that were held while their owner waited for an RPC, a sleep or a receiver.
    fn held_locks(&self) -> Vec<String> {
        let mut all = self.held_over.borrow().clone();
        self.with_slots(|slots| {
            for slot in slots {
                if let Some(waiting) = slot.waiting.filter(|_| slot.state != State::Free) {
                    for held in &slot.held {
                        let so_far = self.now() - waiting.since;
                        all.add(held.at, waiting.what, waiting.at, so_far);
                    }
                }
            }
        });
        cut(all.lines())
    }

    /// Says how many tasks there are, and where most of them come from.
    pub(super) fn too_many_tasks(&self) -> String {
        self.with_slots(|slots| {
            let mut sites = BTreeMap::<&Location<'_>, usize>::new();
            let alive = slots.iter().filter(|slot| slot.state != State::Free);
            alive.clone().for_each(|slot| *sites.entry(slot.site).or_default() += 1);
            let most = sites.into_iter().max_by_key(|(_, tasks)| *tasks);
            let (site, tasks) = most.expect("too many is more than none");
            let alive = alive.count();
            format!("{alive} tasks are alive, {tasks} of them spawned at {site}: do they ever end?")
        })
    }
}

/// The slots in the order in which their tasks were spawned.
fn oldest_first(slots: &[Slot]) -> Vec<&Slot> {
    let mut slots: Vec<&Slot> = slots.iter().collect();
    slots.sort_unstable_by_key(|slot| slot.serial);
    slots
}

/// Shortens a long list.
fn cut(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("... and {more} more"));
    }
    lines
}
