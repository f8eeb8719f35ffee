//! The operations of a history.

/// One call of a client, with its interval in time.
///
/// Intervals are closed: an operation called at the very instant at which another one returns is
/// concurrent with it. A history is a slice of operations, in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation<I, O> {
    /// The number of the client that called, `C3` in pictures and reasons. A result does not depend
    /// on it: the checker does not assume that a client waits for an answer before its next call.
    pub client: u64,
    /// The request.
    pub input: I,
    /// The answer; `None` if it is not known.
    pub output: Option<O>,
    /// When the client called, in nanoseconds since any origin.
    pub call_time: u64,
    /// When the answer arrived; `None` if the operation is *pending*. A pending operation may take
    /// effect at any time after its call, or never.
    pub return_time: Option<u64>,
}

impl<I, O> Operation<I, O> {
    /// An operation with an answer.
    pub fn completed(client: u64, input: I, output: O, call_time: u64, return_time: u64) -> Self {
        let (output, return_time) = (Some(output), Some(return_time));
        Operation { client, input, output, call_time, return_time }
    }

    /// An operation without an answer.
    pub fn pending(client: u64, input: I, call_time: u64) -> Self {
        Operation { client, input, output: None, call_time, return_time: None }
    }

    /// The same operation with borrowed input and output.
    pub(crate) fn as_ref(&self) -> Operation<&I, &O> {
        Operation {
            client: self.client,
            input: &self.input,
            output: self.output.as_ref(),
            call_time: self.call_time,
            return_time: self.return_time,
        }
    }

    /// Whether the operation returned before `time`, so that whatever is called at `time` comes
    /// after it in every linearization.
    pub(crate) fn returned_before(&self, time: u64) -> bool {
        self.return_time.is_some_and(|returned| returned < time)
    }
}
