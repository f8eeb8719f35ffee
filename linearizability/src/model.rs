//! Sequential specifications of objects.

use std::fmt::Debug;
use std::hash::Hash;

use crate::Operation;

/// A sequential specification: the object as it would behave with a single client.
///
/// [`init`](Model::init), [`step`](Model::step) and [`partition`](Model::partition) define it.
/// [`kind`](Model::kind) and [`reachable`](Model::reachable) are *declarations*: they add nothing
/// to the specification but make the search faster, often by orders of magnitude. Their defaults
/// promise nothing. A wrong declaration makes results wrong, so test each model against a
/// brute-force search, as the tests of this crate do.
pub trait Model {
    /// The state of the object.
    type State: Clone + Eq + Hash;
    /// A request with its arguments.
    type Input: Debug + Eq + Hash;
    /// An answer.
    type Output: Debug + Eq + Hash;
    /// Names a part of the object that is independent of the other parts; `()` for just one part.
    type Key: Debug + Ord;

    /// The state before the first operation.
    fn init(&self) -> Self::State;

    /// The state after `input` was executed in `state` with the answer `output`; `None` if that
    /// answer is not possible. A step without an output is always possible, because any answer is
    /// allowed, and the state after it must not depend on the answer.
    fn step(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Option<Self::State>;

    /// The part of the object that `input` touches. A history is linearizable exactly if its
    /// restriction to each part is (locality: Herlihy & Wing 1990, section 3.2), so each part is
    /// checked separately, starting from [`init`](Model::init).
    fn partition(&self, input: &Self::Input) -> Self::Key;

    /// Declares what all steps with this input and output have in common; see [`Kind`].
    fn kind(&self, input: &Self::Input, output: Option<&Self::Output>) -> Kind {
        let _ = (input, output);
        Kind::Conditional
    }

    /// Declares, by returning `false`, that from `state` no sequence of operations without a
    /// [`Kind::Overwrite`] leads to a state in which this step is possible.
    ///
    /// The search can then abandon a branch long before the operation that makes it fail. If a
    /// declaration is wrong, linearizable histories are called illegal.
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

    /// The label of an operation in a picture.
    fn describe(&self, input: &Self::Input, output: Option<&Self::Output>) -> String {
        match output {
            Some(output) => format!("{input:?} -> {output:?}"),
            None => format!("{input:?}"),
        }
    }

    /// Explains in one sentence why these operations contradict each other; `None` if the model has
    /// no explanation. The operations do contradict each other, and without any one of them the
    /// rest do not.
    fn reason(&self, window: &[Operation<&Self::Input, &Self::Output>]) -> Option<String> {
        let _ = window;
        None
    }
}

/// What a [`Model`] promises about all steps with one input and one output, in every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Never changes the state. The search takes such a step as soon as it is possible, and does
    /// not try it later. If the promise is broken, either result may be wrong.
    Read,
    /// Always possible, and the state after it does not depend on the state before it. If the
    /// promise is broken, either result may be wrong.
    Overwrite,
    /// Always possible. If the promise is broken, either result may be wrong.
    Update,
    /// Nothing is promised.
    Conditional,
}
