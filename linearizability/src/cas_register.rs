//! A register with compare-and-set.

use crate::model::{Kind, Model};

/// A register that holds a number, initially none (`nil`), with read, write and compare-and-set.
#[derive(Clone, Copy, Debug, Default)]
pub struct CasRegister;

/// A request to a [`CasRegister`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegisterInput {
    /// Reads the register.
    Read,
    /// Sets the register.
    Write(i64),
    /// Sets the register to `new` if its value is `expected`.
    Cas {
        /// The expected value.
        expected: i64,
        /// The new value.
        new: i64,
    },
}

/// An answer of a [`CasRegister`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegisterOutput {
    /// The value of a read; `None` is nil.
    Value(Option<i64>),
    /// A write was done.
    Written,
    /// A compare-and-set found the expected value, and set the register.
    Swapped,
    /// A compare-and-set found another value, and changed nothing.
    Mismatch,
}

impl Model for CasRegister {
    type State = Option<i64>;
    type Input = RegisterInput;
    type Output = RegisterOutput;
    type Key = ();

    fn init(&self) -> Option<i64> {
        None
    }

    fn step(
        &self,
        state: &Option<i64>,
        input: &RegisterInput,
        output: Option<&RegisterOutput>,
    ) -> Option<Option<i64>> {
        match (*input, output) {
            (RegisterInput::Read, None) => Some(*state),
            (RegisterInput::Read, Some(RegisterOutput::Value(got))) => {
                (got == state).then_some(*state)
            }
            (RegisterInput::Write(value), None | Some(RegisterOutput::Written)) => {
                Some(Some(value))
            }
            (RegisterInput::Cas { expected, new }, answer) => {
                let is_match = *state == Some(expected);
                let is_answer = match answer {
                    None => true,
                    Some(RegisterOutput::Swapped) => is_match,
                    Some(RegisterOutput::Mismatch) => !is_match,
                    Some(_) => false,
                };
                is_answer.then_some(if is_match { Some(new) } else { *state })
            }
            // An answer to another question.
            (_, Some(_)) => None,
        }
    }

    fn partition(&self, _input: &RegisterInput) {}

    fn kind(&self, input: &RegisterInput, output: Option<&RegisterOutput>) -> Kind {
        match (input, output) {
            (RegisterInput::Read, _) => Kind::Read,
            (RegisterInput::Cas { .. }, Some(RegisterOutput::Mismatch)) => Kind::Read,
            (RegisterInput::Cas { .. }, None) => Kind::Update,
            (RegisterInput::Write(_), None | Some(RegisterOutput::Written)) => Kind::Overwrite,
            _ => Kind::Conditional,
        }
    }

    fn describe(&self, input: &RegisterInput, output: Option<&RegisterOutput>) -> String {
        match (input, output) {
            (RegisterInput::Read, Some(RegisterOutput::Value(Some(got)))) => {
                format!("read -> {got}")
            }
            (RegisterInput::Read, Some(_)) => "read -> nil".to_string(),
            (RegisterInput::Read, None) => "read".to_string(),
            (RegisterInput::Write(value), _) => format!("write({value})"),
            (RegisterInput::Cas { expected, new }, output) => {
                let answer = match output {
                    None => "",
                    Some(RegisterOutput::Mismatch) => " fails",
                    Some(_) => " ok",
                };
                format!("cas({expected}, {new}){answer}")
            }
        }
    }
}
