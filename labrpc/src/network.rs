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
//! even on a reliable network ([`fate::BASE_LATENCY`]), and one whose path was cut meanwhile does not
//! arrive.

mod fate;
mod in_flight;
mod links;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::fate::{Conditions, ReplyFate};
use self::in_flight::{CallId, InFlight, InFlightCalls};
pub(crate) use self::links::EndId;
use self::links::{Links, Path};
use crate::client_end::ClientEnd;
use crate::error::RpcError;
use crate::runtime::{
    Core, Kind, OneShot, after, digest, dispatch, now_nanos, spawn_detached, with_network_rng,
};
use crate::server::{Request, Response, Server};

/// How often the network asks whether a server that runs a handler is still there, in nanoseconds.
const POLL: u64 = 100_000_000;

/// Where the caller of one call waits for its reply.
pub(crate) type Reply = Arc<OneShot<Result<Response, RpcError>>>;

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
    reliable: bool,
    long_delays: bool,
    long_reordering: bool,
    closed: bool,
    rpcs: u64,
    bytes: u64,
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Network {
    /// A reliable network without servers.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            links: Links::default(),
            calls: InFlightCalls::default(),
            reliable: true,
            long_delays: false,
            long_reordering: false,
            closed: false,
            rpcs: 0,
            bytes: 0,
        })))
    }

    /// An unreliable network delays requests by up to 26 ms, and loses one request in ten and one
    /// reply in ten.
    pub fn set_reliable(&self, reliable: bool) {
        self.change("reliable", reliable.into(), |state| state.reliable = reliable);
    }

    /// With long delays, a call to a server that cannot be reached takes up to 7 s to fail instead
    /// of 100 ms.
    pub fn set_long_delays(&self, long_delays: bool) {
        self.change("long delays", long_delays.into(), |state| state.long_delays = long_delays);
    }

    /// With long reordering, two replies in three are held back for 200 to 2199 ms.
    pub fn set_long_reordering(&self, long_reordering: bool) {
        self.change("long reordering", long_reordering.into(), |state| {
            state.long_reordering = long_reordering;
        });
    }

    /// Whether the network is reliable.
    pub fn is_reliable(&self) -> bool {
        self.state().reliable
    }

    /// Makes an end with this name, disabled and not connected to any server.
    ///
    /// # Panics
    /// If there is an end with this name.
    pub fn make_end(&self, name: &str) -> ClientEnd {
        let end = self.state().links.add_end(name, None);
        ClientEnd::new(self.clone(), end)
    }

    /// Makes an end with this name that belongs to the server `owner`: partitions between `owner`
    /// and another server cut it too.
    ///
    /// # Panics
    /// If there is an end with this name.
    pub fn make_end_of(&self, owner: &str, name: &str) -> ClientEnd {
        let end = self.state().links.add_end(name, Some(owner));
        ClientEnd::new(self.clone(), end)
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
            state.links.set_server(name, Some(server));
        });
    }

    /// Removes the server with this name, if there is one. Calls to it fail.
    pub fn delete_server(&self, name: &str) {
        self.change("delete server", digest(name.as_bytes()), |state| {
            state.links.set_server(name, None);
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
        self.change("cut", digest(from.as_bytes()) ^ digest(to.as_bytes()), |state| {
            state.links.cut(from, to);
        });
    }

    /// Mends the one-way link on which `from` calls `to`.
    pub fn mend(&self, from: &str, to: &str) {
        self.change("mend", digest(from.as_bytes()) ^ digest(to.as_bytes()), |state| {
            state.links.mend(from, to);
        });
    }

    /// Splits servers into sides that cannot reach each other. Within a side every link is whole.
    /// Servers that are on no side, and ends without an owner, are not affected.
    pub fn partition(&self, sides: &[&[&str]]) {
        self.change("partition", sides.len() as u64, |state| {
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

    /// Refuses further calls. Those on their way still end as they would have.
    pub fn close(&self) {
        self.change("close", 0, |state| state.closed = true);
    }

    /// Requests that have reached the server with this name since it was added; 0 if there is none.
    pub fn server_rpcs(&self, name: &str) -> u64 {
        self.state().links.server(name).map_or(0, |server| server.count())
    }

    /// Calls made so far, also those that were lost.
    pub fn total_rpcs(&self) -> u64 {
        self.state().rpcs
    }

    /// Bytes of all arguments sent and of all replies delivered so far.
    pub fn total_bytes(&self) -> u64 {
        self.state().bytes
    }

    /// Sends a request; the outcome will be put into `reply`.
    pub(crate) fn submit(&self, core: Option<&Core>, end: EndId, request: Request, reply: Reply) {
        let mut state = self.state();
        if state.closed {
            drop(state);
            reply.put(Err(RpcError::Lost));
            return;
        }
        state.rpcs += 1;
        state.bytes += request.args.len() as u64;
        record(core, Kind::Send, end, || digest(&request.args));
        let conditions =
            Conditions { reliable: state.reliable, long_reordering: state.long_reordering };
        let long_delays = state.long_delays;
        let path = state.links.path(end);
        drop(state);
        let Some(path) = path else {
            let delay = with_network_rng(|rng| fate::of_unreachable(long_delays, rng));
            after(core, delay, move || fail(end, &reply));
            return;
        };
        let latency = latency(core);
        let fate = with_network_rng(|rng| fate::of_request(conditions, rng));
        let call = Call { network: self.clone(), path, conditions, reply };
        after(core, latency + fate.delay, move || {
            if fate.lost { fail(call.path.end, &call.reply) } else { call.arrive(request) }
        });
    }

    /// Makes a change and sees to it that calls whose server has gone out of reach will fail.
    fn change(&self, verb: &str, operand: u64, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        dispatch(|core| {
            if let Some(core) = core {
                core.record(Kind::Fault, digest(verb.as_bytes()), operand);
            }
            let now = now_nanos(core);
            let State { links, calls, .. } = &mut *state;
            let cut_off = calls.newly_cut_off(|path| links.is_whole(path));
            drop(state);
            for (id, started) in cut_off {
                // The next time at which the network looks, counted from the handler's start.
                let until_look = POLL - (now - started) % POLL;
                let network = self.clone();
                after(core, until_look, move || network.look_after(id));
            }
        });
    }

    /// Fails a call if its server is gone or out of reach.
    fn look_after(&self, id: CallId) {
        let mut state = self.state();
        let State { links, calls, .. } = &mut *state;
        let failed = calls.remove_if(id, |call| call.orphaned || !links.is_whole(&call.path));
        drop(state);
        if let Some(call) = failed {
            fail(call.path.end, &call.reply);
        }
    }

    /// Locks the state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call whose request travels.
struct Call {
    network: Network,
    path: Path,
    conditions: Conditions,
    reply: Reply,
}

impl Call {
    /// The request has arrived: runs the handler, if the path is still there.
    fn arrive(self, request: Request) {
        dispatch(|core| {
            let Call { network, path, conditions, reply } = self;
            let mut state = network.state();
            if !state.links.is_whole(&path) {
                drop(state);
                fail(path.end, &reply);
                return;
            }
            let server = Arc::clone(&path.server);
            let name = state.links.server_name(&path);
            record(core, Kind::Deliver, path.end, || 0);
            let started = now_nanos(core);
            let id = state.calls.insert(InFlight {
                path,
                conditions,
                reply,
                started,
                orphaned: false,
                watched: false,
            });
            drop(state);
            let (node, site) = (server.node(), server.site());
            spawn_detached(core, node, site, move || {
                let mut handling = Handling { network, id, returned: false };
                let response = server.handle(&name, &request);
                handling.returned = true;
                handling.network.returned(id, response);
            });
        });
    }
}

/// A handler at work. If it is killed, the caller must not wait for ever.
struct Handling {
    network: Network,
    id: CallId,
    returned: bool,
}

impl Drop for Handling {
    fn drop(&mut self) {
        if self.returned {
            return;
        }
        let started = self.network.state().calls.orphan(self.id);
        if let Some(started) = started {
            dispatch(|core| {
                let until_look = POLL - (now_nanos(core) - started) % POLL;
                let (network, id) = (self.network.clone(), self.id);
                after(core, until_look, move || network.look_after(id));
            });
        }
    }
}

impl Network {
    /// A handler has returned: sends the reply, unless the caller has been told of a failure.
    fn returned(&self, id: CallId, response: Response) {
        let mut state = self.state();
        let Some(call) = state.calls.remove(id) else { return };
        let whole = state.links.is_whole(&call.path);
        drop(state);
        let end = call.path.end;
        if !whole {
            fail(end, &call.reply);
            return;
        }
        dispatch(|core| {
            let latency = latency(core);
            let network = self.clone();
            match with_network_rng(|rng| fate::of_reply(call.conditions, rng)) {
                ReplyFate::Lost => after(core, latency, move || fail(end, &call.reply)),
                ReplyFate::Arrives(delay) => after(core, latency + delay, move || {
                    let whole = network.state().links.is_whole(&call.path);
                    if whole {
                        network.deliver(end, &call.reply, response);
                    } else {
                        fail(end, &call.reply);
                    }
                }),
                ReplyFate::HeldBack(delay) => {
                    after(core, delay, move || network.deliver(end, &call.reply, response));
                }
            }
        });
    }

    /// Hands a reply to its caller.
    fn deliver(&self, end: EndId, reply: &Reply, response: Response) {
        self.state().bytes += response.reply.len() as u64;
        dispatch(|core| record(core, Kind::Reply, end, || digest(&response.reply)));
        reply.put(Ok(response));
    }
}

/// Tells a caller that no reply will come.
fn fail(end: EndId, reply: &Reply) {
    dispatch(|core| record(core, Kind::Drop, end, || 0));
    reply.put(Err(RpcError::Lost));
}

/// Nanoseconds that a message takes at least: none on real threads, where the machine takes its
/// own time.
fn latency(core: Option<&Core>) -> u64 {
    core.map_or(0, |_| with_network_rng(fate::base_latency))
}

/// Records an event of the network; `detail` is only computed in a simulation.
fn record(core: Option<&Core>, kind: Kind, end: EndId, detail: impl FnOnce() -> u64) {
    if let Some(core) = core {
        core.record(kind, end.number(), detail());
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        write!(f, "Network({} RPCs, {} bytes)", state.rpcs, state.bytes)
    }
}
