//! Steps that may come at any time, any number of times.
//!
//! They stand for operations of which the search for a [`Window`](crate::Window) leaves open when
//! they were executed.

use crate::memory::{Memory, OutOfMemory};
use crate::model::{Kind, Model};
use crate::states::{ClassId, DEAD, StateId, States};
use crate::timeline::Timeline;

/// The ambient steps of a search.
#[derive(Debug)]
pub(crate) struct Ambient {
    /// Their classes.
    classes: Vec<ClassId>,
    /// Those of them that the look-ahead must know of: all but [`Kind::Update`].
    pub landmarks: Vec<ClassId>,
    /// The classes of all that may look at the state in this search.
    observers: Vec<ClassId>,
    /// Where the successors of each state begin and end; of [`DEAD`] first. `None` if not asked.
    ranges: Vec<Option<(u32, u32)>>,
    /// The successors of all states.
    successors: Vec<StateId>,
    /// How much work was done: about the number of steps tried.
    pub work: u64,
}

impl Ambient {
    /// Steps of these classes, in a search along this timeline.
    pub fn new<M: Model>(
        mut classes: Vec<ClassId>,
        timeline: &Timeline,
        states: &States<'_, M>,
    ) -> Self {
        classes.sort_unstable();
        classes.dedup();
        let kept = timeline.operations.iter().map(|entry| entry.class);
        let mut observers: Vec<ClassId> = kept.chain(classes.iter().copied()).collect();
        observers.retain(|class| states.is_observer(*class));
        observers.sort_unstable();
        observers.dedup();
        let is_landmark = |class: &ClassId| states.kind(*class) != Kind::Update;
        let landmarks = classes.iter().copied().filter(is_landmark).collect();
        Ambient {
            classes,
            landmarks,
            observers,
            ranges: Vec::new(),
            successors: Vec::new(),
            work: 0,
        }
    }

    /// The `number`-th of the states to which ambient steps lead from `state`.
    ///
    /// States of which no observer of this search could tell anything are left out: nothing can
    /// follow there that could not follow without the step.
    pub fn successor<M: Model>(
        &mut self,
        state: StateId,
        number: usize,
        states: &mut States<'_, M>,
        memory: &mut Memory,
    ) -> Result<Option<StateId>, OutOfMemory> {
        if self.classes.is_empty() {
            return Ok(None);
        }
        let place = if state == DEAD { 0 } else { state as usize + 1 };
        while self.ranges.len() <= place {
            memory.push(&mut self.ranges, None)?;
        }
        let (begin, end) = match self.ranges[place] {
            Some(range) => range,
            None => {
                let begin = self.successors.len();
                self.add_successors(state, states, memory)?;
                *self.ranges[place].insert((begin as u32, self.successors.len() as u32))
            }
        };
        Ok(self.successors[begin as usize..end as usize].get(number).copied())
    }

    /// Finds the successors of a state.
    fn add_successors<M: Model>(
        &mut self,
        state: StateId,
        states: &mut States<'_, M>,
        memory: &mut Memory,
    ) -> Result<(), OutOfMemory> {
        let begin = self.successors.len();
        for class in &self.classes {
            self.work += 1 + self.observers.len() as u64 / 8;
            let after = states.step_if_observable(state, *class, &self.observers, memory)?;
            let Some(after) = after else { continue };
            if after != state && !self.successors[begin..].contains(&after) {
                memory.push(&mut self.successors, after)?;
            }
        }
        Ok(())
    }
}
