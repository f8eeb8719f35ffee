//! One partition's history, arranged for the search.

use crate::Operation;
use crate::memory::{Memory, OutOfMemory};
use crate::model::{Kind, Model};
use crate::states::{ClassId, States};

/// Position among the returns, in the order of time: the search's measure of progress.
pub(crate) type Rank = u32;

/// The rank of a return that never came.
pub(crate) const NEVER: Rank = u32::MAX;

/// Index of an operation in its partition.
pub(crate) type OpId = u32;

/// Which operations can be linearized when.
///
/// The search advances from return to return. At rank `r` all operations with smaller ranks are
/// linearized, and no operation called after return `r` can be, since `r` must come first. The
/// operations in between are *live*.
pub(crate) struct Timeline {
    /// All operations, in the order in which the partition lists them.
    pub operations: Vec<Entry>,
    /// The operations that returned, by rank.
    pub returns: Vec<OpId>,
    /// The live operations of all ranks, one after the other; in each rank by return, with the
    /// pending ones last.
    pub live: Vec<OpId>,
    /// Where each rank's live operations begin, and where the last ones end.
    pub live_begin: Vec<usize>,
    /// The operations that the [look-ahead](crate::search) must know of (all but
    /// [`Kind::Update`]), in the order of their calls.
    pub landmarks: Vec<OpId>,
    /// How many landmarks are called before each return.
    pub landmarks_called: Vec<u32>,
    /// For each rank, the first rank from there on whose operation is an observer.
    pub next_observer: Vec<Rank>,
    /// The number of slots.
    pub slots: usize,
}

/// What the search needs to know of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// What it does.
    pub class: ClassId,
    /// What the model promises of it.
    pub kind: Kind,
    /// Whether it tells something of the state.
    pub is_observer: bool,
    /// Its bit in a [`SlotSet`](crate::slot_set::SlotSet) while it is live.
    pub slot: u32,
    /// The first rank at which it is live.
    pub live_from: Rank,
    /// Its return's rank, or [`NEVER`].
    pub rank: Rank,
}

impl Timeline {
    /// Arranges the operations of one partition.
    pub fn new<'h, M: Model>(
        operations: &[Operation<&'h M::Input, &'h M::Output>],
        states: &mut States<'h, M>,
        memory: &mut Memory,
    ) -> Result<Self, OutOfMemory> {
        let mut timeline = Timeline {
            operations: Vec::new(),
            returns: Vec::new(),
            live: Vec::new(),
            live_begin: Vec::new(),
            landmarks: Vec::new(),
            landmarks_called: Vec::new(),
            next_observer: Vec::new(),
            slots: 0,
        };
        for operation in operations {
            let class = states.class(operation.input, operation.output, memory)?;
            let kind = states.kind(class);
            let is_observer = states.is_observer(class);
            let entry = Entry { class, kind, is_observer, slot: 0, live_from: NEVER, rank: NEVER };
            memory.push(&mut timeline.operations, entry)?;
        }
        timeline.rank_returns(operations, memory)?;
        timeline.find_live(operations, memory)?;
        timeline.find_observers(memory)?;
        Ok(timeline)
    }

    /// The operations that are live at `rank`.
    pub fn live(&self, rank: Rank) -> &[OpId] {
        let rank = rank as usize;
        &self.live[self.live_begin[rank]..self.live_begin[rank + 1]]
    }

    /// The landmarks that are called after return `from` and before return `to`.
    pub fn landmarks_between(&self, from: Rank, to: Rank) -> &[OpId] {
        let called = |rank: Rank| self.landmarks_called[rank as usize] as usize;
        &self.landmarks[called(from)..called(to)]
    }

    /// Orders the returns by time.
    fn rank_returns<I, O>(
        &mut self,
        operations: &[Operation<I, O>],
        memory: &mut Memory,
    ) -> Result<(), OutOfMemory> {
        for (id, operation) in operations.iter().enumerate() {
            if operation.return_time.is_some() {
                memory.push(&mut self.returns, id as OpId)?;
            }
        }
        self.returns.sort_unstable_by_key(|id| (operations[*id as usize].return_time, *id));
        for (rank, id) in self.returns.iter().enumerate() {
            self.operations[*id as usize].rank = rank as Rank;
        }
        Ok(())
    }

    /// Assigns each operation its slot, and lists the live operations at each rank.
    fn find_live<I, O>(
        &mut self,
        operations: &[Operation<I, O>],
        memory: &mut Memory,
    ) -> Result<(), OutOfMemory> {
        let mut calls = Vec::new();
        for (id, entry) in self.operations.iter().enumerate() {
            // A pending read changes nothing and need not be explained.
            if entry.rank != NEVER || entry.kind != Kind::Read {
                memory.push(&mut calls, id as OpId)?;
            }
        }
        calls.sort_unstable_by_key(|id| (operations[*id as usize].call_time, *id));
        let mut calls = calls.into_iter().peekable();
        let mut live = LiveSet::default();
        for (rank, &returning) in self.returns.iter().enumerate() {
            let return_time = operations[returning as usize].return_time;
            // Intervals are closed: a call at the time of the return is concurrent with it.
            let is_called = |id: &OpId| Some(operations[*id as usize].call_time) <= return_time;
            while let Some(id) = calls.next_if(is_called) {
                let entry = &mut self.operations[id as usize];
                entry.live_from = rank as Rank;
                live.insert(id, entry);
                if entry.kind != Kind::Update {
                    memory.push(&mut self.landmarks, id)?;
                }
            }
            memory.push(&mut self.live_begin, self.live.len())?;
            for (_, id) in &live.by_rank {
                memory.push(&mut self.live, *id)?;
            }
            memory.push(&mut self.landmarks_called, self.landmarks.len() as u32)?;
            live.remove_first(&self.operations[returning as usize]);
        }
        memory.push(&mut self.live_begin, self.live.len())?;
        self.slots = live.slots as usize;
        Ok(())
    }

    /// Finds the next observer from each rank on.
    fn find_observers(&mut self, memory: &mut Memory) -> Result<(), OutOfMemory> {
        let mut next = NEVER;
        for _ in &self.returns {
            memory.push(&mut self.next_observer, NEVER)?;
        }
        for (rank, id) in self.returns.iter().enumerate().rev() {
            if self.operations[*id as usize].is_observer {
                next = rank as Rank;
            }
            self.next_observer[rank] = next;
        }
        Ok(())
    }
}

/// The operations that are live at the current rank.
#[derive(Default)]
struct LiveSet {
    /// In the order of their returns.
    by_rank: Vec<(Rank, OpId)>,
    /// Slots that were given back.
    free: Vec<u32>,
    /// How many slots there are.
    slots: u32,
}

impl LiveSet {
    /// Adds an operation and gives it a slot.
    fn insert(&mut self, id: OpId, entry: &mut Entry) {
        entry.slot = self.free.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        });
        let place = self.by_rank.partition_point(|other| *other < (entry.rank, id));
        self.by_rank.insert(place, (entry.rank, id));
    }

    /// Takes out the operation that returns first, which frees its slot.
    fn remove_first(&mut self, entry: &Entry) {
        let (rank, _) = self.by_rank.remove(0);
        assert_eq!(rank, entry.rank, "operations leave in the order of their returns");
        self.free.push(entry.slot);
    }
}
