//! The life of one call, from the request to the reply or the failure.

use super::fate::{self, Conditions, ReplyFate};
use super::in_flight::{CallId, InFlight, Reply};
use super::links::{EndId, Path};
use super::{Network, State};
use crate::error::RpcError;
use crate::runtime::{
    Core, Kind, after, digest, dispatch, now_nanos, spawn_detached, with_network_rng,
};
use crate::server::{Request, Response};

/// How often the network asks whether a server that runs a handler is still there, in nanoseconds.
const POLL: u64 = 100_000_000;

impl Network {
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

    /// Looks after a call whose handler has run for `age` nanoseconds, at the next time at which
    /// the network asks whether its server is still there.
    pub(super) fn look_after_handler(&self, core: Option<&Core>, id: CallId, age: u64) {
        let network = self.clone();
        after(core, POLL - age % POLL, move || network.look_after(id));
    }

    /// Fails a call if its server is gone or out of reach.
    fn look_after(&self, id: CallId) {
        let mut state = self.state();
        let State { links, calls, .. } = &mut *state;
        let failed = calls.remove_if(id, |call| call.orphaned || !links.is_whole(call.path));
        drop(state);
        if let Some(call) = failed {
            fail(call.path.end, &call.reply);
        }
    }

    /// A handler has returned: sends the reply, unless the caller has been told of a failure.
    fn returned(&self, id: CallId, response: Response) {
        let mut state = self.state();
        let Some(call) = state.calls.remove(id) else { return };
        let whole = state.links.is_whole(call.path);
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
                    let whole = network.state().links.is_whole(call.path);
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
            let Some((server, name)) = state.links.destination(path) else {
                drop(state);
                fail(path.end, &reply);
                return;
            };
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
            // Made here and not in the task, which on a dead node never begins.
            let mut handling = Handling { network, id, returned: false };
            spawn_detached(core, node, site, move || {
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
                self.network.look_after_handler(core, self.id, now_nanos(core) - started);
            });
        }
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
