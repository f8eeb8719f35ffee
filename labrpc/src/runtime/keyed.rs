//! The keyed mode: each draw depends on what it decides, not on the draws before it.
//!
//! Only the shrinking of a failing run uses it. In an ordinary run one message more or less shifts
//! every draw that follows. Here a draw is a hash of the seed, of what is decided, and of the kind
//! of decision, so a run without one accident is otherwise the same run for as long as possible.
//!
//! What is decided is known by its *key*, which does not depend on the seed:
//!
//! * a message by the name of its end, its method, its arguments, and the number of equal ones
//!   before it;
//! * a handler's task by its node and its message; a task that was started on a node from outside
//!   by its node, and any other one by its parent; both with the place that spawned it and the
//!   number of its predecessors from there;
//! * a stall by its task and the number of the operation;
//! * a toss of a coin by its task, its place, and its number there;
//! * any other draw by its task, its place, the last coin that the task tossed, and its number since
//!   then: a draw that is made only after some tosses does not shift the later ones.
//!
//! A place is a file and a column, because a comment above it changes the number of its line.
//!
//! Which ready task runs next, election timeouts, and the least latency of messages are no
//! accidents. Ready tasks run in the order in which they became ready.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;

use contract::accidents::{Accident, AccidentId, AccidentKind, Accidents, FULL_RATE};
use contract::recording::Fault;
use rand_pcg::Pcg64;

use super::policy::{STALL_MEAN, STALL_STEPS};
use super::task::NodeId;
use super::trace::digest;
use crate::collections::HashMap;

/// Accidents are told in detail if no more than this number may happen: the place where a task
/// stands takes milliseconds to find.
const TOLD_IN_DETAIL: usize = 40;

/// A fault of the test is the effect of a coin that was tossed at most this number of nanoseconds
/// before.
const EFFECT_WITHIN: u64 = 1_000_000;

/// What a draw that is no accident decides about a message.
#[derive(Clone, Copy)]
pub(crate) enum Draw {
    /// How long it takes until a call to a server that cannot be reached fails.
    Unreachable = 16,
    /// How long the request takes at least.
    RequestLatency,
    /// The fate of the request.
    Request,
    /// How long the reply takes at least.
    ReplyLatency,
    /// The fate of the reply.
    Reply,
    /// A number that [`crate::rng`] hands out.
    User,
    /// Whether an accident happens at a lower rate.
    Rate,
}

/// The keyed mode of one run.
pub(crate) struct Keyed {
    seed: u64,
    accidents: Accidents,
    /// Whether tasks of servers stand still at times.
    stalls: bool,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// The scheduler, and then the tasks by slot.
    tasks: Vec<Task>,
    /// By number.
    nodes: Vec<Node>,
    /// The number of nodes that had a name.
    names: BTreeMap<u64, u64>,
    /// The number of equal messages.
    messages: HashMap<u64, u64>,
    happened: Vec<Accident>,
    /// A coin whose effects are awaited: its task, when it was tossed, and its accident.
    tossed: Option<(u32, u64, usize)>,
}

#[derive(Default)]
struct Node {
    key: u64,
    /// The number of tasks that were started here from outside, by place.
    spawned: BTreeMap<u64, u64>,
}

#[derive(Default)]
struct Task {
    key: u64,
    operations: u64,
    /// The number of children and of tosses, by place.
    counts: BTreeMap<u64, u64>,
    /// The last toss.
    coin: u64,
    /// The number of draws since then, by place.
    draws: BTreeMap<u64, u64>,
}

impl Keyed {
    /// The mode for this seed. The test is a node, with number 0.
    pub(crate) fn new(seed: u64, accidents: Accidents, stalls: bool) -> Self {
        let keyed = Self { seed, accidents, stalls, state: RefCell::default() };
        keyed.state.borrow_mut().tasks.push(Task::default());
        keyed.add_node("test");
        keyed
    }

    /// A node has been made.
    pub(crate) fn add_node(&self, name: &str) {
        let state = &mut *self.state.borrow_mut();
        let name = digest(name.as_bytes());
        let key = mix(name, next(&mut state.names, name));
        state.nodes.push(Node { key, ..Node::default() });
    }

    /// A task has been put into a slot: by a message if it is a handler, else by `parent`'s slot.
    pub(crate) fn spawned(
        &self,
        slot: u32,
        node: NodeId,
        site: &Location<'_>,
        message: Option<u64>,
        parent: (u32, NodeId),
    ) {
        let state = &mut *self.state.borrow_mut();
        let place = place(site);
        let its_node = &mut state.nodes[node.0 as usize];
        let key = if let Some(message) = message {
            mix(its_node.key, message)
        } else if parent.1 == node {
            let parent = task_at(&mut state.tasks, parent.0);
            mix(mix(parent.key, place), next(&mut parent.counts, place))
        } else {
            mix(mix(its_node.key, place), next(&mut its_node.spawned, place))
        };
        *task_at(&mut state.tasks, slot) = Task { key, ..Task::default() };
    }

    /// The key of a message whose end, method and arguments have this digest.
    pub(crate) fn message(&self, content: u64) -> u64 {
        let state = &mut *self.state.borrow_mut();
        let number = state.messages.entry(content).or_default();
        *number += 1;
        mix(content, *number)
    }

    /// The generator for a decision about `subject`.
    pub(crate) fn generator(&self, subject: u64, draw: Draw) -> Pcg64 {
        Pcg64::new(self.hash(mix(subject, draw as u64)).into(), draw as u128)
    }

    /// The generator for one number that a task draws at `site`.
    pub(crate) fn user_generator(&self, slot: u32, site: &Location<'_>) -> Pcg64 {
        let state = &mut *self.state.borrow_mut();
        let task = task_at(&mut state.tasks, slot);
        let subject = mix(mix(task.key, task.coin), place(site));
        let number = next(&mut task.draws, place(site));
        self.generator(mix(subject, number), Draw::User)
    }

    /// The key of a task's next toss at `site`.
    pub(crate) fn toss(&self, slot: u32, site: &Location<'_>) -> u64 {
        let state = &mut *self.state.borrow_mut();
        let task = task_at(&mut state.tasks, slot);
        let place = mix(place(site), AccidentKind::Coin as u64);
        task.coin = mix(mix(task.key, place), next(&mut task.counts, place));
        task.draws.clear();
        task.coin
    }

    /// Counts an operation of a server's task; returns its key and for how long it would stall.
    pub(crate) fn stall(&self, slot: u32) -> Option<(u64, u64)> {
        if !self.stalls {
            return None;
        }
        let state = &mut *self.state.borrow_mut();
        let task = task_at(&mut state.tasks, slot);
        task.operations += 1;
        let subject = mix(task.key, task.operations);
        let drawn = self.hash(mix(subject, AccidentKind::Stall as u64));
        if below(drawn, STALL_MEAN) > 0 {
            return None;
        }
        let drawn = mix(drawn, subject);
        let base = 1_000 << below(drawn, STALL_STEPS);
        Some((subject, base + u64::from(below(mix(drawn, base), base as u32))))
    }

    /// Decides whether an accident that the seed has drawn happens to `subject`; notes and returns
    /// it.
    pub(crate) fn happens(
        &self,
        subject: u64,
        kind: AccidentKind,
        now: u64,
        text: impl FnOnce() -> String,
    ) -> Option<Accident> {
        let key = mix(subject, kind as u64);
        let id = AccidentId((key >> 32) as u32);
        let is_allowed = self.accidents.only.as_ref().is_none_or(|only| only.contains(&id))
            && below(self.hash(mix(key, Draw::Rate as u64)), FULL_RATE) < self.accidents.rate;
        is_allowed.then(|| {
            let accident = Accident { id, kind, at: now as f64 / 1e9, text: text() };
            self.state.borrow_mut().happened.push(accident.clone());
            accident
        })
    }

    /// The toss that has just been noted as an accident was this task's: what the test does at once
    /// is its effect.
    pub(crate) fn await_effect(&self, slot: u32, now: u64) {
        let state = &mut *self.state.borrow_mut();
        state.tossed = state.happened.len().checked_sub(1).map(|accident| (slot, now, accident));
    }

    /// Whether what this task does to the servers may be the effect of a toss.
    pub(crate) fn awaits_effect(&self, slot: u32) -> bool {
        self.state.borrow().tossed.is_some_and(|(tosser, ..)| tosser == slot)
    }

    /// The task that has tossed a coin does this to the servers.
    pub(crate) fn effect(&self, now: u64, fault: &Fault) {
        let state = &mut *self.state.borrow_mut();
        if let Some((_, at, accident)) = state.tossed.take()
            && now <= at + EFFECT_WITHIN
        {
            state.happened[accident].text += &format!(": {}", in_words(fault));
        }
    }

    /// The setting of the accidents that may happen.
    pub(crate) fn setting(&self) -> String {
        self.accidents.to_string()
    }

    /// Whether accidents are worth a detailed description.
    pub(crate) fn tells_details(&self) -> bool {
        self.accidents.only.as_ref().is_some_and(|only| only.len() <= TOLD_IN_DETAIL)
    }

    /// What has happened, and what was allowed by name but has not happened.
    pub(crate) fn outcome(&self) -> (Vec<Accident>, Vec<AccidentId>) {
        let happened = self.state.borrow().happened.clone();
        let mut missing: BTreeSet<AccidentId> =
            self.accidents.only.iter().flatten().copied().collect();
        happened.iter().for_each(|accident| _ = missing.remove(&accident.id));
        (happened, missing.into_iter().collect())
    }

    /// The draw for a key.
    fn hash(&self, key: u64) -> u64 {
        mix(self.seed, key)
    }
}

/// The task in a slot; the scheduler has the number before the first one.
fn task_at(tasks: &mut Vec<Task>, slot: u32) -> &mut Task {
    let index = slot.wrapping_add(1) as usize;
    if index >= tasks.len() {
        tasks.resize_with(index + 1, Task::default);
    }
    &mut tasks[index]
}

/// The number of times that `what` came before.
fn next(counts: &mut BTreeMap<u64, u64>, what: u64) -> u64 {
    let count = counts.entry(what).or_default();
    *count += 1;
    *count
}

/// What a test does to the servers, as a sentence.
fn in_words(fault: &Fault) -> String {
    let Fault { verb, servers, sides, .. } = fault;
    let names = servers.join(", ");
    match (&**verb, &servers[..]) {
        ("connect", _) => format!("{names} is connected"),
        ("disconnect", _) => format!("{names} is cut off"),
        ("start", _) => format!("{names} is started"),
        ("crash", _) => format!("{names} loses its power"),
        ("kill", _) => format!("{names} is killed"),
        ("shutdown", _) => format!("{names} is shut down"),
        ("hold requests", [from, to]) => format!("requests of {from} to {to} are held"),
        ("hold replies", [from, to]) => format!("replies to requests of {from} to {to} are held"),
        ("pass", [from, to]) => format!("messages of {from} to {to} pass"),
        ("release", _) => "the messages that were held travel on".to_string(),
        ("cut", [from, to]) => format!("{from} no longer reaches {to}"),
        ("mend", [from, to]) => format!("{from} reaches {to} again"),
        ("reach all", _) => format!("{names} reaches all its servers"),
        ("partition", _) => {
            let sides: Vec<String> = sides.iter().map(|side| side.join(" ")).collect();
            format!("the servers are split, {}", sides.join(" | "))
        }
        _ => format!("{verb} {names}"),
    }
}

/// A place in a source, without the number of the line.
fn place(site: &Location<'_>) -> u64 {
    mix(digest(site.file().as_bytes()), site.column().into())
}

/// A hash of two numbers, in which every bit depends on every bit (the finalizer of SplitMix64).
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    scramble(scramble(a.wrapping_add(0x9e37_79b9_7f4a_7c15)) ^ b)
}

fn scramble(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A number below `bound` from a hash.
fn below(hash: u64, bound: u32) -> u32 {
    (((hash >> 32) * u64::from(bound)) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mode in which these accidents may happen, with the test's task in slot 0.
    fn keyed(seed: u64, accidents: Accidents) -> Keyed {
        let keyed = Keyed::new(seed, accidents, true);
        keyed.spawned(0, NodeId::TEST, Location::caller(), None, (u32::MAX, NodeId::TEST));
        keyed
    }

    /// Which of a thousand accidents happen.
    fn happened(rate: u32) -> BTreeSet<AccidentId> {
        let keyed = keyed(1, Accidents::all(rate));
        let lost = |subject| keyed.happens(subject, AccidentKind::ReplyLost, 0, String::new);
        (0..1_000).for_each(|subject| _ = lost(subject));
        keyed.outcome().0.iter().map(|accident| accident.id).collect()
    }

    #[test]
    fn accidents_of_a_lower_rate_happen_at_a_higher_one() {
        let [none, few, half, all] = [0, 4, 128, FULL_RATE].map(happened);
        assert_eq!((none.len(), all.len()), (0, 1_000));
        assert!(few.is_subset(&half) && half.is_subset(&all));
        assert!((5..40).contains(&few.len()), "{}", few.len());
        assert!((400..600).contains(&half.len()), "{}", half.len());
    }

    #[test]
    fn only_what_is_listed_happens_and_the_rest_of_the_list_is_missing() {
        let all = keyed(1, Accidents::all(FULL_RATE));
        let lost = |keyed: &Keyed, subject| {
            keyed.happens(subject, AccidentKind::RequestLost, 0, String::new).is_some()
        };
        assert!(lost(&all, 7) && lost(&all, 8));
        let id = all.outcome().0[0].id;
        let other = AccidentId(!id.0);
        let only = keyed(1, Accidents::only([id, other]));
        assert!(lost(&only, 7) && !lost(&only, 8));
        let (happened, missing) = only.outcome();
        assert_eq!((happened[0].id, missing), (id, vec![other]));
    }

    #[test]
    fn stalls_come_once_in_a_hundred_operations_and_are_short_or_long() {
        let keyed = keyed(3, Accidents::all(FULL_RATE));
        let stalls: Vec<u64> =
            (0..100_000).filter_map(|_| keyed.stall(0)).map(|(_, nanos)| nanos).collect();
        assert!((850..1_150).contains(&stalls.len()), "{}", stalls.len());
        let longest = stalls.iter().max().unwrap();
        assert!((100_000_000..131_072_000).contains(longest), "{longest}");
        let short = stalls.iter().filter(|&&nanos| nanos < 256_000).count();
        assert!((350..590).contains(&short), "{short}");
    }

    #[test]
    fn draws_behind_a_coin_do_not_shift_later_ones() {
        let draw_behind = |coin: bool| {
            let keyed = keyed(1, Accidents::all(FULL_RATE));
            let (toss, here) = (Location::caller(), Location::caller());
            let draw = || rand::Rng::next_u64(&mut keyed.user_generator(0, here));
            keyed.toss(0, toss);
            if coin {
                draw();
            }
            keyed.toss(0, toss);
            (draw(), draw())
        };
        assert_eq!(draw_behind(true), draw_behind(false));
        assert_ne!(draw_behind(true).0, draw_behind(true).1);
    }
}
