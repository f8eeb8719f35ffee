//! The heart of a simulation: its clock, its tasks, and how a task waits and is woken.
//!
//! Everything here happens on one thread, one thing at a time, so plain cells suffice. No borrow of
//! a cell is held while a task is resumed or a caller's closure runs.
//!
//! Invariants:
//! * a slot is in `ready` exactly if its state is [`State::Ready`];
//! * `next_due` is at most the time of the earliest timer;
//! * the clock never goes back.

mod held_over;
pub(crate) mod keyed_mode;
mod kill;
pub(crate) mod lock_table;
mod locks;
mod recent_lines;
mod recording;
mod report;
mod schedule;
mod wait;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::Location;
use std::sync::{Arc, Mutex};

use contract::accidents::Accidents;
use contract::recording::What;
use rand_pcg::Pcg64;

use self::held_over::HeldOver;
use self::lock_table::LockTable;
use self::recent_lines::RecentLines;
use super::activity::Activity;
use super::failure::{Failure, FailureKind};
use super::keyed::Keyed;
use super::poison::unpoisoned;
use super::policy::{Interruption, Policy, Scheduler};
use super::random::{Stream, stream};
use super::recorder::Recorder;
use super::sys::fiber::StackPool;
use super::task::{Handled, NodeId, Slot, State, Wait};
use super::timers::Timers;
use super::trace::{Event, Kind, Trace};

/// Virtual nanoseconds that each operation costs, so that a loop that polls gets somewhere.
const OPERATION_COST: u64 = 50;

/// The number of operations without a switch after which a task lets others run.
const LONGEST_BURST: u32 = 1_000;

/// More tasks alive than this is a leak, not a lab.
const MOST_TASKS: usize = 10_000;

/// The task that runs, with what operations ask of it.
#[derive(Clone, Copy)]
struct Current {
    slot: u32,
    serial: u32,
    node: NodeId,
}

impl Current {
    /// No task: the scheduler itself runs.
    const SCHEDULER: Self = Self { slot: u32::MAX, serial: 0, node: NodeId::TEST };
}

/// A node: a server's incarnation, or the test.
pub(crate) struct NodeState {
    /// Its name in logs and reports.
    pub(crate) name: Arc<str>,
    /// False once crashed.
    pub(crate) alive: bool,
}

/// One simulation. See the head of this file.
pub(crate) struct Core {
    /// The seed that decides everything.
    pub(crate) seed: u64,
    /// The policy that chooses among schedules.
    pub(crate) policy: Policy,
    /// Virtual nanoseconds since the start.
    now: Cell<u64>,
    /// Virtual time after which the run fails.
    time_limit: u64,
    next_due: Cell<u64>,
    burst: Cell<u32>,
    current: Cell<Current>,
    current_dead: Cell<bool>,
    /// A log line is being put into words, see [`Core::unobserved`].
    unobserved: Cell<bool>,
    slots: RefCell<Vec<Slot>>,
    free: RefCell<Vec<u32>>,
    ready: RefCell<VecDeque<u32>>,
    timers: RefCell<Timers>,
    scheduler: RefCell<Scheduler>,
    stacks: RefCell<StackPool>,
    next_serial: Cell<u32>,
    nodes: RefCell<Vec<NodeState>>,
    /// What is left to be done once every task has ended.
    at_end: RefCell<Vec<Box<dyn FnOnce()>>>,
    failure: RefCell<Option<Failure>>,
    /// The record of what happened.
    pub(crate) trace: RefCell<Trace>,
    /// The keyed mode, if this is a run in which accidents are chosen; see there.
    pub(crate) keyed: Option<Box<Keyed>>,
    /// Numbers for the network.
    pub(crate) network_rng: RefCell<Pcg64>,
    /// Numbers for tests and servers.
    pub(crate) user_rng: RefCell<Pcg64>,
    /// Which tasks wait for which lock.
    pub(crate) locks: LockTable,
    /// Locks that were held while their owner waited for something else.
    pub(crate) held_over: RefCell<HeldOver>,
    /// The lines of the log that the failure report shows.
    pub(crate) recent_lines: RecentLines,
    /// What a picture of the run shows, if there is to be one.
    pub(crate) recorder: Option<Recorder>,
    /// Where each task was spawned, by serial number; kept while two replays are compared.
    pub(crate) spawn_sites: Option<SpawnSites>,
    /// What the watchdog sees of all this.
    pub(crate) activity: Arc<Activity>,
}

/// Where tasks were spawned, by serial number.
pub(crate) type SpawnSites = Arc<Mutex<Vec<&'static Location<'static>>>>;

impl Core {
    /// A simulation in which nothing has happened yet.
    pub(crate) fn new(
        seed: u64,
        policy: Policy,
        time_limit: u64,
        trace: Trace,
        activity: Arc<Activity>,
    ) -> Self {
        let test = NodeState { name: "test".into(), alive: true };
        Self {
            seed,
            policy,
            now: Cell::new(0),
            time_limit,
            next_due: Cell::new(u64::MAX),
            burst: Cell::new(0),
            current: Cell::new(Current::SCHEDULER),
            current_dead: Cell::new(true),
            unobserved: Cell::new(false),
            slots: RefCell::default(),
            free: RefCell::default(),
            ready: RefCell::default(),
            timers: RefCell::default(),
            scheduler: RefCell::new(Scheduler::new(policy, stream(seed, Stream::Schedule))),
            stacks: RefCell::default(),
            next_serial: Cell::new(1),
            nodes: RefCell::new(vec![test]),
            at_end: RefCell::default(),
            failure: RefCell::new(None),
            trace: RefCell::new(trace),
            keyed: None,
            network_rng: RefCell::new(stream(seed, Stream::Network)),
            user_rng: RefCell::new(stream(seed, Stream::User)),
            locks: LockTable::new(&activity),
            held_over: RefCell::default(),
            recent_lines: RecentLines::default(),
            recorder: None,
            spawn_sites: None,
            activity,
        }
    }

    /// Selects the keyed mode, before anything happens.
    pub(crate) fn select_keyed_mode(&mut self, accidents: Accidents) {
        let stalls = self.policy == Policy::Stall;
        self.scheduler =
            RefCell::new(Scheduler::new(Policy::Fifo, stream(self.seed, Stream::Schedule)));
        self.keyed = Some(Box::new(Keyed::new(self.seed, accidents, stalls)));
    }

    /// Virtual nanoseconds since the start. Costs nothing: for the runtime and the logger.
    pub(crate) fn now(&self) -> u64 {
        self.now.get()
    }

    /// Begins an operation on which tasks synchronize: costs virtual time and may let others run.
    /// False in dead mode, where the operation must neither wait nor take effect.
    pub(crate) fn enter(&self) -> bool {
        if !self.charge() {
            return false;
        }
        let on_server = self.current_node() != NodeId::TEST;
        let interruption = match &self.keyed {
            None => self.scheduler.borrow_mut().before_operation(on_server),
            Some(keyed) => self.keyed_stall(keyed, on_server).map(Interruption::Stall),
        };
        match interruption {
            None => {}
            Some(Interruption::Yield) => self.yield_now(),
            Some(Interruption::Demote(priority)) => {
                self.with_current(|slot| slot.priority = priority);
                self.yield_now();
            }
            Some(Interruption::Stall(nanos)) => {
                self.record(Kind::Stall, nanos, 0);
                self.draw(|| self.stall(nanos));
                let until = self.now() + nanos;
                self.wait(self.waiter(), Wait::Stall, Location::caller(), Some(until));
            }
        }
        !self.current_dead.get()
    }

    /// Begins an operation that no other task can notice, such as reading the clock. False in dead
    /// mode.
    pub(crate) fn charge(&self) -> bool {
        if self.current_dead.get() {
            self.enter_dead();
            return false;
        }
        self.activity.count_operation();
        self.now.set(self.now.get() + OPERATION_COST);
        self.burst.set(self.burst.get() + 1);
        if self.now.get() >= self.next_due.get() || self.burst.get() > LONGEST_BURST {
            self.let_others_in();
        }
        true
    }

    /// Lets others run although the current task has not asked for it. Under [`Policy::Pct`] it
    /// must step back for that: it would be chosen again at once, and might poll forever.
    #[cold]
    fn let_others_in(&self) {
        if self.policy == Policy::Pct && self.burst.get() > LONGEST_BURST {
            let priority = self.scheduler.borrow_mut().lowest_priority();
            self.with_current(|slot| slot.priority = priority);
        }
        self.yield_now();
    }

    /// Runs `f`, which puts a log line into words, in such a way that no operation in it costs
    /// time, lets others run, or takes effect: whether a line is wanted must not change the run.
    pub(crate) fn unobserved<R>(&self, f: impl FnOnce() -> R) -> R {
        /// Ends the special state however `f` ends.
        struct Restore<'a>(&'a Core);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.observe_again();
            }
        }
        self.current_dead.set(true);
        self.unobserved.set(true);
        let _restore = Restore(self);
        f()
    }

    /// Ends [`Core::unobserved`], at the latest when a task waits in spite of it.
    pub(super) fn observe_again(&self) {
        if self.unobserved.replace(false) {
            self.current_dead.set(!self.in_task() || self.with_current(|slot| slot.dead));
        }
    }

    /// Does something once every task has ended.
    pub(crate) fn at_end(&self, action: impl FnOnce() + 'static) {
        self.at_end.borrow_mut().push(Box::new(action));
    }

    /// True if the current task must not wait and nothing that it does may take effect.
    pub(crate) fn is_dead(&self) -> bool {
        self.current_dead.get()
    }

    /// Creates a task on `node` that will run `body`; returns its serial number.
    pub(crate) fn spawn(
        &self,
        node: NodeId,
        site: &'static Location<'static>,
        body: Box<dyn FnOnce()>,
    ) -> u32 {
        self.spawn_for(None, node, site, body)
    }

    /// Creates a task. `handled` is what it handles, if it runs a handler.
    pub(crate) fn spawn_for(
        &self,
        handled: Option<Handled>,
        node: NodeId,
        site: &'static Location<'static>,
        body: Box<dyn FnOnce()>,
    ) -> u32 {
        let serial = self.next_serial.get();
        self.next_serial.set(serial + 1);
        let mut slots = self.slots.borrow_mut();
        let index = self.free.borrow_mut().pop().unwrap_or_else(|| {
            slots.push(Slot::free());
            slots.len() as u32 - 1
        });
        let alive = self.nodes.borrow()[node.0 as usize].alive;
        let slot = &mut slots[index as usize];
        slot.serial = serial;
        slot.node = node;
        slot.site = site;
        let message = handled.as_ref().and_then(|handled| handled.key);
        slot.handles = handled.map(|handled| handled.call);
        slot.state = State::Ready;
        slot.dead = !alive;
        slot.body = Some(body);
        slot.priority = self.scheduler.borrow_mut().new_priority();
        let tasks = slots.len() - self.free.borrow().len();
        drop(slots);
        self.ready.borrow_mut().push_back(index);
        self.activity.label(index, site);
        if let Some(sites) = &self.spawn_sites {
            unpoisoned(sites.lock()).push(site);
        }
        if let Some(keyed) = &self.keyed {
            let Current { slot, node: parents, .. } = self.current.get();
            keyed.spawned(index, node, site, message, (slot, parents));
        }
        self.record(Kind::Spawn, serial.into(), node.0.into());
        if self.in_task() {
            self.draw(|| What::Spawn { child: serial, on: self.node_name(node).to_string() });
        }
        if tasks > MOST_TASKS {
            self.fail(FailureKind::TooManyTasks, self.too_many_tasks());
        }
        serial
    }

    pub(crate) fn add_node(&self, name: &str) -> NodeId {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(NodeState { name: name.into(), alive: true });
        if let Some(keyed) = &self.keyed {
            keyed.add_node(name);
        }
        NodeId(nodes.len() as u32 - 1)
    }

    pub(crate) fn node_name(&self, node: NodeId) -> Arc<str> {
        Arc::clone(&self.nodes.borrow()[node.0 as usize].name)
    }

    /// Whether a node has not crashed.
    pub(crate) fn is_alive(&self, node: NodeId) -> bool {
        self.nodes.borrow()[node.0 as usize].alive
    }

    /// The node of the current task; the test's outside tasks.
    pub(crate) fn current_node(&self) -> NodeId {
        self.current.get().node
    }

    /// The serial number of the current task, 0 for the scheduler.
    pub(crate) fn current_serial(&self) -> u32 {
        self.current.get().serial
    }

    /// The slot of the current task.
    pub(crate) fn current_slot(&self) -> u32 {
        self.current.get().slot
    }

    /// Reads or changes the slot of the current task.
    pub(crate) fn with_current<R>(&self, f: impl FnOnce(&mut Slot) -> R) -> R {
        f(&mut self.slots.borrow_mut()[self.current_slot() as usize])
    }

    /// Reads all slots.
    pub(crate) fn with_slots<R>(&self, f: impl FnOnce(&[Slot]) -> R) -> R {
        f(&self.slots.borrow())
    }

    /// Records an event of the current task.
    pub(crate) fn record(&self, kind: Kind, a: u64, b: u64) {
        let event = Event { at: self.now(), task: self.current_serial(), kind, a, b };
        self.trace.borrow_mut().push(event);
    }

    /// Ends the simulation with a failure, unless one is known already.
    pub(crate) fn fail(&self, kind: FailureKind, message: String) {
        if self.failure.borrow().is_none() {
            let failure = self.observe(kind, message);
            *self.failure.borrow_mut() = Some(failure);
        }
    }

    /// Adds to what is known of the failure.
    pub(crate) fn amend_failure(&self, amend: impl FnOnce(&mut Failure)) {
        if let Some(failure) = &mut *self.failure.borrow_mut() {
            amend(failure);
        }
    }
}
