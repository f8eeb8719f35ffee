//! The sentences of a failure report that only the runtime can write: who waits for what.

use std::collections::BTreeMap;
use std::panic::Location;

use super::core::Core;
use super::seconds::seconds;
use super::task::{Slot, State, Wait};

/// A wait for a lock or a receiver that lasts longer than this, in virtual nanoseconds, is
/// reported.
const LONG_WAIT: u64 = 1_000_000_000;

/// A list in the report ends after so many lines.
const MOST_LINES: usize = 50;

/// The current task in one line; `None` for the scheduler.
pub(crate) fn current_task(core: &Core) -> Option<String> {
    if !core.in_task() {
        return None;
    }
    Some(core.with_current(|slot| describe(core, slot)))
}

/// One line for each task that holds or awaits a lock, or waits for a receiver, for long; with
/// `everyone` set, one for each task that waits at all.
pub(crate) fn waits(core: &Core, everyone: bool) -> Vec<String> {
    let is_long = |since: u64| core.now() - since > LONG_WAIT;
    core.with_slots(|slots| {
        let mut lines = Vec::new();
        for slot in oldest_first(slots).into_iter().filter(|slot| slot.state != State::Free) {
            if let Some(waiting) = slot.waiting {
                let telling = matches!(waiting.what, Wait::Lock(_) | Wait::Send);
                if everyone || (telling && is_long(waiting.since)) {
                    lines.push(wait_line(core, slots, slot));
                }
            }
            for held in slot.held.iter().filter(|held| everyone || is_long(held.since)) {
                let task = describe(core, slot);
                let since = seconds(held.since);
                lines.push(format!("{task} holds the lock it took at {} since {since} s", held.at));
            }
        }
        cut(lines)
    })
}

/// The slots in the order in which their tasks were spawned.
fn oldest_first(slots: &[Slot]) -> Vec<&Slot> {
    let mut slots: Vec<&Slot> = slots.iter().collect();
    slots.sort_unstable_by_key(|slot| slot.serial);
    slots
}

/// Shortens a list that nobody would read to its end.
fn cut(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("... and {more} more"));
    }
    lines
}

/// Says how many tasks there are, and where most of them come from.
pub(crate) fn too_many_tasks(core: &Core) -> String {
    core.with_slots(|slots| {
        let mut sites = BTreeMap::<&Location<'_>, usize>::new();
        let alive = slots.iter().filter(|slot| slot.state != State::Free);
        alive.clone().for_each(|slot| *sites.entry(slot.site).or_default() += 1);
        let most = sites.into_iter().max_by_key(|(_, tasks)| *tasks);
        let (site, tasks) = most.expect("too many is more than none");
        let alive = alive.count();
        format!("{alive} tasks are alive, {tasks} of them spawned at {site}: do they ever end?")
    })
}

/// Locks that were held while their owner waited for an RPC, a sleep or a receiver.
pub(crate) fn held_locks(core: &Core) -> Vec<String> {
    let mut all = core.held_over.borrow().clone();
    core.with_slots(|slots| {
        for slot in slots {
            if let Some(waiting) = slot.waiting.filter(|_| slot.state != State::Free) {
                for held in &slot.held {
                    let so_far = core.now() - waiting.since;
                    all.add(held.at, waiting.what, waiting.at, so_far);
                }
            }
        }
    });
    cut(all.lines())
}

/// What a waiting task waits for.
fn wait_line(core: &Core, slots: &[Slot], slot: &Slot) -> String {
    let Some(waiting) = slot.waiting else { return describe(core, slot) };
    let task = describe(core, slot);
    let mut line = format!(
        "{task} waits for {} at {} since {} s",
        waiting.what,
        waiting.at,
        seconds(waiting.since)
    );
    if let Wait::Lock(lock) = waiting.what
        && let Some(owner) = slots.iter().find(|other| other.held.iter().any(|h| h.lock == lock))
        && let Some(held) = owner.held.iter().find(|held| held.lock == lock)
    {
        line += &format!(", held by {}, which took it at {}", describe(core, owner), held.at);
    }
    line
}

/// A task in a few words.
pub(crate) fn describe(core: &Core, slot: &Slot) -> String {
    format!("{}: task {} spawned at {}", core.node_name(slot.node), slot.serial, slot.site)
}

/// Locks that were held while their owner waited for something else, by place.
#[derive(Clone, Default)]
pub(crate) struct HeldOver(
    BTreeMap<(&'static Location<'static>, &'static Location<'static>), Span>,
);

/// How often and how long a lock was held over one kind of wait.
#[derive(Clone)]
struct Span {
    what: Wait,
    times: u64,
    longest: u64,
}

impl HeldOver {
    /// Notes that a lock taken at `taken` was held over a wait at `at` of so many nanoseconds.
    pub(crate) fn add(
        &mut self,
        taken: &'static Location<'static>,
        what: Wait,
        at: &'static Location<'static>,
        nanos: u64,
    ) {
        if matches!(what, Wait::Call | Wait::Sleep | Wait::Send) {
            let span = self.0.entry((taken, at)).or_insert(Span { what, times: 0, longest: 0 });
            span.times += 1;
            span.longest = span.longest.max(nanos);
        }
    }

    /// One line for each pair of places.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |(&(taken, at), span): (&(_, _), &Span)| {
            let Span { what, times, longest } = span;
            let longest = seconds(*longest);
            format!(
                "taken at {taken}, held over {what} at {at}: {times} times, at most {longest} s"
            )
        };
        self.0.iter().map(line).collect()
    }
}
