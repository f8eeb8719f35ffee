//! The search for a linearization.
//!
//! Depth first, as Wing & Gong do it, with the visited configurations remembered, as Lowe does it.
//! What makes it fast is that few choices are left to try:
//!
//! * *Greedy reads.* An operation that never changes the state is taken as soon as it fits.
//! * *Twins.* Of several live operations of one class, only the one that returns first is tried:
//!   in any linearization the two could change places.
//! * *Pending operations* are optional, come last, and are not taken unless they change the state.
//! * *Look-ahead.* If the next observer that must come cannot be explained any more, the branch is
//!   given up now. If just an overwrite can save it, the present state does not matter any more:
//!   all such states are treated as one, [`DEAD`].

use crate::Operation;
use crate::ambient::Ambient;
use crate::interner::Interner;
use crate::memory::{Memory, OutOfMemory};
use crate::model::{Kind, Model};
use crate::slot_set::{PackedSets, SlotSet};
use crate::states::{DEAD, INITIAL, StateId, States};
use crate::timeline::{NEVER, OpId, Rank, Timeline};

/// How many ambient steps are as much work as a configuration.
const AMBIENT_STEPS: u64 = 32;

/// What a [`Search`] has found out so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// A linearization was found.
    Linearizable,
    /// There is none.
    Illegal,
    /// There are configurations left to visit.
    Undecided,
}

/// A depth-first search that can be interrupted and resumed.
///
/// * `path` is a linearization of the operations that are linearized in the top frame.
/// * The first `shared` operations of `path` and of `longest` are the same.
/// * Each configuration is pushed at most once in the whole search.
pub(crate) struct Search<'h, M: Model> {
    /// The model, by numbers.
    states: States<'h, M>,
    /// The history.
    timeline: Timeline,
    /// What else may be executed, at any time and any number of times.
    ambient: Ambient,
    /// The sets of linearized operations.
    sets: PackedSets,
    /// The configurations that were visited.
    visited: Interner<Configuration>,
    /// Where each step of the current branch was taken.
    stack: Vec<Frame>,
    /// The operations of the current branch.
    path: Vec<OpId>,
    /// The longest path that was given up so far.
    longest: Vec<OpId>,
    /// How far `longest` agrees with `path`.
    shared: usize,
    /// How many configurations were visited.
    configurations: u64,
    /// Whether a linearization was found.
    found: bool,
}

/// All that the future depends on: whatever can follow one way to a configuration can follow every
/// other way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Configuration {
    /// The rank of the first return that is not linearized.
    frontier: Rank,
    /// The object's state.
    state: StateId,
    /// The live operations that are linearized, packed.
    linearized: u64,
}

/// A configuration and what was tried from it.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// Where the search stood.
    configuration: Configuration,
    /// How many choices were tried.
    tried: u32,
    /// How long the path was.
    path_len: u32,
}

/// A configuration that is being computed.
struct Position {
    /// The rank of the first return that is not linearized.
    frontier: Rank,
    /// The object's state.
    state: StateId,
    /// The live operations that are linearized.
    linearized: SlotSet,
}

/// A step that can be taken.
struct Choice {
    /// The operation, `None` for an ambient step.
    operation: Option<OpId>,
    /// The state after it.
    state: StateId,
}

impl<'h, M: Model> Search<'h, M> {
    /// A search among the linearizations of one partition's `operations`. Operations like the
    /// `ambient` ones may come in between at any time, any number of times, or not at all.
    pub fn new(
        model: &'h M,
        operations: &[Operation<&'h M::Input, &'h M::Output>],
        ambient: &[Operation<&'h M::Input, &'h M::Output>],
        memory: &mut Memory,
    ) -> Result<Self, OutOfMemory> {
        let mut states = States::new(model, memory)?;
        let timeline = Timeline::new(operations, &mut states, memory)?;
        let mut classes = Vec::new();
        for operation in ambient {
            let class = states.class(operation.input, operation.output, memory)?;
            memory.push(&mut classes, class)?;
        }
        let ambient = Ambient::new(classes, &timeline, &states);
        Self::along(timeline, ambient, states, memory)
    }

    /// A search along a timeline.
    fn along(
        timeline: Timeline,
        ambient: Ambient,
        states: States<'h, M>,
        memory: &mut Memory,
    ) -> Result<Self, OutOfMemory> {
        let mut search = Search {
            states,
            ambient,
            sets: PackedSets::new(timeline.slots),
            timeline,
            visited: Interner::new(),
            stack: Vec::new(),
            path: Vec::new(),
            longest: Vec::new(),
            shared: 0,
            configurations: 0,
            found: false,
        };
        let linearized = search.sets.empty();
        search.enter(Position { frontier: 0, state: INITIAL, linearized }, memory)?;
        Ok(search)
    }

    /// Visits at most `slice` more configurations.
    pub fn run(&mut self, slice: u64, memory: &mut Memory) -> Result<Decision, OutOfMemory> {
        let end = self.configurations().saturating_add(slice);
        while !self.found {
            let Some(top) = self.stack.len().checked_sub(1) else {
                return Ok(Decision::Illegal);
            };
            if self.configurations() >= end {
                return Ok(Decision::Undecided);
            }
            match self.next_choice(top, memory)? {
                Some(choice) => self.take(self.stack[top].configuration, choice, memory)?,
                None => self.backtrack(memory)?,
            }
        }
        Ok(Decision::Linearizable)
    }

    /// How many configurations were visited. Some ambient steps are worth a configuration: they
    /// take time too.
    pub fn configurations(&self) -> u64 {
        self.configurations + self.ambient.work / AMBIENT_STEPS
    }

    /// The linearization that was found; as long as there is none, the longest of a part of the
    /// history.
    pub fn linearization(&self) -> &[OpId] {
        if self.found || self.path.len() > self.longest.len() { &self.path } else { &self.longest }
    }

    /// The next step to try from the frame numbered `top`.
    fn next_choice(
        &mut self,
        top: usize,
        memory: &mut Memory,
    ) -> Result<Option<Choice>, OutOfMemory> {
        let frame = &mut self.stack[top];
        let here = frame.configuration;
        let is_linearized = |slot| self.sets.contains(here.linearized, slot);
        let live = self.timeline.live(here.frontier);
        while let Some(&id) = live.get(frame.tried as usize) {
            frame.tried += 1;
            let entry = &self.timeline.operations[id as usize];
            if entry.kind == Kind::Read || is_linearized(entry.slot) {
                continue;
            }
            let is_twin = |other: &&OpId| {
                let other = &self.timeline.operations[**other as usize];
                other.class == entry.class && !is_linearized(other.slot)
            };
            // Live operations are listed by return: the first of a class returns first.
            if live.iter().find(is_twin) != Some(&id) {
                continue;
            }
            let Some(state) = self.states.step(here.state, entry.class, memory)? else {
                continue;
            };
            if entry.rank == NEVER && state == here.state {
                continue;
            }
            return Ok(Some(Choice { operation: Some(id), state }));
        }
        let number = frame.tried as usize - live.len();
        frame.tried += 1;
        let state = self.ambient.successor(here.state, number, &mut self.states, memory)?;
        Ok(state.map(|state| Choice { operation: None, state }))
    }

    /// Takes a step.
    fn take(
        &mut self,
        here: Configuration,
        choice: Choice,
        memory: &mut Memory,
    ) -> Result<(), OutOfMemory> {
        let mut linearized = self.sets.unpack(here.linearized);
        if let Some(id) = choice.operation {
            linearized.insert(self.timeline.operations[id as usize].slot);
            memory.push(&mut self.path, id)?;
        }
        self.enter(Position { frontier: here.frontier, state: choice.state, linearized }, memory)
    }

    /// Advances from a new position until there is a choice; then pushes the configuration, or
    /// drops it if it cannot succeed or was visited before.
    fn enter(&mut self, mut here: Position, memory: &mut Memory) -> Result<(), OutOfMemory> {
        self.settle(&mut here, memory)?;
        if here.frontier as usize == self.timeline.returns.len() {
            self.found = true;
            return Ok(());
        }
        if !self.look_ahead(&mut here, memory)? {
            return self.cut_path(memory);
        }
        let configuration = Configuration {
            frontier: here.frontier,
            state: here.state,
            linearized: self.sets.pack(&here.linearized, memory)?,
        };
        if !self.visited.insert(configuration, memory)?.is_new {
            return self.cut_path(memory);
        }
        self.configurations += 1;
        let path_len = self.path.len() as u32;
        memory.push(&mut self.stack, Frame { configuration, tried: 0, path_len })
    }

    /// Takes reads that fit and passes returns that are linearized, as long as there are any.
    fn settle(&mut self, here: &mut Position, memory: &mut Memory) -> Result<(), OutOfMemory> {
        while let Some(&returning) = self.timeline.returns.get(here.frontier as usize) {
            let slot = self.timeline.operations[returning as usize].slot;
            if here.linearized.contains(slot) {
                here.linearized.remove(slot);
                here.frontier += 1;
                continue;
            }
            self.take_reads(here, memory)?;
            if !here.linearized.contains(slot) {
                break;
            }
        }
        Ok(())
    }

    /// Takes all reads that fit.
    fn take_reads(&mut self, here: &mut Position, memory: &mut Memory) -> Result<(), OutOfMemory> {
        for &id in self.timeline.live(here.frontier) {
            let entry = &self.timeline.operations[id as usize];
            if entry.kind == Kind::Read
                && !here.linearized.contains(entry.slot)
                && self.states.step(here.state, entry.class, memory)?.is_some()
            {
                here.linearized.insert(entry.slot);
                memory.push(&mut self.path, id)?;
            }
        }
        Ok(())
    }

    /// Whether the next observer that must come can still be explained. If that takes an
    /// overwrite, and nothing that can come before it looks at the state, the state is [`DEAD`].
    fn look_ahead(
        &mut self,
        here: &mut Position,
        memory: &mut Memory,
    ) -> Result<bool, OutOfMemory> {
        let Some(observer) = self.next_observer(here) else {
            return Ok(true);
        };
        let Search { timeline, states, ambient, .. } = self;
        let class_of = |id: OpId| timeline.operations[id as usize].class;
        let observed = class_of(timeline.returns[observer as usize]);
        if states.reachable(here.state, observed, memory)? {
            return Ok(true);
        }
        let live = timeline
            .live(here.frontier)
            .iter()
            .filter(|id| !here.linearized.contains(timeline.operations[**id as usize].slot));
        let later = timeline.landmarks_between(here.frontier, observer);
        let open =
            live.chain(later).map(|id| class_of(*id)).chain(ambient.landmarks.iter().copied());
        let (mut is_saved, mut is_observed) = (false, false);
        for class in open {
            if states.kind(class) == Kind::Overwrite {
                if let Some(after) = states.step(INITIAL, class, memory)? {
                    is_saved |= states.reachable(after, observed, memory)?;
                }
            } else if states.is_observer(class) {
                is_observed |= states.reachable(here.state, class, memory)?;
            }
        }
        if is_saved && !is_observed {
            here.state = DEAD;
        }
        Ok(is_saved)
    }

    /// The rank of the first observer that returned and is not linearized.
    fn next_observer(&self, here: &Position) -> Option<Rank> {
        let mut rank = *self.timeline.next_observer.get(here.frontier as usize)?;
        while rank != NEVER {
            let entry = &self.timeline.operations[self.timeline.returns[rank as usize] as usize];
            if entry.live_from > here.frontier || !here.linearized.contains(entry.slot) {
                return Some(rank);
            }
            rank = *self.timeline.next_observer.get(rank as usize + 1)?;
        }
        None
    }

    /// Gives up the top frame, from which everything was tried.
    fn backtrack(&mut self, memory: &mut Memory) -> Result<(), OutOfMemory> {
        self.keep_longest(memory)?;
        self.stack.pop();
        self.cut_path(memory)
    }

    /// Takes back the steps that led from the top frame into a dead end.
    fn cut_path(&mut self, memory: &mut Memory) -> Result<(), OutOfMemory> {
        self.keep_longest(memory)?;
        let len = self.stack.last().map_or(0, |frame| frame.path_len as usize);
        self.path.truncate(len);
        self.shared = self.shared.min(len);
        Ok(())
    }

    /// Remembers the path if it is the longest so far. Copies only what changed, so that in the
    /// whole search no operation is copied more often than it was pushed.
    fn keep_longest(&mut self, memory: &mut Memory) -> Result<(), OutOfMemory> {
        if self.path.len() > self.longest.len() {
            self.longest.truncate(self.shared);
            for &id in &self.path[self.shared..] {
                memory.push(&mut self.longest, id)?;
            }
            self.shared = self.path.len();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
