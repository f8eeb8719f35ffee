//! The model as a machine over small numbers: every answer is computed once.

use crate::interner::Interner;
use crate::memory::{Memory, OutOfMemory};
use crate::model::{Kind, Model};

/// The number of a state.
pub(crate) type StateId = u32;

/// The number of a class: all operations with one input and one output.
pub(crate) type ClassId = u32;

/// The initial state.
pub(crate) const INITIAL: StateId = 0;

/// Stands for every state of which no later answer will tell anything: only a [`Kind::Overwrite`]
/// leads out of it, and meanwhile only steps are possible that are possible in every state.
pub(crate) const DEAD: StateId = u32::MAX;

/// How an impossible step is remembered.
const IMPOSSIBLE: StateId = u32::MAX - 1;

/// The states met so far, and what is known of the steps between them.
pub(crate) struct States<'h, M: Model> {
    /// The specification.
    model: &'h M,
    /// Input and output of each class.
    classes: Interner<(&'h M::Input, Option<&'h M::Output>)>,
    /// The states, the initial one first.
    states: Interner<M::State>,
    /// [`Model::step`], as far as it was asked.
    steps: Memo,
    /// [`Model::reachable`], as far as it was asked.
    reachable: Memo,
}

impl<'h, M: Model> States<'h, M> {
    /// Knows the initial state only.
    pub fn new(model: &'h M, memory: &mut Memory) -> Result<Self, OutOfMemory> {
        let mut states = States {
            model,
            classes: Interner::new(),
            states: Interner::new(),
            steps: Memo::new(),
            reachable: Memo::new(),
        };
        states.intern(model.init(), memory)?;
        Ok(states)
    }

    /// The class of the operations with this input and output.
    pub fn class(
        &mut self,
        input: &'h M::Input,
        output: Option<&'h M::Output>,
        memory: &mut Memory,
    ) -> Result<ClassId, OutOfMemory> {
        Ok(self.classes.insert((input, output), memory)?.id)
    }

    /// What the model promises of a class.
    pub fn kind(&self, class: ClassId) -> Kind {
        let (input, output) = *self.classes.get(class);
        match self.model.kind(input, output) {
            // Without an output every step is possible.
            Kind::Conditional if output.is_none() => Kind::Update,
            kind => kind,
        }
    }

    /// Whether steps of a class are possible in some states only, so that they tell something of
    /// the state.
    pub fn is_observer(&self, class: ClassId) -> bool {
        let (_, output) = *self.classes.get(class);
        output.is_some() && matches!(self.kind(class), Kind::Read | Kind::Conditional)
    }

    /// The state after a step, `None` if the step is impossible.
    pub fn step(
        &mut self,
        state: StateId,
        class: ClassId,
        memory: &mut Memory,
    ) -> Result<Option<StateId>, OutOfMemory> {
        if state == DEAD {
            return match self.kind(class) {
                Kind::Overwrite => self.step(INITIAL, class, memory),
                _ => Ok((!self.is_observer(class)).then_some(DEAD)),
            };
        }
        let entry = self.steps.entry(state, class, memory)?;
        if let Some(known) = self.steps.answer(entry) {
            return Ok((known != IMPOSSIBLE).then_some(known));
        }
        let (input, output) = *self.classes.get(class);
        let after = match self.model.step(self.states.get(state), input, output) {
            Some(after) => Some(self.intern(after, memory)?),
            None => None,
        };
        self.steps.set_answer(entry, after.unwrap_or(IMPOSSIBLE));
        Ok(after)
    }

    /// The state after a step, if the step is possible and one of the `observers` may look at what
    /// it leaves. Nothing is remembered, because of most steps that is all there is to know.
    pub fn step_if_observable(
        &mut self,
        state: StateId,
        class: ClassId,
        observers: &[ClassId],
        memory: &mut Memory,
    ) -> Result<Option<StateId>, OutOfMemory> {
        let before = match self.kind(class) {
            Kind::Overwrite => INITIAL,
            _ if state == DEAD => return Ok(None),
            _ => state,
        };
        let (input, output) = *self.classes.get(class);
        let Some(after) = self.model.step(self.states.get(before), input, output) else {
            return Ok(None);
        };
        let is_observable = observers.iter().any(|observer| {
            let (input, output) = *self.classes.get(*observer);
            self.model.reachable(&after, input, output)
        });
        if is_observable { self.intern(after, memory).map(Some) } else { Ok(None) }
    }

    /// Whether a step of this class may become possible before the next [`Kind::Overwrite`].
    pub fn reachable(
        &mut self,
        state: StateId,
        class: ClassId,
        memory: &mut Memory,
    ) -> Result<bool, OutOfMemory> {
        if state == DEAD {
            return Ok(false);
        }
        let entry = self.reachable.entry(state, class, memory)?;
        if let Some(known) = self.reachable.answer(entry) {
            return Ok(known == 1);
        }
        let (input, output) = *self.classes.get(class);
        let answer = self.model.reachable(self.states.get(state), input, output);
        self.reachable.set_answer(entry, u32::from(answer));
        Ok(answer)
    }

    /// The number of `state`.
    fn intern(&mut self, state: M::State, memory: &mut Memory) -> Result<StateId, OutOfMemory> {
        let heap_bytes = self.model.heap_bytes(&state);
        memory.claim(heap_bytes)?;
        let interned = self.states.insert(state, memory)?;
        if !interned.is_new {
            memory.release(heap_bytes);
        }
        Ok(interned.id)
    }
}

/// Answers to questions about a state and a class.
#[derive(Debug)]
struct Memo {
    /// What was asked.
    questions: Interner<(StateId, ClassId)>,
    /// What was answered, by the question's number; [`Memo::OPEN`] until then.
    answers: Vec<u32>,
}

impl Memo {
    /// No answer yet. [`DEAD`] is never an answer, because dead states are not asked about.
    const OPEN: u32 = DEAD;

    /// Knows nothing.
    fn new() -> Self {
        Memo { questions: Interner::new(), answers: Vec::new() }
    }

    /// The place of the answer about `state` and `class`.
    fn entry(
        &mut self,
        state: StateId,
        class: ClassId,
        memory: &mut Memory,
    ) -> Result<usize, OutOfMemory> {
        let question = self.questions.insert((state, class), memory)?;
        if question.is_new {
            memory.push(&mut self.answers, Self::OPEN)?;
        }
        Ok(question.id as usize)
    }

    /// The answer at a place, if it was given.
    fn answer(&self, entry: usize) -> Option<u32> {
        let answer = self.answers[entry];
        (answer != Self::OPEN).then_some(answer)
    }

    /// Gives the answer at a place.
    fn set_answer(&mut self, entry: usize, answer: u32) {
        self.answers[entry] = answer;
    }
}
