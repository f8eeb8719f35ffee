//! One connection to a caller, as the server sees it.

use std::net::Shutdown;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use log::warn;

use super::frame::{Body, Frame};
use super::options::Limits;
use super::stream::{FrameReader, ReadError, Stream};
use crate::error::RpcError;
use crate::runtime::port::{self, unpoisoned};
use crate::server::{Refusal, Request, Server};

/// What all connections of a listener serve, and within which limits.
#[derive(Debug)]
pub(crate) struct Served {
    /// Runs the handlers.
    pub(crate) server: Server,
    /// What is granted to callers.
    pub(crate) limits: Limits,
    /// Set when no further call is accepted.
    pub(crate) is_closing: AtomicBool,
}

/// A connection on which calls arrive.
#[derive(Debug)]
pub(crate) struct Session {
    number: u64,
    stream: Arc<Stream>,
    /// Held while a frame is sent, so that frames do not mix.
    sending: Mutex<()>,
    /// Handlers at work.
    calls: Mutex<usize>,
    /// Signalled when a handler has returned.
    returned: Condvar,
}

impl Session {
    /// A connection that is not served yet.
    pub(crate) fn new(number: u64, stream: Stream) -> Self {
        Self {
            number,
            stream: Arc::new(stream),
            sending: Mutex::default(),
            calls: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    /// Runs the calls that arrive until the connection ends, or the server shuts down.
    pub(crate) fn serve(self: &Arc<Self>, served: &Arc<Served>) {
        let mut frames = FrameReader::new(Arc::clone(&self.stream), served.limits);
        loop {
            match frames.next() {
                Ok(Some(_)) if served.is_closing.load(Relaxed) => break,
                Ok(Some(Frame { call, body: Body::Request { method, args } })) => {
                    self.start_call(served, call, Request { method, args, args_type: None });
                }
                Ok(Some(_)) => {
                    warn!(target: "DROP", "closed connection {self}: it sent a reply");
                    return self.close();
                }
                Ok(None) => break,
                // The caller's process has died: as ordinary as a clean end.
                Err(ReadError::Io(_)) => return self.close(),
                Err(reason) => {
                    warn!(target: "DROP", "closed connection {self}: {reason}");
                    return self.close();
                }
            }
        }
        self.wait_until_calls(0, Some(served.limits.grace));
        self.close();
    }

    /// Runs a handler in a task of its own, as soon as there are not too many.
    fn start_call(self: &Arc<Self>, served: &Arc<Served>, call: u64, request: Request) {
        self.wait_until_calls(served.limits.max_calls.max(1) - 1, None);
        *unpoisoned(self.calls.lock()) += 1;
        let (session, served) = (Arc::clone(self), Arc::clone(served));
        let (node, site) = (served.server.node(), served.server.site());
        port::spawn_detached(node, site, move || {
            let reply = session.answer(&served, &request);
            session.send(&served, &Frame { call, body: Body::Reply(reply) });
            *unpoisoned(session.calls.lock()) -= 1;
            session.returned.notify_all();
        });
    }

    /// Runs a handler. Only its caller is told of errors.
    fn answer(&self, served: &Served, request: &Request) -> Result<Vec<u8>, RpcError> {
        let handled = catch_unwind(AssertUnwindSafe(|| served.server.try_handle(request)));
        let (problem, error) = match handled {
            Ok(Ok(response)) if response.reply.len() <= served.limits.max_message() => {
                return Ok(response.reply);
            }
            Ok(Ok(response)) => (
                format!("{} replies with {} bytes", request.method, response.reply.len()),
                RpcError::TooLarge,
            ),
            Ok(Err(Refusal::NoSuchMethod(problem))) => (problem, RpcError::NoSuchMethod),
            Ok(Err(Refusal::Unreadable(problem))) => (problem, RpcError::Unreadable),
            Err(_) => (format!("{} panicked", request.method), RpcError::Panicked),
        };
        warn!(target: "RPC", "refused a call on connection {self}: {problem}");
        Err(error)
    }

    /// Sends a reply. If that fails, the caller is gone, or reads nothing.
    fn send(&self, served: &Served, frame: &Frame) {
        let bytes = frame.encode();
        let sending = unpoisoned(self.sending.lock());
        let sent = self.stream.send(&bytes, served.limits.message_time);
        drop(sending);
        if sent.is_err() {
            self.close();
        }
    }

    /// Waits until at most this number of handlers is at work.
    fn wait_until_calls(&self, most: usize, limit: Option<Duration>) {
        let calls = unpoisoned(self.calls.lock());
        match limit {
            Some(limit) => drop(self.returned.wait_timeout_while(calls, limit, |n| *n > most)),
            None => drop(self.returned.wait_while(calls, |n| *n > most)),
        }
    }

    /// Accepts no more calls.
    pub(crate) fn stop_reading(&self) {
        self.stream.shutdown(Shutdown::Read);
    }

    /// Ends the connection.
    pub(crate) fn close(&self) {
        self.stream.shutdown(Shutdown::Both);
    }
}

impl std::fmt::Display for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.number)
    }
}
