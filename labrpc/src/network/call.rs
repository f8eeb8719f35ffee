//! The life of one call, from the request to the reply or the failure.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use contract::recording::{Loss, What};

use super::fate::{self, Conditions, ReplyFate};
use super::in_flight::{CallId, InFlight, Reply};
use super::links::{EndId, Held, Path};
use super::message::Message;
use super::{Network, NetworkEnd, State};
use crate::error::RpcError;
use crate::runtime::Instant;
use crate::runtime::port::{self, Draw, Handled, Kind, OneShot, Wait, digest};
use crate::server::{Request, Response};
use crate::transport::Transport;

/// How often the network asks whether a server that runs a handler is still there, in nanoseconds.
const POLL: u64 = 100_000_000;

impl Transport for NetworkEnd {
    fn call(
        self: Arc<Self>,
        request: Request,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Result<Response, RpcError> {
        if !port::in_simulation() {
            port::touched(self.run, "the network", site);
        }
        let reply = Reply::new(OneShot::new());
        self.network.submit(self.id, request, site, Arc::clone(&reply));
        match (reply.wait(Wait::Call, site, deadline), deadline) {
            (Some(outcome), _) => outcome,
            (None, Some(_)) => Err(RpcError::DeadlineExceeded),
            (None, None) => Err(RpcError::Lost), // The task is dead.
        }
    }
}

impl fmt::Display for NetworkEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.number().fmt(f)
    }
}

impl Network {
    /// Sends a request; the outcome will be put into `reply`.
    fn submit(
        &self,
        end: EndId,
        mut request: Request,
        site: &'static Location<'static>,
        reply: Reply,
    ) {
        let mut state = self.state();
        if state.closed {
            drop(state);
            reply.put(Err(RpcError::Lost));
            return;
        }
        state.rpcs += 1;
        state.bytes += request.args.len() as u64;
        let label = state.links.note_call(end, site, &request.method);
        let number = state.rpcs;
        record(Kind::Send, end, || digest(&request.args));
        let words = request.words.take();
        let message = Message::new(number, (&state.links, end), &request, words.as_deref());
        if let Some(words) = words {
            port::draw(|| sent(number, state.links.names(end), &request, words));
        }
        let conditions =
            Conditions { reliable: state.reliable, long_reordering: state.long_reordering };
        let long_delays = state.long_delays;
        let path = state.links.path(end);
        let is_held = path.is_some_and(|path| state.holds(path, Held::Requests));
        drop(state);
        let Some(path) = path else {
            let delay =
                message.draw(Draw::Unreachable, |rng| fate::of_unreachable(long_delays, rng));
            port::after(delay, move || fail(number, Loss::Unreachable, end, &reply));
            return;
        };
        let latency = latency(&message, Draw::RequestLatency);
        let fate = message.request_fate(conditions);
        let network = self.clone();
        let call = Call { network, number, label, path, conditions, message, reply };
        let travel = move || {
            port::after(latency + fate.delay, move || {
                if fate.lost {
                    fail(number, Loss::Request, call.path.end, &call.reply);
                } else {
                    call.arrive(request);
                }
            });
        };
        if is_held {
            self.put_away(path, Held::Requests, travel);
        } else {
            travel();
        }
    }

    /// Holds a message until it is released. Asks once more, under the lock, whether the path is held:
    /// on real threads, messages may have been released or the network closed since the caller asked.
    /// A reply that is no longer held travels without further accidents.
    fn put_away(&self, path: Path, held: Held, travel: impl FnOnce() + Send + 'static) {
        let mut state = self.state();
        if state.holds(path, held) {
            state.held.push(Box::new(travel));
        } else {
            drop(state);
            travel();
        }
    }

    /// Looks after a call whose handler has run for `age` nanoseconds, at the next time at which
    /// the network asks whether its server is still there.
    pub(super) fn look_after_handler(&self, id: CallId, age: u64) {
        let network = self.clone();
        port::after(POLL - age % POLL, move || network.look_after(id));
    }

    /// Fails a call if its server is gone or out of reach.
    fn look_after(&self, id: CallId) {
        let mut state = self.state();
        let State { links, calls, .. } = &mut *state;
        let failed = calls.remove_if(id, |call| call.orphaned || !links.is_whole(call.path));
        drop(state);
        if let Some(call) = failed {
            let why = if call.orphaned { Loss::HandlerDied } else { Loss::Cut };
            fail(call.number, why, call.path.end, &call.reply);
        }
    }

    /// A handler has returned: sends the reply, unless the caller has been told of a failure.
    fn returned(&self, id: CallId, response: Response) {
        let mut state = self.state();
        let Some(call) = state.calls.remove(id) else { return };
        let whole = state.links.is_whole(call.path);
        let is_held = state.holds(call.path, Held::Replies);
        drop(state);
        let (number, end) = (call.number, call.path.end);
        if !whole {
            fail(number, Loss::Cut, end, &call.reply);
            return;
        }
        let latency = latency(&call.message, Draw::ReplyLatency);
        let network = self.clone();
        if is_held {
            self.put_away(call.path, Held::Replies, move || {
                port::after(latency, move || network.deliver(number, end, &call.reply, response));
            });
            return;
        }
        match call.message.reply_fate(call.conditions) {
            ReplyFate::Lost => {
                port::after(latency, move || fail(number, Loss::Reply, end, &call.reply));
            }
            ReplyFate::Arrives(delay) => port::after(latency + delay, move || {
                let whole = network.state().links.is_whole(call.path);
                if whole {
                    network.deliver(number, end, &call.reply, response);
                } else {
                    fail(number, Loss::Cut, end, &call.reply);
                }
            }),
            ReplyFate::HeldBack(delay) => {
                port::draw(|| What::Held { call: number, micros: delay / 1_000 });
                port::after(delay, move || network.deliver(number, end, &call.reply, response));
            }
        }
    }

    /// Hands a reply to its caller.
    fn deliver(&self, number: u64, end: EndId, reply: &Reply, response: Response) {
        self.state().bytes += response.reply.len() as u64;
        record(Kind::Reply, end, || digest(&response.reply));
        port::draw(|| What::Reply { call: number });
        reply.put(Ok(response));
    }
}

/// A call whose request travels.
struct Call {
    network: Network,
    number: u64,
    /// Its method and caller.
    label: Arc<str>,
    path: Path,
    conditions: Conditions,
    message: Message,
    reply: Reply,
}

impl Call {
    /// The request has arrived: runs the handler, if the path is still there.
    fn arrive(self, request: Request) {
        let Call { network, number, label, path, conditions, message, reply } = self;
        let mut state = network.state();
        let Some(server) = state.links.destination(path) else {
            drop(state);
            fail(number, Loss::Gone, path.end, &reply);
            return;
        };
        record(Kind::Deliver, path.end, || 0);
        let started = port::now();
        let handled = Handled { key: message.key(), call: label };
        let id = state.calls.insert(InFlight {
            number,
            path,
            conditions,
            message,
            reply,
            started,
            orphaned: false,
            watched: false,
        });
        drop(state);
        let (node, site) = (server.node(), server.site());
        // Made here and not in the task, which on a dead node never begins.
        let mut handling = Handling { network, id, returned: false };
        port::spawn_handler(handled, node, site, move || {
            port::draw(|| What::Arrive { call: number });
            let mut response = server.handle(&request);
            handling.returned = true;
            if let Some(reply) = response.words.take() {
                let bytes = response.reply.len() as u64;
                port::draw(|| What::Return { call: number, bytes, reply });
            }
            handling.network.returned(id, response);
        });
    }
}

/// A handler at work. If it is killed, the caller must not wait forever.
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
            self.network.look_after_handler(self.id, port::now() - started);
        }
    }
}

/// Tells a caller that no reply will come.
fn fail(number: u64, why: Loss, end: EndId, reply: &Reply) {
    record(Kind::Drop, end, || 0);
    port::draw(|| What::Lost { call: number, why });
    reply.put(Err(RpcError::Lost));
}

/// What the recording has of a request.
fn sent(call: u64, [end, from, to]: [&str; 3], request: &Request, args: String) -> What {
    What::Request {
        call,
        end: end.to_string(),
        from: from.to_string(),
        to: to.to_string(),
        method: request.method.clone(),
        bytes: request.args.len() as u64,
        args,
    }
}

/// Nanoseconds that a message takes at least: none on real threads, where the machine takes its
/// own time.
fn latency(message: &Message, draw: Draw) -> u64 {
    if port::in_simulation() { message.draw(draw, fate::base_latency) } else { 0 }
}

/// Records an event of the network; `detail` is only computed in a simulation.
fn record(kind: Kind, end: EndId, detail: impl FnOnce() -> u64) {
    port::record(kind, end.number(), detail);
}
