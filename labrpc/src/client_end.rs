//! The caller's end of a link.

use std::any::type_name;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec;
use crate::error::RpcError;
use crate::runtime::{Instant, port};
use crate::server::{Request, Response};
use crate::transport::Transport;

/// One end of a one-way link to a server: what a caller holds. Clones are the same end; any number
/// of calls may be in flight on it at once, and they may overtake each other.
#[derive(Clone)]
pub struct ClientEnd(Arc<dyn Transport>);

impl ClientEnd {
    /// An end whose calls this transport carries.
    pub(crate) fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }

    /// Calls `method`, `"Service.Method"`, and waits for the reply.
    ///
    /// A call always ends, unless its handler never returns on a server that stays reachable. How
    /// long it takes to fail says nothing: up to 7 s with long delays. Over sockets it always ends,
    /// see [`Options::call_timeout`](crate::socket::Options::call_timeout).
    ///
    /// # Errors
    /// If no reply came. The handler may have run all the same.
    ///
    /// # Panics
    /// If the server has no such method, or if the types of arguments and reply are not the
    /// method's: mistakes of the program. Not over sockets, where these are errors.
    #[track_caller]
    pub fn call<A: Serialize, R: DeserializeOwned>(
        &self,
        method: &str,
        args: &A,
    ) -> Result<R, RpcError> {
        self.exchange(method, args, None, Location::caller())
    }

    /// Calls `method` as [`call`](ClientEnd::call) does, and waits for the reply until `limit` has
    /// passed.
    ///
    /// At the limit only the wait ends. The call goes on: its request may still arrive and its
    /// handler may still run, at most once, and the reply is dropped. With a limit of zero the
    /// request is sent all the same. A short limit drops replies that are merely slow: with long
    /// reordering, most take between 0.2 and 2.2 s.
    ///
    /// Solutions of the labs may use it, but do not need it: a Raft whose calls have limits and one
    /// whose calls have none are both correct. Without it, a task of its own makes the call, and
    /// nothing waits for that task.
    ///
    /// ```
    /// use std::time::Duration;
    /// use labrpc::{Network, RpcError, Server, Service, run, sleep};
    ///
    /// run(|| {
    ///     let network = Network::new();
    ///     let slow = Service::new("Slow").method("Sleep", |millis: u64| {
    ///         sleep(Duration::from_millis(millis));
    ///     });
    ///     network.add_server("S0", Server::new().with(slow));
    ///     let end = network.make_end("end");
    ///     network.connect("end", "S0");
    ///     network.enable("end");
    ///
    ///     let limit = Duration::from_millis(200);
    ///     let late = end.call_within::<_, ()>(limit, "Slow.Sleep", &10_000_u64);
    ///     assert_eq!(late, Err(RpcError::DeadlineExceeded));
    ///     assert_eq!(end.call_within(limit, "Slow.Sleep", &10_u64), Ok(()));
    /// });
    /// ```
    ///
    /// # Errors
    /// [`RpcError::DeadlineExceeded`] at the limit, or the errors of [`call`](ClientEnd::call) if
    /// the call fails earlier.
    ///
    /// # Panics
    /// As [`call`](ClientEnd::call).
    #[track_caller]
    pub fn call_within<A: Serialize, R: DeserializeOwned>(
        &self,
        limit: Duration,
        method: &str,
        args: &A,
    ) -> Result<R, RpcError> {
        let deadline = Instant::now() + limit;
        self.exchange(method, args, Some(deadline), Location::caller())
    }

    /// Sends a request and reads the reply to it.
    fn exchange<A: Serialize, R: DeserializeOwned>(
        &self,
        method: &str,
        args: &A,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Result<R, RpcError> {
        if !port::enter() {
            return Err(RpcError::Lost);
        }
        let args_type = Some(type_name::<A>());
        let request = Request {
            method: method.to_string(),
            args: codec::encode(args),
            args_type,
            words: port::in_words(args),
        };
        let response = Arc::clone(&self.0).call(request, deadline, site)?;
        decode_reply(method, &response)
    }
}

/// The reply of a call.
///
/// # Panics
/// If caller and server are one program and the types differ: other types would otherwise show up
/// as nonsense values.
fn decode_reply<R: DeserializeOwned>(method: &str, response: &Response) -> Result<R, RpcError> {
    let wanted = type_name::<R>();
    match response.reply_type {
        Some(sent) if sent != wanted => {
            panic!("{method} replies with {sent}, but the caller expects {wanted}")
        }
        Some(_) => match codec::decode(&response.reply) {
            Ok(reply) => Ok(reply),
            Err(error) => panic!("{method} sent a reply that cannot be read: {error}"),
        },
        None => codec::decode_foreign(&response.reply).map_err(|_| RpcError::Unreadable),
    }
}

impl fmt::Debug for ClientEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientEnd({})", self.0)
    }
}
