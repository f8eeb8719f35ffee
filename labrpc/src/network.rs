//! The network between servers: which messages arrive, when, and which do not.
//!
//! The life of a call, as in the course's labrpc:
//!
//! 1. the request is counted, and the switches are read;
//! 2. if the end is disabled, not connected, cut off, or the server is gone, the call fails after a
//!    while: up to 100 ms, with long delays up to 7 s;
//! 3. otherwise the request travels, may be lost, and its handler runs in a task of its own;
//! 4. every 100 ms the network asks whether the server is still the same and can be reached; if
//!    not, the call fails, whatever the handler does later. It asks once more when the handler has
//!    returned: no caller is told of success by a server that has been replaced meanwhile;
//! 5. the reply may be lost or, with long reordering, held back for long; otherwise it travels.
//!
//! Steps 3 and 5 differ from the course in one respect: in a simulation a message takes some time
//! even on a reliable network ([`fate::BASE_LATENCY`]), and one whose path was cut meanwhile does
//! not arrive.

mod call;
mod carry;
mod fate;
mod in_flight;
mod links;
mod message;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use contract::recording::{Fault, What};

use self::fate::Conditions;
use self::in_flight::InFlightCalls;
use self::links::{EndId, Held, Links, Path};
use crate::client_end::ClientEnd;
use crate::runtime::port::{self, Kind, RunNumber, digest, unpoisoned};
use crate::server::Server;

/// A network of servers, and the ends from which they are called. Clones are the same network.
///
/// A test makes one, adds servers and ends, and then lets the network misbehave. See the
/// [crate's documentation](crate) for an example.
#[derive(Clone)]
pub struct Network(Arc<Mutex<State>>);

/// What the network's lock guards. Nothing waits while it is held.
struct State {
    links: Links,
    calls: InFlightCalls,
    /// Messages that are held, in the order in which they were sent: each travels on when it is
    /// called.
    held: Vec<Box<dyn FnOnce() + Send>>,
    conditions: Conditions,
    closed: bool,
    rpcs: u64,
    bytes: u64,
}

/// A line is busy if it has made this number of calls on one end in each second of the run, and
/// this number in all: a leader that sends each command as it comes calls a follower a hundred times
/// in a second.
const BUSY_PER_SECOND: u64 = 200;
const BUSY: u64 = 1_000;

impl Drop for State {
    /// Tells a run that has failed which lines were busy with calls.
    fn drop(&mut self) {
        port::note_busy_calls(|seconds| {
            self.links.busiest_callers((BUSY_PER_SECOND * seconds).max(BUSY))
        });
    }
}

struct NetworkEnd {
    network: Network,
    id: EndId,
    /// The simulation in which it was made.
    run: RunNumber,
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Network {
    /// A reliable network without servers.
    pub fn new() -> Self {
        let network = Self(Arc::new(Mutex::new(State {
            links: Links::default(),
            calls: InFlightCalls::default(),
            held: Vec::new(),
            conditions: Conditions::INITIAL,
            closed: false,
            rpcs: 0,
            bytes: 0,
        })));
        // The network holds the servers, and they hold ends, which hold the network: without this
        // no run would ever give its memory back.
        let state = Arc::downgrade(&network.0);
        port::at_end_of_run(move || {
            state.upgrade().into_iter().for_each(|state| Network(state).dismantle())
        });
        network
    }

    /// Lets go of all servers and of the calls on their way to them.
    fn dismantle(&self) {
        let mut state = self.state();
        state.closed = true;
        let (servers, calls) = (state.links.take_servers(), state.calls.take_all());
        let held = std::mem::take(&mut state.held);
        drop(state);
        drop((servers, calls, held)); // Not under the lock: this may run anything.
    }

    /// An unreliable network delays requests by up to 26 ms, and loses one request in ten and one
    /// reply in ten.
    pub fn set_reliable(&self, reliable: bool) {
        self.change("reliable", reliable.into(), |state| state.conditions.reliable = reliable);
        draw_switch(reliable, "reliable", "unreliable");
    }

    /// With long delays, a call to a server that cannot be reached takes up to 7 s to fail instead
    /// of 100 ms.
    pub fn set_long_delays(&self, long_delays: bool) {
        self.change("long delays", long_delays.into(), |state| {
            state.conditions.long_delays = long_delays
        });
        draw_switch(long_delays, "long delays", "no long delays");
    }

    /// With long reordering, two replies in three are held back for 200 to 2199 ms.
    pub fn set_long_reordering(&self, long_reordering: bool) {
        self.change("long reordering", long_reordering.into(), |state| {
            state.conditions.long_reordering = long_reordering;
        });
        draw_switch(long_reordering, "long reordering", "no long reordering");
    }

    /// Whether the network is reliable.
    pub fn is_reliable(&self) -> bool {
        self.read(|state| state.conditions.reliable)
    }

    /// Whether calls to a server that cannot be reached take long to fail.
    pub fn has_long_delays(&self) -> bool {
        self.read(|state| state.conditions.long_delays)
    }

    /// Makes an end with this name, disabled and not connected to any server.
    ///
    /// # Panics
    /// If there is an end with this name.
    pub fn make_end(&self, name: &str) -> ClientEnd {
        self.add_end(name, None)
    }

    /// Makes an end with this name that belongs to the server `owner`: partitions between `owner`
    /// and another server cut it too.
    ///
    /// # Panics
    /// If there is an end with this name.
    pub fn make_end_of(&self, owner: &str, name: &str) -> ClientEnd {
        self.add_end(name, Some(owner))
    }

    /// Makes an end.
    fn add_end(&self, name: &str, owner: Option<&str>) -> ClientEnd {
        let id = self.state().links.add_end(name, owner);
        ClientEnd::new(Arc::new(NetworkEnd { network: self.clone(), id, run: port::this_run() }))
    }

    /// Forgets an end; calls on it fail from now on.
    ///
    /// # Panics
    /// If there is no such end.
    pub fn delete_end(&self, name: &str) {
        self.change("delete end", digest(name.as_bytes()), |state| state.links.delete_end(name));
    }

    /// Registers a server under this name, in place of the one that had it.
    pub fn add_server(&self, name: &str, server: Server) {
        self.change("add server", digest(name.as_bytes()), |state| {
            state.links.set_server(name, Some(server))
        });
    }

    /// Removes the server with this name, if there is one. Calls to it fail.
    pub fn delete_server(&self, name: &str) {
        self.change("delete server", digest(name.as_bytes()), |state| {
            state.links.set_server(name, None)
        });
    }

    /// Connects an end to the server with this name, now and after any restart of it.
    ///
    /// # Panics
    /// If there is no such end.
    pub fn connect(&self, end: &str, server: &str) {
        self.change("connect", digest(end.as_bytes()), |state| state.links.connect(end, server));
    }

    /// Lets calls on an end through.
    ///
    /// # Panics
    /// If there is no such end.
    pub fn enable(&self, end: &str) {
        self.change("enable", digest(end.as_bytes()), |state| state.links.enable(end, true));
    }

    /// Lets no call on an end through.
    ///
    /// # Panics
    /// If there is no such end.
    pub fn disable(&self, end: &str) {
        self.change("disable", digest(end.as_bytes()), |state| state.links.enable(end, false));
    }

    /// Cuts the one-way link on which `from` calls `to`. Replies travel with their calls.
    pub fn cut(&self, from: &str, to: &str) {
        self.change("cut", digest(format!("{from} {to}").as_bytes()), |state| {
            state.links.cut(from, to);
        });
    }

    /// Mends the one-way link on which `from` calls `to`.
    pub fn mend(&self, from: &str, to: &str) {
        self.change("mend", digest(format!("{from} {to}").as_bytes()), |state| {
            state.links.mend(from, to);
        });
    }

    /// Splits servers into sides that cannot reach each other. Within a side every link is whole.
    /// Servers that are on no side, and ends without an owner, are not affected.
    pub fn partition(&self, sides: &[&[&str]]) {
        self.change("partition", digest(format!("{sides:?}").as_bytes()), |state| {
            for (i, side) in sides.iter().enumerate() {
                for (j, other) in sides.iter().enumerate() {
                    for (from, to) in side.iter().flat_map(|a| other.iter().map(move |b| (a, b))) {
                        if i == j { state.links.mend(from, to) } else { state.links.cut(from, to) }
                    }
                }
            }
        });
    }

    /// Mends every link that was cut. Ends that are disabled stay so.
    pub fn heal(&self) {
        self.change("heal", 0, |state| state.links.mend_all());
    }

    /// Holds requests: those of `from` to `to` that are sent from now on wait on their way until
    /// they are [released](Network::release).
    pub fn hold_requests(&self, from: &str, to: &str) {
        self.hold(from, to, Held::Requests);
    }

    /// Holds replies: those to requests of `from` to `to` that are sent from now on wait on their way
    /// until they are [released](Network::release).
    pub fn hold_replies(&self, from: &str, to: &str) {
        self.hold(from, to, Held::Replies);
    }

    fn hold(&self, from: &str, to: &str, held: Held) {
        self.change("hold", digest(format!("{from} {to} {held:?}").as_bytes()), |state| {
            state.links.hold(from, to, held);
        });
    }

    /// Lets messages on this link pass from now on, so that they overtake those that are held.
    pub fn pass(&self, from: &str, to: &str) {
        self.change("pass", digest(format!("{from} {to}").as_bytes()), |state| {
            state.links.pass(from, to);
        });
    }

    /// Lets all messages that are held travel on: requests arrive if their links are whole then,
    /// replies in any case.
    pub fn release(&self) {
        port::draw(|| What::Fault(Fault { verb: "release".to_string(), ..Fault::default() }));
        let held = self.change("release", 0, |state| std::mem::take(&mut state.held));
        held.unwrap_or_default().into_iter().for_each(|travel| travel());
    }

    /// Refuses further calls, and holds no more messages. Those on their way still end as they
    /// would have.
    pub fn close(&self) {
        self.change("close", 0, |state| state.closed = true);
    }

    /// Requests that have reached the server with this name since it was added; 0 if there is none.
    pub fn server_rpcs(&self, name: &str) -> u64 {
        self.read(|state| state.links.server(name).map_or(0, |server| server.count()))
    }

    /// Calls made so far, also those that were lost.
    pub fn total_rpcs(&self) -> u64 {
        self.read(|state| state.rpcs)
    }

    /// Bytes of all arguments sent and of all replies delivered so far.
    pub fn total_bytes(&self) -> u64 {
        self.read(|state| state.bytes)
    }

    /// Makes a change and sees to it that calls whose server has gone out of reach will fail; `None`
    /// in dead mode. The result is dropped by the caller: it may be a server that was replaced,
    /// whose destructors may run anything, so the lock must be free.
    fn change<R>(
        &self,
        verb: &str,
        operand: u64,
        change: impl FnOnce(&mut State) -> R,
    ) -> Option<R> {
        if !port::charge() {
            return None;
        }
        let mut state = self.state();
        let result = change(&mut state);
        let now = port::now();
        let State { links, calls, .. } = &mut *state;
        let cut_off = calls.newly_cut_off(|path| links.is_whole(path));
        drop(state);
        port::record(Kind::Fault, digest(verb.as_bytes()), || operand);
        for (id, started) in cut_off {
            self.look_after_handler(id, now - started);
        }
        Some(result)
    }

    /// Reads a counter or a switch. Costs a little time, so that a loop that polls gets somewhere.
    fn read<R>(&self, read: impl FnOnce(&State) -> R) -> R {
        port::charge();
        read(&self.state())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        unpoisoned(self.0.lock())
    }
}

impl State {
    /// Whether a message of this kind is to be held on a path.
    fn holds(&self, path: Option<Path>, held: Held) -> bool {
        !self.closed && self.links.is_holding(path, held)
    }
}

/// Records that a switch was set.
fn draw_switch(on: bool, name: &str, opposite: &str) {
    port::draw(|| What::Network { text: if on { name } else { opposite }.to_string() });
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        write!(f, "Network({} RPCs, {} bytes)", state.rpcs, state.bytes)
    }
}
