//! One connection to a caller, as the server sees it.

use std::net::Shutdown;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::frame::{Body, Frame};
use super::options::Limits;
use super::repeats::{Foreign, Repeats};
use super::stream::{FrameReader, ReadError, Stream};
use crate::error::RpcError;
use crate::runtime::Instant;
use crate::runtime::port::{self, unpoisoned};
use crate::server::{Refusal, Request, Server};

/// How often a connection that waits for a free handler looks for one.
const GLANCE: Duration = Duration::from_millis(5);

/// What all connections of a listener serve, and within which limits.
#[derive(Debug)]
pub(crate) struct Served {
    /// Runs the handlers.
    pub(crate) server: Server,
    /// What is granted to callers.
    pub(crate) limits: Limits,
    /// Set when no further call is accepted.
    pub(crate) is_closing: AtomicBool,
    /// Handlers at work beyond one for each connection.
    pub(crate) extra: AtomicUsize,
    /// What is logged of connections.
    pub(crate) log: Repeats,
}

impl Served {
    /// Takes a place for a handler beyond its connection's first one, if there is one.
    fn take_extra(&self) -> bool {
        let most = self.limits.max_handlers;
        self.extra.fetch_update(Relaxed, Relaxed, |n| (n < most).then_some(n + 1)).is_ok()
    }

    /// Gives such a place back.
    fn free_extra(&self) {
        self.extra.fetch_sub(1, Relaxed);
    }
}

/// A connection on which calls arrive.
#[derive(Debug)]
pub(crate) struct Session {
    number: u64,
    stream: Arc<Stream>,
    /// Held while a frame is sent, so that frames do not mix.
    sending: Mutex<()>,
    work: Mutex<Work>,
    /// Signalled when a call has ended.
    ended: Condvar,
}

/// What a connection is busy with. A call is first handled, and then its reply is sent.
#[derive(Debug)]
struct Work {
    /// Calls that are handled.
    handled: usize,
    /// Calls whose replies are being sent or wait for that.
    replies: usize,
    /// Bytes of those replies.
    unsent: usize,
    /// Whether any call was answered other than by an error.
    has_called: bool,
    /// When it was busy last.
    since: Instant,
}

impl Work {
    /// Calls under way. Each has a task; all but one of them have a place of [`Served::extra`].
    fn calls(&self) -> usize {
        self.handled + self.replies
    }
}

/// What is known of a connection without a handler at work.
#[derive(Debug)]
pub(crate) struct Idleness {
    /// Replies wait to be sent: the caller does not read.
    pub(crate) is_sending: bool,
    /// Whether any call was answered.
    pub(crate) has_called: bool,
    /// When it was busy last.
    pub(crate) since: Instant,
}

impl Session {
    /// A connection that is not served yet.
    pub(crate) fn new(number: u64, stream: Stream) -> Self {
        let since = Instant::now();
        let work = Work { handled: 0, replies: 0, unsent: 0, has_called: false, since };
        Self {
            number,
            stream: Arc::new(stream),
            sending: Mutex::default(),
            work: Mutex::new(work),
            ended: Condvar::new(),
        }
    }

    /// Its number; they count up.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Runs the calls that arrive until the connection ends, or the server shuts down.
    pub(crate) fn serve(self: &Arc<Self>, served: &Arc<Served>) {
        let mut frames = FrameReader::new(Arc::clone(&self.stream), served.limits);
        let closed = |kind, reason: &dyn std::fmt::Display| {
            served.log.warn(kind, format_args!("closed connection {self}: {reason}"));
            self.close();
        };
        loop {
            match frames.next() {
                Ok(Some(_)) if served.is_closing.load(Relaxed) => break,
                Ok(Some(Frame { call, body: Body::Request { method, args } })) => {
                    self.start_call(
                        served,
                        call,
                        Request { method, args, args_type: None, words: None },
                    );
                }
                Ok(Some(_)) => return closed("reply", &"it sent a reply"),
                Ok(None) => break,
                // The caller's process has died: as ordinary as a clean end.
                Err(ReadError::Io(_)) => return self.close(),
                Err(reason) => return closed(reason.kind(), &reason),
            }
        }
        let work = self.work();
        drop(self.ended.wait_timeout_while(work, served.limits.grace, |work| work.calls() > 0));
        self.close();
    }

    /// Runs a handler in a task of its own, as soon as there are not too many.
    fn start_call(self: &Arc<Self>, served: &Arc<Served>, call: u64, request: Request) {
        self.wait_for_turn(served);
        let (session, served) = (Arc::clone(self), Arc::clone(served));
        let (node, site) = (served.server.node(), served.server.site());
        port::spawn_detached(node, site, move || {
            let reply = session.answer(&served, &request);
            drop(request); // It may be long, and so may be the time until the reply is sent.
            let is_answer = reply.is_ok();
            let bytes = Frame { call, body: Body::Reply(reply) }.into_bytes();
            let mut work = session.work();
            (work.handled, work.replies) = (work.handled - 1, work.replies + 1);
            work.unsent += bytes.len();
            drop(work);
            session.send(&served, &bytes);
            let mut work = session.work();
            if work.calls() > 1 {
                served.free_extra();
            }
            work.replies -= 1;
            work.unsent -= bytes.len();
            work.has_called |= is_answer;
            work.since = Instant::now();
            drop(work);
            session.ended.notify_all();
        });
    }

    /// Waits until another call may be run, and counts it. One call of each connection always may:
    /// connections that take all other places cannot stop those of others.
    fn wait_for_turn(&self, served: &Served) {
        let Limits { max_calls, max_unsent, .. } = served.limits;
        let mut work = self.work();
        while work.calls() > 0 {
            let is_allowed = work.calls() < max_calls && work.unsent <= max_unsent;
            if is_allowed && served.take_extra() {
                break;
            }
            work = unpoisoned(self.ended.wait_timeout(work, GLANCE)).0;
        }
        work.handled += 1;
    }

    /// Runs a handler. Only its caller is told of errors.
    fn answer(&self, served: &Served, request: &Request) -> Result<Vec<u8>, RpcError> {
        let handled = catch_unwind(AssertUnwindSafe(|| served.server.try_handle(request)));
        let method = Foreign(&request.method);
        let (kind, problem, error) = match handled {
            Ok(Ok(response)) if response.reply.len() <= served.limits.max_message() => {
                return Ok(response.reply);
            }
            Ok(Ok(response)) => {
                let problem = format!("{method} replies with {} bytes", response.reply.len());
                ("too large", problem, RpcError::TooLarge)
            }
            Ok(Err(Refusal::NoSuchMethod(_))) => {
                ("no method", format!("there is no method '{method}'"), RpcError::NoSuchMethod)
            }
            Ok(Err(Refusal::Unreadable(problem))) => {
                ("unreadable", Foreign(&problem).to_string(), RpcError::Unreadable)
            }
            Err(_) => ("panicked", format!("{method} panicked"), RpcError::Panicked),
        };
        served.log.warn(kind, format_args!("refused a call on connection {self}: {problem}"));
        Err(error)
    }

    /// Sends a reply. If that fails, the caller is gone, or reads nothing.
    fn send(&self, served: &Served, bytes: &[u8]) {
        let sending = unpoisoned(self.sending.lock());
        let sent = self.stream.send(bytes, served.limits.message_time);
        drop(sending);
        if sent.is_err() {
            self.close();
        }
    }

    /// How idle it is; `None` while a handler is at work.
    pub(crate) fn idleness(&self) -> Option<Idleness> {
        let Work { handled, replies, has_called, since, .. } = *self.work();
        (handled == 0).then_some(Idleness { is_sending: replies > 0, has_called, since })
    }

    /// Accepts no more calls.
    pub(crate) fn stop_reading(&self) {
        self.stream.shutdown(Shutdown::Read);
    }

    /// Ends the connection.
    pub(crate) fn close(&self) {
        self.stream.shutdown(Shutdown::Both);
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        unpoisoned(self.work.lock())
    }
}

impl std::fmt::Display for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.number)
    }
}
