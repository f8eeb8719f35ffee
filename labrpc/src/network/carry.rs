//! How the network carries a call, from the request to the reply or the failure.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, MutexGuard};

use contract::recording::{Loss, What};

use super::call::{Call, record};
use super::fate::{self, ReplyFate};
use super::in_flight::{CallId, InFlight};
use super::links::{Held, Path};
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
            port::check_over();
        }
        let call = self.submit(request, site)?;
        match (call.outcome.wait(Wait::Call, site, deadline), deadline) {
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

impl NetworkEnd {
    /// Sends a request.
    fn submit(
        self: Arc<Self>,
        mut request: Request,
        site: &'static Location<'static>,
    ) -> Result<Arc<Call>, RpcError> {
        let end = self.id;
        let mut state = self.network.state();
        if state.closed {
            return Err(RpcError::Lost);
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
        let conditions = state.conditions;
        let path = state.links.path(end);
        let is_held = state.holds(path, Held::Requests);
        drop(state);
        let outcome = OneShot::new();
        let call = Arc::new(Call { end, number, path, conditions, message, outcome });
        self.send(Arc::clone(&call), request, label, is_held);
        Ok(call)
    }

    /// The request of a call sets out.
    fn send(self: Arc<Self>, call: Arc<Call>, request: Request, label: Arc<str>, is_held: bool) {
        if call.path.is_none() {
            let delay = call
                .message
                .draw(Draw::Unreachable, |rng| fate::of_unreachable(call.conditions, rng));
            port::after(delay, move || call.fail(Loss::Unreachable));
            return;
        }
        let latency = call.latency(Draw::RequestLatency);
        let fate = call.message.request_fate(call.conditions);
        let (path, network) = (call.path, is_held.then(|| self.network.clone()));
        let travel = move || {
            port::after(latency + fate.delay, move || {
                if fate.lost {
                    call.fail(Loss::Request);
                } else {
                    self.arrive(call, request, label);
                }
            });
        };
        match network {
            Some(network) => network.put_away(path, Held::Requests, travel),
            None => travel(),
        }
    }

    /// The request of a call has arrived: runs the handler, if the path is still there.
    fn arrive(self: Arc<Self>, call: Arc<Call>, request: Request, label: Arc<str>) {
        let mut state = self.network.state();
        let Some(server) = state.links.destination(call.path) else {
            drop(state);
            call.fail(Loss::Gone);
            return;
        };
        record(Kind::Deliver, call.end, || 0);
        let handled = Handled { key: call.message.key(), call: label };
        let (node, site, number) = (server.node(), server.site(), call.number);
        let id = state.calls.insert(call, port::now());
        drop(state);
        // Made here and not in the task, which on a dead node never begins.
        let mut handling = Handling { id, end: Some(self) };
        port::spawn_handler(handled, node, site, move || {
            port::draw(|| What::Arrive { call: number });
            let mut response = server.handle(&request);
            let end = handling.end.take();
            if let Some(reply) = response.words.take() {
                let bytes = response.reply.len() as u64;
                port::draw(|| What::Return { call: number, bytes, reply });
            }
            if let Some(end) = end {
                end.returned(id, response);
            }
        });
    }

    /// The handler of a call on this end has returned: sends the reply, unless the caller has been
    /// told of a failure.
    fn returned(self: Arc<Self>, id: CallId, response: Response) {
        let mut state = self.network.state();
        let Some(call) = state.calls.remove(id) else { return };
        let whole = state.links.is_whole(call.path);
        let is_held = state.holds(call.path, Held::Replies);
        drop(state);
        if !whole {
            call.fail(Loss::Cut);
            return;
        }
        let latency = call.latency(Draw::ReplyLatency);
        if is_held {
            self.network.clone().put_away(call.path, Held::Replies, move || {
                port::after(latency, move || deliver(self.network.state(), &call, response));
            });
            return;
        }
        match call.message.reply_fate(call.conditions) {
            ReplyFate::Lost => port::after(latency, move || call.fail(Loss::Reply)),
            ReplyFate::Arrives(delay) => port::after(latency + delay, move || {
                let state = self.network.state();
                if state.links.is_whole(call.path) {
                    deliver(state, &call, response);
                } else {
                    drop(state);
                    call.fail(Loss::Cut);
                }
            }),
            ReplyFate::HeldBack(delay) => {
                port::draw(|| What::Held { call: call.number, micros: delay / 1_000 });
                port::after(delay, move || deliver(self.network.state(), &call, response));
            }
        }
    }
}

impl Network {
    /// Holds a message until it is released. Asks once more, under the lock, whether the path is held:
    /// on real threads, messages may have been released or the network closed since the caller asked.
    /// A reply that is no longer held travels without further accidents.
    fn put_away(&self, path: Option<Path>, held: Held, travel: impl FnOnce() + Send + 'static) {
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
        let failed = calls.remove_if(id, |it| it.orphaned || !links.is_whole(it.call.path));
        drop(state);
        if let Some(InFlight { call, orphaned, .. }) = failed {
            call.fail(if orphaned { Loss::HandlerDied } else { Loss::Cut });
        }
    }
}

/// Hands the reply to the caller. `state` is the network's lock, which is released first.
fn deliver(mut state: MutexGuard<'_, State>, call: &Call, response: Response) {
    state.bytes += response.reply.len() as u64;
    drop(state);
    record(Kind::Reply, call.end, || digest(&response.reply));
    port::draw(|| What::Reply { call: call.number });
    call.outcome.put(Ok(response));
}

/// A handler at work. If it is killed, the caller must not wait forever.
struct Handling {
    id: CallId,
    /// The end of the call; `None` once the handler has returned.
    end: Option<Arc<NetworkEnd>>,
}

impl Drop for Handling {
    fn drop(&mut self) {
        let Some(end) = self.end.take() else { return };
        let started = end.network.state().calls.orphan(self.id);
        if let Some(started) = started {
            end.network.look_after_handler(self.id, port::now() - started);
        }
    }
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
