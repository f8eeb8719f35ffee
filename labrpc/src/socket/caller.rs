//! The caller's side: one connection for all calls of an end, made anew when it was lost.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Shutdown;
use std::panic::Location;
use std::sync::{Arc, Mutex};

use log::{debug, warn};

use super::address::Address;
use super::frame::{Body, Frame};
use super::options::{Limits, Options};
use super::stream::{FrameReader, Stream};
use crate::error::RpcError;
use crate::runtime::port::{self, OneShot, Wait, unpoisoned};
use crate::runtime::{Instant, RecvTimeoutError, Sender, bounded, spawn};
use crate::server::{Request, Response};
use crate::transport::Transport;

/// What a [`ClientEnd`](crate::ClientEnd) over sockets is: an address, and the connection to it.
pub(crate) struct SocketEnd {
    address: Address,
    options: Options,
    link: Mutex<Link>,
}

/// What the end's lock guards. It is held while a connection is made: others need it as well.
#[derive(Default)]
struct Link {
    connection: Option<Arc<Connection>>,
    /// When the last attempt to connect failed. Callers that waited for it fail with it.
    failed: Option<Instant>,
}

impl SocketEnd {
    /// An end without a connection yet.
    pub(crate) fn new(address: Address, options: Options) -> Self {
        Self { address, options, link: Mutex::default() }
    }

    /// Sends a request and waits for the reply.
    fn exchange(&self, request: Request) -> Result<Response, RpcError> {
        let Request { method, args, .. } = request;
        if args.len() > self.options.limits.max_message() || method.len() > usize::from(u16::MAX) {
            return Err(RpcError::TooLarge);
        }
        let connection = self.connection()?;
        let began = Instant::now();
        let (sender, reply) = bounded(1);
        let call = connection.register(sender).ok_or(RpcError::Lost)?;
        connection.send(Frame { call, body: Body::Request { method, args } })?;
        let deadline = began + self.options.call_timeout;
        match reply.recv_timeout(deadline - Instant::now()) {
            Ok(reply) => reply.map(|reply| Response { reply, reply_type: None, words: None }),
            Err(RecvTimeoutError::Disconnected) => Err(RpcError::Lost),
            Err(RecvTimeoutError::Timeout) => {
                connection.give_up(call, began);
                Err(RpcError::TimedOut)
            }
        }
    }

    /// The connection, made now if there is none.
    fn connection(&self) -> Result<Arc<Connection>, RpcError> {
        let began = Instant::now();
        let mut link = unpoisoned(self.link.lock());
        if let Some(connection) = &link.connection
            && connection.is_alive()
        {
            return Ok(Arc::clone(connection));
        }
        if link.failed.is_some_and(|failed| failed > began) {
            return Err(RpcError::Unreachable);
        }
        match self.dial() {
            Ok(stream) => {
                let connection = Connection::start(&self.address, stream, self.options.limits);
                link.connection = Some(Arc::clone(&connection));
                Ok(connection)
            }
            Err(problem) => {
                debug!(target: "DROP", "{} cannot be reached: {problem}", self.address);
                link.failed = Some(Instant::now());
                Err(RpcError::Unreachable)
            }
        }
    }

    /// Makes a connection in a task of its own: the system sets no limit to how long it may take.
    fn dial(&self) -> Result<Stream, String> {
        let (sender, result) = bounded(1);
        let (address, timeout) = (self.address.clone(), self.options.connect_timeout);
        spawn(move || {
            sender.send(Stream::dial(&address, timeout)).ok(); // Fails if the caller has given up.
        });
        match result.recv_timeout(timeout) {
            Ok(dialled) => dialled.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {timeout:?}")),
        }
    }
}

impl Transport for SocketEnd {
    fn call(
        self: Arc<Self>,
        request: Request,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Result<Response, RpcError> {
        let method = &request.method;
        assert!(
            !port::in_simulation(),
            "{method} was called over a socket in a simulation's virtual time"
        );
        let Some(deadline) = deadline else { return self.exchange(request) };
        // Connecting and sending may take long too, and must not stop half-way at the deadline. So
        // a task of its own makes the call, however long the caller waits for it.
        let outcome = Arc::new(OneShot::new());
        let theirs = Arc::clone(&outcome);
        port::spawn_detached(port::current_node(), site, move || {
            theirs.put(self.exchange(request))
        });
        outcome.wait(Wait::Call, site, Some(deadline)).unwrap_or(Err(RpcError::DeadlineExceeded))
    }
}

impl fmt::Display for SocketEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl Drop for SocketEnd {
    fn drop(&mut self) {
        if let Some(connection) = &unpoisoned(self.link.lock()).connection {
            connection.close();
        }
    }
}

/// What a caller waits for.
type Reply = Result<Vec<u8>, RpcError>;

/// A connection and the calls under way on it.
struct Connection {
    stream: Arc<Stream>,
    limits: Limits,
    /// Held while a frame is sent, so that frames do not mix.
    sending: Mutex<()>,
    calls: Mutex<Calls>,
}

/// The calls under way.
struct Calls {
    /// By number; `None` when the connection is dead.
    waiting: Option<BTreeMap<u64, Sender<Reply>>>,
    /// The last number given.
    last: u64,
    /// When something arrived last.
    heard: Instant,
}

impl Connection {
    /// Takes a fresh connection into use.
    fn start(address: &Address, stream: Stream, limits: Limits) -> Arc<Self> {
        let calls =
            Calls { waiting: Some(BTreeMap::new()), last: 0, heard: Instant::from_nanos(0) };
        let connection = Arc::new(Self {
            stream: Arc::new(stream),
            limits,
            sending: Mutex::default(),
            calls: Mutex::new(calls),
        });
        let (reading, address) = (Arc::clone(&connection), address.clone());
        spawn(move || reading.read_replies(&address));
        connection
    }

    /// Hands replies to their callers until the connection ends.
    fn read_replies(&self, address: &Address) {
        let mut frames = FrameReader::new(Arc::clone(&self.stream), self.limits);
        loop {
            match frames.next() {
                Ok(Some(Frame { call, body: Body::Reply(reply) })) => self.deliver(call, reply),
                Ok(Some(_)) => {
                    warn!(target: "DROP", "closed the connection to {address}: it calls its caller");
                    break;
                }
                Ok(None) => break,
                Err(reason) => {
                    if self.is_alive() {
                        warn!(target: "DROP", "closed the connection to {address}: {reason}");
                    }
                    break;
                }
            }
        }
        self.close();
    }

    /// Hands a reply to its caller, unless he has given up.
    fn deliver(&self, call: u64, reply: Reply) {
        let mut calls = unpoisoned(self.calls.lock());
        calls.heard = Instant::now();
        let caller = calls.waiting.as_mut().and_then(|waiting| waiting.remove(&call));
        drop(calls);
        if let Some(caller) = caller {
            caller.send(reply).ok(); // Fails if he gives up just now.
        }
    }

    /// Gives a number to a new call; `None` if the connection is dead.
    fn register(&self, caller: Sender<Reply>) -> Option<u64> {
        let mut calls = unpoisoned(self.calls.lock());
        calls.last += 1;
        let call = calls.last;
        calls.waiting.as_mut()?.insert(call, caller);
        Some(call)
    }

    /// Sends a request. If that fails, part of it may have arrived, so the connection is of no use.
    fn send(&self, frame: Frame) -> Result<(), RpcError> {
        let bytes = frame.into_bytes();
        let sending = unpoisoned(self.sending.lock());
        let sent = self.stream.send(&bytes, self.limits.message_time);
        drop(sending);
        sent.map_err(|_| {
            self.close();
            RpcError::Lost
        })
    }

    /// A caller waits no longer. If nothing at all has arrived since he called, the server's
    /// machine may be gone without a word: the next call makes a new connection.
    fn give_up(&self, call: u64, began: Instant) {
        let mut calls = unpoisoned(self.calls.lock());
        if let Some(waiting) = &mut calls.waiting {
            waiting.remove(&call);
        }
        let silent = calls.heard < began;
        drop(calls);
        if silent {
            self.close();
        }
    }

    /// Whether calls can be made on it.
    fn is_alive(&self) -> bool {
        unpoisoned(self.calls.lock()).waiting.is_some()
    }

    /// Ends it; callers that wait get nothing.
    fn close(&self) {
        let waiting = unpoisoned(self.calls.lock()).waiting.take();
        drop(waiting);
        self.stream.shutdown(Shutdown::Both);
    }
}
