//! One run on real threads, and what each of its threads knows of it.

use std::cell::RefCell;
use std::panic;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand_pcg::Pcg64;

use crate::runtime::failure::FailureKind;
use crate::runtime::poison::unpoisoned;
use crate::runtime::random::{Stream, stream};
use crate::runtime::task::NodeId;
use crate::runtime::wall;

/// Longest that a thread waits before it looks whether its run is over.
pub(crate) const SLICE: Duration = Duration::from_millis(100);

/// One run on real threads: what its threads share.
pub(crate) struct Run {
    /// Tells it from the other runs of the process; they count from 1.
    pub(super) number: u64,
    /// Real time at which it began.
    pub(super) started: u64,
    /// Decides delays, losses and workloads, though not the schedule.
    seed: u64,
    over: AtomicBool,
    failure: Mutex<Option<Fault>>,
    nodes: Mutex<Vec<Arc<str>>>,
    generators: AtomicU64,
    /// What is left to be done at the end.
    at_end: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

impl Run {
    /// A run that begins now.
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        static RUNS: AtomicU64 = AtomicU64::new(1);
        Arc::new(Self {
            number: RUNS.fetch_add(1, Relaxed),
            started: wall::now(),
            seed,
            over: AtomicBool::new(false),
            failure: Mutex::new(None),
            nodes: Mutex::new(vec!["test".into()]),
            generators: AtomicU64::new(0),
            at_end: Mutex::default(),
        })
    }

    /// Does something at the end of the run.
    pub(crate) fn at_end(&self, action: impl FnOnce() + Send + 'static) {
        unpoisoned(self.at_end.lock()).push(Box::new(action));
    }

    /// Does what is left to be done at the end.
    pub(super) fn clean_up(&self) {
        let at_end = std::mem::take(&mut *unpoisoned(self.at_end.lock()));
        at_end.into_iter().for_each(|action| action());
    }

    /// Ends the run: its threads unwind at their next operation.
    pub(crate) fn finish(&self) {
        self.over.store(true, Relaxed);
    }

    /// Remembers the first failure and ends the run.
    pub(crate) fn fail(&self, fault: Fault) {
        unpoisoned(self.failure.lock()).get_or_insert(fault);
        self.finish();
    }

    /// The first failure.
    pub(crate) fn failure(&self) -> Option<Fault> {
        unpoisoned(self.failure.lock()).clone()
    }

    /// A generator for a thread: seeded from the run and the order in which its threads first drew
    /// a number.
    pub(super) fn fresh_rng(&self) -> Pcg64 {
        let mut base = stream(self.seed, Stream::User);
        base.advance(u128::from(self.generators.fetch_add(1, Relaxed)) << 64);
        base
    }

    pub(crate) fn add_node(&self, name: &str) -> NodeId {
        let mut nodes = unpoisoned(self.nodes.lock());
        nodes.push(name.into());
        NodeId(nodes.len() as u32 - 1)
    }

    pub(crate) fn node_name(&self, node: NodeId) -> Arc<str> {
        let nodes = unpoisoned(self.nodes.lock());
        nodes.get(node.0 as usize).map_or_else(|| "test".into(), Arc::clone)
    }
}

/// Why a run has failed.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: FailureKind,
    /// What is wrong.
    pub(crate) message: String,
    /// Where the code panicked, if it did.
    pub(crate) place: Option<Place>,
}

/// Where code panicked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    /// The line.
    pub(crate) location: Option<String>,
    /// See [`Failure::frames`](crate::Failure::frames).
    pub(crate) frames: Vec<String>,
    /// See [`Failure::backtrace`](crate::Failure::backtrace).
    pub(crate) backtrace: Option<String>,
}

thread_local! {
    /// The run that this thread belongs to.
    static CURRENT: RefCell<Option<Member>> = const { RefCell::new(None) };
}

/// What a thread of a run knows of it.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) run: Arc<Run>,
    /// The node that the thread works for.
    pub(crate) node: NodeId,
}

/// Makes this thread part of a run, or of none; returns what it was part of.
pub(crate) fn enter(member: Option<Member>) -> Option<Member> {
    CURRENT.replace(member)
}

/// Calls `f` with what this thread knows of the run that it belongs to.
pub(crate) fn with_current<R>(f: impl FnOnce(Option<&Member>) -> R) -> R {
    CURRENT.with_borrow(|member| f(member.as_ref()))
}

/// The run that this thread belongs to.
pub(crate) fn current() -> Option<Member> {
    with_current(|member| member.cloned())
}

/// Unwinds the threads of a run that is over. Not a panic: the hook is not called.
pub(super) struct Over;

/// Unwinds the calling thread if its run is over.
pub(crate) fn check_over() {
    let is_over = with_current(|member| member.is_some_and(|member| member.run.over.load(Relaxed)));
    if is_over && !std::thread::panicking() {
        panic::resume_unwind(Box::new(Over));
    }
}

/// Real nanoseconds since the run began, or since the process first asked.
pub(crate) fn now() -> u64 {
    let started = with_current(|member| member.map_or(0, |member| member.run.started));
    wall::now() - started
}
