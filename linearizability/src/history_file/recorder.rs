//! Matches completions to invocations.

use std::collections::BTreeMap;

use crate::Operation;

/// What an event says of its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventType {
    /// `:invoke`: it was called.
    Invoke,
    /// `:ok`: it was answered.
    Ok,
    /// `:fail`: it is known that it did not take effect.
    Fail,
    /// `:info`: it is unknown whether it did, or will.
    Info,
}

impl EventType {
    /// Reads an event type.
    pub fn parse(word: &str) -> Result<Self, String> {
        match word {
            ":invoke" => Ok(EventType::Invoke),
            ":ok" => Ok(EventType::Ok),
            ":fail" => Ok(EventType::Fail),
            ":info" => Ok(EventType::Info),
            _ => Err(format!("unknown event type {word:?}")),
        }
    }
}

/// The operations read so far.
#[derive(Debug)]
pub(super) struct Recorder<I, O> {
    /// In the order of their calls; `None` for those that failed.
    operations: Vec<Option<Operation<I, O>>>,
    /// The operation that each process waits for.
    waiting: BTreeMap<u64, usize>,
}

impl<I, O> Recorder<I, O> {
    /// Nothing read.
    pub fn new() -> Self {
        Recorder { operations: Vec::new(), waiting: BTreeMap::new() }
    }

    /// A process called.
    pub fn invoke(&mut self, process: u64, input: I, time: u64) -> Result<(), String> {
        if self.waiting.contains_key(&process) {
            return Err(format!("process {process} called before its last call was answered"));
        }
        self.waiting.insert(process, self.operations.len());
        self.operations.push(Some(Operation::pending(process, input, time)));
        Ok(())
    }

    /// A process was answered. Returns the operation, for its output to be filled in.
    pub fn complete(&mut self, process: u64, time: u64) -> Result<&mut Operation<I, O>, String> {
        let index = self.end(process)?;
        let operation = self.operations[index].as_mut();
        let operation = operation.expect("an operation fails only when its process stops waiting");
        operation.return_time = Some(time);
        Ok(operation)
    }

    /// A process was told that its call had no effect.
    pub fn fail(&mut self, process: u64) -> Result<(), String> {
        let index = self.end(process)?;
        self.operations[index] = None;
        Ok(())
    }

    /// A process gave up waiting.
    pub fn abandon(&mut self, process: u64) -> Result<(), String> {
        self.end(process).map(drop)
    }

    /// The history. A client that still waits leaves a pending operation.
    pub fn into_history(self) -> Vec<Operation<I, O>> {
        self.operations.into_iter().flatten().collect()
    }

    /// A process does not wait any more.
    fn end(&mut self, process: u64) -> Result<usize, String> {
        let index = self.waiting.remove(&process);
        index.ok_or_else(|| format!("process {process} was answered without having called"))
    }
}
