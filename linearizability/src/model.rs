//! What an object may do, one operation at a time.

use std::fmt::Debug;
use std::hash::Hash;

use crate::Operation;

/// A sequential specification: the object as it would behave with a single client.
///
/// [`init`](Model::init), [`step`](Model::step) and [`partition`](Model::partition) define it.
/// [`kind`](Model::kind) and [`reachable`](Model::reachable) are *declarations*: they add nothing
/// to the specification but make the search fast, often by orders of magnitude. Their defaults
/// promise nothing. A declaration that is not true makes verdicts wrong, so test each model
/// against a brute-force search, as this crate's own tests do.
pub trait Model {
    /// Everything the object remembers.
    type State: Clone + Eq + Hash;
    /// A request with its arguments.
    type Input: Debug + Eq + Hash;
    /// An answer.
    type Output: Debug + Eq + Hash;
    /// Names a part of the object that is independent of the other parts; `()` for just one part.
    type Key: Debug + Ord;

    /// The state before the first operation.
    fn init(&self) -> Self::State;

    /// The state after `input` was executed in `state` and answered `output`; `None` if it cannot
    /// be answered so. Without an output any answer will do, so such a step is always possible,
    /// and the state afterwards must not depend on what the answer is.
    fn step(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Option<Self::State>;

    /// The part of the object that `input` touches. A history is linearizable exactly if its
    /// restriction to each part is (locality: Herlihy & Wing 1990, section 3.2), so each is
    /// checked by itself, starting from [`init`](Model::init).
    fn partition(&self, input: &Self::Input) -> Self::Key;

    /// Declares what all steps with this input and output have in common, see [`Kind`].
    fn kind(&self, input: &Self::Input, output: Option<&Self::Output>) -> Kind {
        let _ = (input, output);
        Kind::Conditional
    }

    /// Declares, by answering `false`, that from `state` no sequence of operations without a
    /// [`Kind::Overwrite`] leads to a state in which this step is possible.
    ///
    /// The search then gives up a branch long before the operation that dooms it. If it lies,
    /// linearizable histories are called illegal.
    fn reachable(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> bool {
        let _ = (state, input, output);
        true
    }

    /// The heap memory that `state` owns, in bytes: counted against
    /// [`Limits::memory`](crate::Limits::memory).
    fn heap_bytes(&self, state: &Self::State) -> usize {
        let _ = state;
        0
    }

    /// How a picture labels an operation.
    fn describe(&self, input: &Self::Input, output: Option<&Self::Output>) -> String {
        match output {
            Some(output) => format!("{input:?} -> {output:?}"),
            None => format!("{input:?}"),
        }
    }

    /// Says in one sentence why these operations contradict each other, given that they do, and
    /// that the contradiction goes away when any of them is left out. `None` if that is beyond it.
    fn reason(&self, window: &[Operation<&Self::Input, &Self::Output>]) -> Option<String> {
        let _ = window;
        None
    }
}

/// What a [`Model`] promises of all steps with one input and one output, in every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Never changes the state. Such a step is taken as soon as it is possible, and never tried
    /// later. If the promise is broken, either verdict may be wrong.
    Read,
    /// Always possible, and the state afterwards is the same whatever it was before. Nothing that
    /// came before needs to be remembered. If the promise is broken, either verdict may be wrong.
    Overwrite,
    /// Always possible. If the promise is broken, either verdict may be wrong.
    Update,
    /// Nothing is promised.
    Conditional,
}
