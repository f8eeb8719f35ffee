//! The calls of the clients of a key/value service, and those that are under way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::recording::Culprit;
use linearizability::{KvInput, KvModel, KvOutput, Model as _, Operation};

use crate::poison::unpoisoned;

/// A call as the checker knows it.
pub(crate) type Call = Operation<KvInput, KvOutput>;

/// All calls, in the order in which they began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    pub(crate) list: Vec<Call>,
    /// The numbers of the calls in the recording of the run.
    pub(crate) numbers: Vec<u64>,
}

/// What a report says of calls that are still under way.
#[derive(Clone, Debug)]
pub(crate) struct OpenCalls(pub(crate) Arc<Mutex<Calls>>);

impl OpenCalls {
    /// The call that has waited for the longest time; `None` if all that are open began after
    /// `latest`.
    pub(crate) fn oldest(&self, latest: Duration) -> Option<OpenCall> {
        self.first(|call| Duration::from_nanos(call.call_time) <= latest)
    }

    /// The first open call of this kind.
    pub(crate) fn first(&self, is_wanted: impl Fn(&Call) -> bool) -> Option<OpenCall> {
        let calls = unpoisoned(self.0.lock());
        let mut open = calls.list.iter().zip(&calls.numbers);
        let (open, number) =
            open.find(|(call, _)| call.return_time.is_none() && is_wanted(call))?;
        let (call, client) = (KvModel.describe(&open.input, None), open.client);
        let since = Duration::from_nanos(open.call_time).as_secs_f64();
        let text = format!("{call} of C{client} has not returned since {since:.3} s");
        let culprit = Culprit { operations: vec![*number], ..Culprit::default() };
        Some(OpenCall { text, culprit })
    }
}

/// A call that has not returned.
#[derive(Clone, Debug)]
pub struct OpenCall {
    /// The call in words.
    pub text: String,
    /// The operation.
    pub culprit: Culprit,
}
