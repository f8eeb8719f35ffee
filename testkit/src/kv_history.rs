//! What the clients of a key/value service saw, for the checker of linearizability.

use std::sync::{Arc, Mutex, MutexGuard};

use contract::recording::Culprit;
use labrpc::Instant;
use linearizability::{
    CheckResult, KvInput, KvModel, KvOutput, Limits, Model as _, Operation, Report, check, explain,
};

use crate::client::Client;
use crate::kv_calls::{Call, Calls, OpenCall, OpenCalls};
use crate::poison::unpoisoned;
use crate::record::Assigned;
use crate::sim::Sim;
use crate::violation::Violation;

/// The calls of all clients of a run, those included that are still under way. Clones are the same
/// history.
///
/// ```
/// use testkit::{Client, KvHistory, lab_test};
///
/// lab_test("everyone_agrees_0a", |sim| {
///     let history = KvHistory::new(sim);
///     let mut clerk = history.clerk(
///         &Client::new(sim, &[]),
///         String::new(), // A service that knows one key.
///         |service, _key| service.clone(),
///         |service, _key, value| *service = value.to_string(),
///         |service, _key, value| service.push_str(value),
///     );
///     clerk.put("k", "a");
///     clerk.append("k", "b");
///     assert_eq!(clerk.get("k"), "ab");
///     assert_eq!(history.len(), 3);
///     history.check();
/// });
/// ```
#[derive(Clone)]
pub struct KvHistory {
    sim: Sim,
    /// Never locked across a call of the runtime.
    calls: Arc<Mutex<Calls>>,
}

/// A client whose calls are recorded, whatever the lab's own client looks like.
pub struct KvClerk {
    history: KvHistory,
    client: Client,
    execute: Box<dyn FnMut(&KvInput) -> KvOutput + Send>,
}

impl KvHistory {
    /// A history in which nothing has happened.
    pub fn new(sim: &Sim) -> Self {
        let history = Self { sim: sim.clone(), calls: Arc::default() };
        sim.note_calls(OpenCalls(Arc::clone(&history.calls)));
        history
    }

    /// A clerk that makes its calls by these methods of a lab's clerk, and records them here as
    /// those of `client`, whose ends it uses.
    pub fn clerk<C: Send + 'static>(
        &self,
        client: &Client,
        mut clerk: C,
        get: fn(&mut C, &str) -> String,
        put: fn(&mut C, &str, &str),
        append: fn(&mut C, &str, &str),
    ) -> KvClerk {
        let execute = move |input: &KvInput| {
            match input {
                KvInput::Get { key } => return KvOutput::Value(get(&mut clerk, key)),
                KvInput::Put { key, value } => put(&mut clerk, key, value),
                KvInput::Append { key, value } => append(&mut clerk, key, value),
            }
            KvOutput::Done
        };
        let (history, client) = (self.clone(), client.clone());
        KvClerk { history, client, execute: Box::new(execute) }
    }

    /// The call of a client that has not returned; `None` if all have.
    pub fn open_call(&self, client: &Client) -> Option<OpenCall> {
        OpenCalls(Arc::clone(&self.calls)).first(|call| call.client == client.number())
    }

    /// The last call of a client, as the culprit of a violation.
    pub fn last_call(&self, client: &Client) -> Culprit {
        let calls = self.calls();
        let mut of_client = calls.list.iter().zip(&calls.numbers).rev();
        let last = of_client.find(|(call, _)| call.client == client.number());
        Culprit {
            at: last.and_then(|(call, _)| Some(call.return_time? / 1_000)),
            operations: last.iter().map(|(_, number)| **number).collect(),
            ..Culprit::default()
        }
    }

    /// How many calls were made.
    #[expect(clippy::len_without_is_empty, reason = "not needed")]
    pub fn len(&self) -> usize {
        self.calls().list.len()
    }

    /// Fails the run unless all calls together are linearizable. Notes that it proves nothing if
    /// the checker gives up.
    #[track_caller]
    pub fn check(&self) {
        let Calls { list: calls, numbers } = self.calls().clone();
        self.sim.set_commits(calls.len() as u64);
        let limits = limits();
        match labrpc::without_watchdog(|| check(&KvModel, &calls, &limits)) {
            CheckResult::Ok => {}
            CheckResult::Illegal => {
                let report = labrpc::without_watchdog(|| explain(&KvModel, &calls, &limits));
                self.sim.fail(violation(&report, &calls, &numbers));
            }
            CheckResult::Unknown => self.sim.unknown(doubt(&KvModel, &calls, &limits)),
        }
    }

    /// Notes that a call begins; returns its number.
    fn begin(&self, client: &Client, input: &KvInput) -> usize {
        let now = Instant::now().as_nanos();
        let mut calls = self.calls();
        calls.list.push(Operation::pending(client.number(), input.clone(), now));
        let text = || KvModel.describe(input, None);
        calls.numbers.push(self.sim.begin_operation(client.name(), Some(input.key()), text));
        calls.list.len() - 1
    }

    /// Notes how a call has ended.
    fn end(&self, call: usize, output: &KvOutput) {
        let now = Instant::now().as_nanos();
        let mut calls = self.calls();
        self.sim.complete_operation(calls.numbers[call], || match output {
            KvOutput::Value(value) => format!("{value:?}"),
            KvOutput::Done => "done".to_string(),
        });
        let call = &mut calls.list[call];
        call.output = Some(output.clone());
        call.return_time = Some(now);
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        unpoisoned(self.calls.lock())
    }
}

/// When the checker gives up. A judge that has seen it give up repeats the run with ten times the
/// configurations, but with only twice the memory: a process has a limit for all that it does.
fn limits() -> Limits {
    let usual = Limits::default();
    match Assigned::to_this_process() {
        Some(assigned) if assigned.assignment.patient => {
            let (configurations, memory) = (usual.configurations * 10, usual.memory * 2);
            Limits { configurations, memory, ..usual }
        }
        _ => usual,
    }
}

/// What is wrong with an illegal history, whose calls have these numbers in the recording.
fn violation(report: &Report<String>, calls: &[Call], numbers: &[u64]) -> Violation {
    let property = "every call takes effect once, between its start and its return";
    let Some(window) = report.window() else {
        return Violation::new(property, "history is not linearizable");
    };
    let bars: String = window.picture.lines().map(|bar| format!("\n    {bar}")).collect();
    let actual = format!("history is not linearizable: {}{bars}", window.reason);
    // The calls contradict each other from the moment on at which the last of them returns.
    let returned = window.operations.iter().filter_map(|&call| calls[call].return_time).max();
    Violation::new(property, actual).culprit(Culprit {
        at: returned.map(|nanos| nanos / 1_000),
        operations: window.operations.iter().map(|&call| numbers[call]).collect(),
        ..Culprit::default()
    })
}

/// Why a history could not be judged.
fn doubt(model: &KvModel, calls: &[Call], limits: &Limits) -> String {
    let report = labrpc::without_watchdog(|| explain(model, calls, limits));
    let undecided =
        report.partitions.iter().find_map(|part| part.limit.map(|why| (why, &part.key)));
    let of = calls.len();
    match undecided {
        Some((why, key)) => format!("{why} while checking key {key:?} of a history of {of} calls"),
        None => format!("a history of {of} calls was too hard for the checker"),
    }
}

impl KvClerk {
    /// The value of a key.
    pub fn get(&mut self, key: &str) -> String {
        match self.record(KvInput::get(key)) {
            KvOutput::Value(value) => value,
            KvOutput::Done => unreachable!("a get is answered with a value"),
        }
    }

    /// Replaces the value of a key.
    pub fn put(&mut self, key: &str, value: &str) {
        self.record(KvInput::put(key, value));
    }

    /// Extends the value of a key.
    pub fn append(&mut self, key: &str, value: &str) {
        self.record(KvInput::append(key, value));
    }

    /// The client whose calls are recorded.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Makes a call and records it.
    fn record(&mut self, input: KvInput) -> KvOutput {
        let call = self.history.begin(&self.client, &input);
        let output = (self.execute)(&input);
        self.history.end(call, &output);
        output
    }
}
